// Blocks of cells as Excel puts them on the clipboard: rows by line, cells by tab, quotes around cells with either.

export function parseBlock(text) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let index = 0; index < source.length; index += 1) {
    const letter = source[index];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (source[index + 1] === '"') { cell += '"'; index += 1; }
      else quoted = false;
    } else if (letter === '"' && cell === "") quoted = true;
    else if (letter === "\t") { row.push(cell); cell = ""; }
    else if (letter === "\n") { row.push(cell); rows.push(row); row = []; cell = ""; }
    else cell += letter;
  }
  row.push(cell);
  rows.push(row);
  return rows.map((cells) => cells.map((one) => one.trim()));
}

export function writeBlock(rows) {
  const quote = (text) => (/["\t\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((cells) => cells.map((text) => quote(text ?? "")).join("\t")).join("\n");
}

const plain = (text) => text.replace(/[\s*＊:：()（）]/g, "").toLowerCase();

// When the first row names columns of the grid, the block brings its own order; else null.
export function columnsByHeading(first, columns) {
  const found = first.map((text) => columns.find((column) => text && plain(column.label) === plain(text)) || null);
  const named = found.filter(Boolean).length;
  return named >= 2 && named * 2 >= first.filter(Boolean).length ? found : null;
}

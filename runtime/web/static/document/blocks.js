// Blocks of cells between the grid and the clipboard. What was copied here is pasted as values; what comes from Excel is
// pasted as text, into the columns that can be typed, and read by the server.
import { columnsByHeading, parseBlock, writeBlock } from "./clipboard.js";

// Puts the selected cells on the clipboard. False while the caret stands in a text.
export function copyBlock(grid, event) {
  const { page, editor } = grid;
  if (!grid.active || (editor.mode === "editing" && editor.isMounted)) return false;
  const [first, last, from, to] = grid.range();
  const columns = grid.shown.slice(from, to + 1);
  const cells = grid.rows.slice(first, last + 1).map((row) => columns.map((column) => row.cells[column.key]));
  const numeric = columns.map((column) => page.model.field(grid.key, column.key).numeric);
  const written = (cell, index) => (numeric[index] && cell.value !== null ? String(cell.value) : cell.text);
  const text = writeBlock(cells.map((line) => line.map(written)));
  event.clipboardData.setData("text/plain", text);
  event.preventDefault();
  page.copied = { text, cells: cells.map((line) => line.map(({ value, text: shown }) => ({ value, text: shown }))) };
  page.spoken(page.fill("copied", { rows: cells.length, columns: columns.length }));
  return true;
}

export function pasteBlock(grid, event) {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const { editor } = grid;
  if (!grid.active || !grid.isTyped || text === "") return;
  if (editor.mode === "editing" && editor.isMounted && !/[\t\n]./.test(text)) return;
  event.preventDefault();
  editor.cancel();
  put(grid, text);
}

function put(grid, text) {
  const { page } = grid;
  const own = page.copied?.text === text.replace(/\r\n?/g, "\n") ? page.copied.cells : null;
  let block = parseBlock(text);
  const [first, last, from, to] = grid.range();
  const headed = own ? null : columnsByHeading(block[0], grid.shown);
  if (headed) block = block.slice(1);
  if (!block.length) return;
  const right = grid.shown.slice(from);
  const single = block.length === 1 && block[0].length === 1;
  // One cell fills the whole selection; a block starts at the current cell and brings the lines it needs.
  const columns = single ? grid.shown.slice(from, to + 1) : headed || (own ? right : right.filter((column) => column.typed));
  const height = single ? last - first + 1 : block.length;
  let rows = 0;
  for (; rows < height; rows += 1) {
    const row = grid.rows[first + rows] || grid.add();
    if (!row) break;
    const texts = block[single ? 0 : rows];
    const cells = own?.[single ? 0 : rows];
    columns.forEach((column, index) => {
      const at = single ? 0 : index;
      if (!column?.typed || at >= texts.length) return;
      grid.set(row, column.key, cells ? cells[at].value : texts[at], cells ? cells[at].text : texts[at]);
    });
  }
  grid.go(grid.active.row, grid.active.key);
  const width = single ? 1 : Math.min(columns.length, Math.max(...block.map((line) => line.length)));
  page.spoken(page.fill("pasted", { rows, columns: width }));
}

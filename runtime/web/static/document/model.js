// The document as data: cells, lines, what was typed and when. Knows no elements and no network.
//
// A cell holds what the server last said (`value`, `text`) until somebody types; then `typed` is set and `value` is what
// will be sent. Every change gets a tick, so that an answer never overwrites what was typed after its question.

const cellOf = ([value, text] = [null, ""]) => ({ value, text, typed: false, at: 0, problem: null });
const filled = (value) => value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && !value.length);

export class Model {
  constructor(setup) {
    this.fields = setup.fields;
    this.limits = setup.limits;
    this.pushed = setup.pushed;
    this.tick = 0;
    this.touched = false;
    const { document } = setup;
    this.editable = new Set(document.editable);
    this.id = document.id;
    this.version = document.version;
    this.header = {};
    for (const [path, cell] of Object.entries(document.header)) this.header[path] = cellOf(cell);
    this.tables = {};
    for (const table of Object.keys(setup.limits)) {
      const lines = document.tables[table] || [];
      this.tables[table] = { key: table, changed: false, rows: lines.map((line) => this.#row(table, line)) };
    }
    if (setup.pushed) this.#keepProposal();
  }

  // What a push-down proposes counts as typed, so that it is sent back as it was shown.
  #keepProposal() {
    const keep = (cell) => { cell.typed = true; cell.proposed = true; };
    for (const [path, cell] of Object.entries(this.header)) {
      if (this.editable.has(path) && filled(cell.value)) keep(cell);
    }
    for (const table of Object.values(this.tables)) {
      for (const row of table.rows) {
        for (const [key, cell] of Object.entries(row.cells)) {
          if (this.editable.has(`${table.key}.${key}`) && filled(cell.value)) keep(cell);
        }
      }
    }
  }

  #row(table, line = {}) {
    const cells = {};
    for (const field of Object.values(this.fields)) {
      if (field.table === table) cells[field.key] = cellOf(line.cells?.[field.key]);
    }
    return { table, id: line.id ?? null, source: line.source ?? null, cells, problem: null };
  }

  field(table, key) { return this.fields[table ? `${table}.${key}` : key]; }
  canType(table, key) { return this.editable.has(table ? `${table}.${key}` : key); }
  cell(row, key) { return row ? row.cells[key] : this.header[key]; }

  // Typing. `row` is null for the header.
  set(row, key, value, text) {
    const field = this.field(row?.table, key);
    const cell = this.cell(row, key);
    if (!field || !cell) return false;
    const next = value === "" || value === undefined ? null : value;
    const before = cell.value;
    if (JSON.stringify(next) === JSON.stringify(before)) return false;
    cell.value = next;
    cell.text = next === null ? "" : text ?? String(next);
    cell.typed = true;
    cell.proposed = false;
    cell.at = ++this.tick;
    this.touched = true;
    if (row) this.tables[row.table].changed = true;
    // A price nobody wrote is worked out anew for another unit.
    for (const target of field.prices) {
      const other = this.cell(row, target);
      if (other?.proposed) other.typed = false;
    }
    // Choosing another record brings that record's own figures; the first choice leaves what was typed before it.
    if (field.fills.length && filled(before)) {
      for (const target of field.fills) {
        const other = this.cell(row, target);
        if (other) other.typed = false;
      }
    }
    return true;
  }

  addRow(table, at, line) {
    const rows = this.tables[table].rows;
    if (rows.length >= this.limits[table]) return null;
    const row = this.#row(table, line);
    rows.splice(at ?? rows.length, 0, row);
    return row;
  }

  removeRow(row) {
    const table = this.tables[row.table];
    table.rows = table.rows.filter((one) => one !== row);
    if (row.id || row.source || !this.isEmpty(row)) { table.changed = true; this.touched = true; this.tick += 1; }
  }

  isEmpty(row) {
    return !row.id && !row.source && !Object.values(row.cells).some((cell) => cell.typed && filled(cell.value));
  }

  // What is sent: only typed header values; a line table as a whole once anything in it changed.
  payload() {
    const values = {};
    for (const [path, cell] of Object.entries(this.header)) if (cell.typed) values[path] = cell.value;
    const lines = {};
    const rows = {};
    for (const table of Object.values(this.tables)) {
      rows[table.key] = table.rows.filter((row) => !this.isEmpty(row));
      const typed = this.pushed || (this.id === null && rows[table.key].length);
      if (table.changed || typed) lines[table.key] = rows[table.key].map((row) => this.#line(row));
    }
    return { body: { id: this.id, values, lines }, rows, at: this.tick };
  }

  #line(row) {
    const line = {};
    if (row.id) line.id = row.id;
    if (row.source) line.source = row.source;
    for (const [key, cell] of Object.entries(row.cells)) if (cell.typed) line[key] = cell.value;
    return line;
  }

  // An answer to `sent`. Calls `changed(row, key)` for every cell that reads differently now.
  apply(answer, sent, changed) {
    const wrong = new Set((answer.problems || []).map((one) => one.where));
    for (const [path, cell] of Object.entries(answer.header)) {
      if (!(path in this.header)) this.header[path] = cellOf();
      this.#take(null, path, cell, sent.at, wrong.has(path), changed);
    }
    for (const [table, lines] of Object.entries(answer.tables)) {
      lines.forEach((line, index) => {
        const row = sent.rows[table]?.[index];
        if (!row) return;
        for (const [key, cell] of Object.entries(line.cells)) {
          this.#take(row, key, cell, sent.at, wrong.has(`${table}.${index + 1}.${key}`), changed);
        }
      });
    }
  }

  #take(row, key, [value, text], asked, isWrong, changed) {
    const cell = this.cell(row, key);
    if (!cell || cell.at > asked || (isWrong && cell.typed)) return;
    const differs = cell.text !== text || JSON.stringify(cell.value) !== JSON.stringify(value);
    cell.value = value;
    cell.text = text;
    if (differs) changed(row, key);
  }

  // After saving: ids and version of what is stored now; what was typed meanwhile stays typed.
  rebase(document, sent, changed) {
    this.id = document.id;
    this.version = document.version;
    this.editable = new Set(document.editable);
    this.pushed = false;
    this.touched = this.tick > sent.at;
    const settle = (cell) => { if (cell.at <= sent.at) cell.typed = false; };
    Object.values(this.header).forEach(settle);
    for (const [table, lines] of Object.entries(document.tables)) {
      sent.rows[table].forEach((row, index) => {
        row.id = lines[index]?.id ?? row.id;
        row.source = lines[index]?.source ?? row.source;
        Object.values(row.cells).forEach(settle);
      });
      this.tables[table].changed = this.touched;
    }
    this.apply(document, sent, changed);
  }

  // Where a problem stands: {row, key} of a cell, {row} of a line, {table} of a table, {key} of the header.
  at(where, rows) {
    const parts = where.split(".");
    if (parts.length === 1) return parts[0] in this.tables ? { table: parts[0] } : { row: null, key: parts[0] };
    const row = rows[parts[0]]?.[Number(parts[1]) - 1];
    if (!row) return parts[0] in this.header ? { row: null, key: parts[0] } : {};
    return parts[2] ? { row, key: parts[2] } : { row };
  }

  number(row) { return this.tables[row.table].rows.indexOf(row) + 1; }

  // What was typed, to be kept on this device and put back later, also over a newer version.
  draft() {
    const typed = (cells) => Object.fromEntries(
      Object.entries(cells).filter(([, cell]) => cell.typed).map(([key, cell]) => [key, [cell.value, cell.text]]));
    const tables = {};
    for (const table of Object.values(this.tables)) {
      if (!table.changed) continue;
      tables[table.key] = table.rows.filter((row) => !this.isEmpty(row))
        .map((row) => ({ id: row.id, source: row.source, typed: typed(row.cells) }));
    }
    return { version: this.version, header: typed(this.header), tables, known: this.#known() };
  }

  #known() {
    return Object.fromEntries(Object.values(this.tables).map((table) => [table.key, this.originals?.[table.key] || []]));
  }

  rememberOriginals() {
    this.originals = Object.fromEntries(Object.values(this.tables)
      .map((table) => [table.key, table.rows.filter((row) => row.id).map((row) => row.id)]));
  }

  restore(draft) {
    for (const [key, [value, text]] of Object.entries(draft.header)) {
      if (this.header[key] && this.canType("", key)) this.set(null, key, value, text);
    }
    for (const [key, lines] of Object.entries(draft.tables)) {
      const table = this.tables[key];
      if (!table) continue;
      const kept = new Set(lines.map((line) => line.id).filter(Boolean));
      const dropped = new Set((draft.known?.[key] || []).filter((id) => !kept.has(id)));
      table.rows = table.rows.filter((row) => row.id && !dropped.has(row.id));
      for (const line of lines) {
        const row = table.rows.find((one) => line.id && one.id === line.id)
          || (line.id ? null : this.addRow(key, undefined, { source: line.source }));
        if (!row) continue;
        for (const [field, [value, text]] of Object.entries(line.typed)) this.set(row, field, value, text);
      }
      table.changed = true;
    }
    this.touched = true;
  }
}

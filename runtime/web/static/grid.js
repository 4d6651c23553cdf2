// The line grid: walking, selecting, copying and pasting, adding and removing lines, by keyboard alone or by hand.
// The lines themselves are the model's; what is typed into a cell is the cell editor's.
import { CellEditor } from "./document/celleditor.js";
import { listenTo } from "./document/gridevents.js";

export class Grid {
  constructor(section, page) {
    this.section = section;
    this.page = page;
    this.key = section.dataset.table;
    this.body = section.querySelector("tbody");
    this.template = section.querySelector("template[data-row]");
    this.columns = [...section.querySelectorAll("thead th[data-col]")].map((head) => ({
      key: head.dataset.col,
      head,
      label: page.model.field(this.key, head.dataset.col).label,
      typed: page.model.canType(this.key, head.dataset.col),
      hidden: head.classList.contains("is-secondary"),
      conditional: "conditional" in head.dataset,
    }));
    this.isTyped = section.classList.contains("lines-typed");
    this.lines = new Map();
    this.owners = new WeakMap();
    this.editor = new CellEditor(this);
    this.active = null;
    this.reach = null;
    this.entry = null;
    [...this.body.rows].forEach((tr, index) => this.#bind(this.rows[index], tr));
    const small = matchMedia("(max-width: 767px)").matches && page.model.id !== null;
    if (this.isTyped && !this.rows.length && !small) this.#append(page.model.addRow(this.key));
    listenTo(this);
    this.settleStop();
  }

  get table() { return this.page.model.tables[this.key]; }
  get rows() { return this.table.rows; }
  get shown() { return this.columns.filter((column) => !column.hidden); }
  get typed() { return this.shown.filter((column) => column.typed); }

  // ---- drawing

  #bind(row, tr) {
    const cells = {};
    for (const td of tr.cells) if (td.dataset.col) cells[td.dataset.col] = td;
    this.lines.set(row, { tr, cells });
    this.owners.set(tr, row);
    for (const column of this.columns) cells[column.key].classList.toggle("is-hidden", column.hidden);
  }

  #append(row, at) {
    if (!row) return null;
    const tr = this.template.content.firstElementChild.cloneNode(true);
    this.body.insertBefore(tr, this.body.rows[at ?? this.body.rows.length] || null);
    this.#bind(row, tr);
    for (const column of this.columns) if (row.cells[column.key].text) this.paint(row, column.key);
    this.numberSoon();
    return row;
  }

  // Once for many changes: a block of a hundred lines numbers the lines one time.
  numberSoon() {
    if (this.numbering) return;
    this.numbering = true;
    queueMicrotask(() => { this.numbering = false; this.number(); });
  }

  number() {
    this.rows.forEach((row, index) => {
      const line = this.lines.get(row);
      line.tr.firstElementChild.firstElementChild.textContent = String(index + 1);
    });
    const count = this.section.querySelector("[data-count]");
    if (count) count.textContent = String(this.rows.filter((row) => !this.page.model.isEmpty(row)).length);
  }

  // All lines anew, after a draft was put back.
  redraw() {
    this.editor.unmount();
    this.lines.clear();
    this.body.replaceChildren();
    this.active = null;
    if (this.isTyped && !this.rows.length) this.page.model.addRow(this.key);
    this.rows.forEach((row, index) => this.#append(row, index));
    this.settleStop();
  }

  paint(row, key) {
    const td = this.lines.get(row)?.cells[key];
    if (!td) return;
    const cell = row.cells[key];
    const text = td.firstElementChild;
    if (text.textContent !== cell.text) text.textContent = cell.text;
    const wrong = cell.problem?.severity === "error";
    td.classList.toggle("is-wrong", wrong);
    td.classList.toggle("is-doubtful", cell.problem?.severity === "warning");
    let say = td.querySelector(".cell-say");
    if (!cell.problem) { say?.remove(); td.removeAttribute("aria-invalid"); td.removeAttribute("aria-describedby"); return; }
    if (!say) {
      say = document.createElement("span");
      say.className = "cell-say";
      say.id = `say-${this.key}-${this.page.model.number(row)}-${key}`;
      text.after(say);
    }
    say.textContent = cell.problem.text;
    say.title = cell.problem.hint ? `${cell.problem.text}${cell.problem.hint}` : cell.problem.text;
    if (wrong) td.setAttribute("aria-invalid", "true");
    td.setAttribute("aria-describedby", say.id);
  }

  refresh(row, key) {
    this.paint(row, key);
    if (this.active?.row === row && this.active.key === key) this.editor.refresh();
  }

  // Which cell the Tab key finds when it comes from outside.
  settleStop() {
    for (const td of this.body.querySelectorAll("td[tabindex='0']")) td.tabIndex = -1;
    const stop = this.active || (this.rows.length && { row: this.rows[0], key: (this.typed[0] || this.shown[0])?.key });
    const td = stop && this.lines.get(stop.row)?.cells[stop.key];
    if (td) td.tabIndex = 0;
  }

  // ---- changing

  set(row, key, value, text) {
    if (!this.page.model.set(row, key, value, text)) return;
    row.cells[key].problem = null;
    this.paint(row, key);
    this.numberSoon();
    this.page.changed();
  }

  add(at) {
    const row = this.page.model.addRow(this.key, at);
    if (!row) { this.page.say(this.page.fill("rows_full", { most: this.page.model.limits[this.key] }), "danger"); return null; }
    return this.#append(row, at);
  }

  remove(row) {
    const index = this.rows.indexOf(row);
    const key = this.active?.key;
    if (this.active?.row === row) { this.editor.cancel(); this.editor.unmount(); this.active = null; }
    this.page.model.removeRow(row);
    this.lines.get(row).tr.remove();
    this.lines.delete(row);
    if (!this.rows.length) this.#append(this.page.model.addRow(this.key));
    this.number();
    this.page.changed();
    this.go(this.rows[Math.min(index, this.rows.length - 1)], key || this.typed[0].key);
  }

  // After a look-up was chosen: on to the next thing that must be typed and does not come with the record.
  chose(row, key) {
    const { model } = this.page;
    const { fills } = model.field(this.key, key);
    const after = this.typed.slice(this.typed.findIndex((column) => column.key === key) + 1);
    const needed = after.find((column) => {
      const field = model.field(this.key, column.key);
      return field.required && row.cells[column.key].value === null && !fills.includes(column.key);
    });
    this.entry ??= key;
    if (needed || after[0]) this.go(row, (needed || after[0]).key);
  }

  above() {
    this.editor.commit();
    const [first, last, from, to] = this.range();
    const top = first === last ? first - 1 : first;
    if (top < 0) return;
    for (const column of this.shown.slice(from, to + 1).filter((one) => one.typed)) {
      const source = this.rows[top].cells[column.key];
      for (let index = top + 1; index <= last; index += 1) this.set(this.rows[index], column.key, source.value, source.text);
    }
    this.editor.refresh();
  }

  clear() {
    this.editor.cancel();
    const [first, last, from, to] = this.range();
    for (let index = first; index <= last; index += 1) {
      for (const column of this.shown.slice(from, to + 1)) if (column.typed) this.set(this.rows[index], column.key, null, "");
    }
    this.editor.refresh();
  }

  // ---- walking

  go(row, key, { keepEntry = true } = {}) {
    const td = this.lines.get(row)?.cells[key];
    if (!td) return;
    this.walking = true;
    this.editor.unmount();
    if (!keepEntry) this.entry = null;
    const before = this.active && this.lines.get(this.active.row)?.cells[this.active.key];
    if (before) before.tabIndex = -1;
    this.active = { row, key };
    this.reach = null;
    this.mark();
    td.scrollIntoView({ block: "nearest", inline: "nearest" });
    const column = this.columns.find((one) => one.key === key);
    if (column.typed) this.editor.mount(td, row, key);
    else { td.tabIndex = 0; td.focus({ preventScroll: true }); }
    this.walking = false;
  }

  step(rows, columns, { typed = false } = {}) {
    const list = typed ? this.typed : this.shown;
    const row = this.rows.indexOf(this.active.row) + rows;
    const column = list.findIndex((one) => one.key === this.active.key) + columns;
    if (this.rows[row] && list[column]) this.go(this.rows[row], list[column].key, { keepEntry: false });
  }

  // Tab: the next typed cell, over the end of the line into the next. False when the grid ends here.
  next(by) {
    const list = this.typed;
    const index = this.rows.indexOf(this.active.row);
    const at = list.findIndex((one) => one.key === this.active.key);
    const column = at < 0 ? list.findIndex((one) => this.shown.indexOf(one) > this.shown.findIndex((s) => s.key === this.active.key)) : at + by;
    if (by < 0) this.entry = null;
    if (list[column]) { if (by > 0) this.entry ??= this.active.key; this.go(this.active.row, list[column].key); return true; }
    let row = this.rows[index + by];
    if (!row && by > 0 && !this.page.model.isEmpty(this.active.row)) row = this.add();
    if (!row) return false;
    this.entry = null;
    this.go(row, list[by > 0 ? 0 : list.length - 1].key);
    return true;
  }

  // Enter: down, to where this line was begun; a new line at the end.
  down() {
    const index = this.rows.indexOf(this.active.row);
    const key = this.entry ?? this.active.key;
    let row = this.rows[index + 1];
    if (!row && this.isTyped && !this.page.model.isEmpty(this.active.row)) row = this.add();
    if (row) this.go(row, key, { keepEntry: false });
  }

  range() {
    const rows = [this.active.row, (this.reach || this.active).row].map((row) => this.rows.indexOf(row));
    const columns = [this.active.key, (this.reach || this.active).key].map((key) => this.shown.findIndex((one) => one.key === key));
    return [Math.min(...rows), Math.max(...rows), Math.min(...columns), Math.max(...columns)];
  }

  extend(rows, columns) {
    const reach = this.reach || this.active;
    const row = this.rows[this.rows.indexOf(reach.row) + rows];
    const column = this.shown[this.shown.findIndex((one) => one.key === reach.key) + columns];
    if (!row || !column) return;
    this.reach = { row, key: column.key };
    this.mark();
    this.lines.get(row).cells[column.key].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  mark() {
    for (const td of this.body.querySelectorAll(".is-selected")) td.classList.remove("is-selected");
    if (!this.reach) return;
    const [first, last, from, to] = this.range();
    for (let index = first; index <= last; index += 1) {
      for (const column of this.shown.slice(from, to + 1)) this.lines.get(this.rows[index]).cells[column.key].classList.add("is-selected");
    }
  }

  // ---- columns

  at(target) {
    const td = target.closest?.("td[data-col]");
    const row = td && this.owners.get(td.parentElement);
    return row ? { row, key: td.dataset.col, td } : null;
  }

  // Columns that are called for under a condition come when a line asks for them, and go when none does.
  settle(absent) {
    for (const column of this.columns) {
      const on = !absent.has(`${this.key}.${column.key}`);
      if (column.conditional && column.hidden === on && on !== column.asked) this.show(column, on);
      if (column.conditional) column.asked = on;
    }
  }

  show(column, on) {
    column.hidden = !on;
    column.head.classList.toggle("is-hidden", !on);
    column.head.classList.remove("is-secondary");
    for (const line of this.lines.values()) {
      line.cells[column.key].classList.toggle("is-hidden", !on);
      line.cells[column.key].classList.remove("is-secondary");
    }
    const box = this.section.querySelector(`[data-column="${column.key}"]`);
    if (box) box.checked = on;
  }

}

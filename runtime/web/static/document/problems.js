// Problems at their place and in a list on top whose lines lead there. Problems of a refused action stay until the
// place they name is changed; those of a preview are replaced by the next one.

export class Problems {
  constructor(place, page) {
    this.place = place;
    this.page = page;
    this.kept = [];
    this.live = [];
    this.announced = false;
  }

  // `rows`: the lines as they were sent, because addresses count them.
  refuse(found, rows) {
    this.kept = found.map((one) => this.#placed(one, rows));
    this.live = [];
    this.announced = true;
    this.draw();
    this.place.focus();
    this.place.scrollIntoView({ block: "nearest" });
  }

  preview(found, rows) {
    this.live = found.map((one) => this.#placed(one, rows));
    this.draw();
  }

  clear() {
    this.kept = [];
    this.live = [];
    this.announced = false;
    this.draw();
  }

  #placed(one, rows) {
    const at = one.where ? this.page.model.at(one.where, rows) : {};
    const cell = at.key ? this.page.model.cell(at.row, at.key) : null;
    return { ...one, at, cell, tick: cell?.at ?? this.page.model.tick };
  }

  #current() {
    const stays = (one) => (one.cell ? one.cell.at === one.tick : !one.at.row && !one.at.table ? true : this.page.model.tick === one.tick)
      && (!one.at.row || this.page.model.tables[one.at.row.table].rows.includes(one.at.row));
    this.kept = this.kept.filter(stays);
    const seen = new Set();
    return [...this.kept, ...this.live.filter(stays)].filter((one) => {
      const key = `${one.where} ${one.code} ${one.text}`;
      return !seen.has(key) && seen.add(key);
    });
  }

  draw() {
    const { model } = this.page;
    const found = this.#current();
    const wanted = new Map();
    for (const one of found) if (one.cell && !wanted.has(one.cell)) wanted.set(one.cell, one);
    for (const [path, cell] of Object.entries(model.header)) this.#mark(cell, wanted.get(cell), () => this.page.header.paint(path));
    for (const grid of this.page.grids) {
      for (const row of grid.rows) {
        for (const [key, cell] of Object.entries(row.cells)) this.#mark(cell, wanted.get(cell), () => grid.paint(row, key));
      }
    }
    // While somebody types, a problem speaks at its cell; the list on top is for what stopped an action.
    const listed = this.announced ? found : found.filter((one) => !one.cell);
    this.place.hidden = !listed.length;
    if (!listed.length) { this.announced = this.announced && this.kept.length > 0; this.place.replaceChildren(); return; }
    const errors = listed.filter((one) => one.severity === "error").length;
    const heading = document.createElement("strong");
    heading.textContent = errors ? this.page.fill("problem_count", { count: errors }) : this.page.fill("warning_count", { count: listed.length });
    const list = document.createElement("ol");
    list.append(...listed.slice(0, 50).map((one) => this.#line(one)));
    this.place.classList.toggle("is-warning", !errors);
    this.place.replaceChildren(heading, list);
  }

  #mark(cell, one, paint) {
    const problem = one ? { text: one.text, hint: one.hint, severity: one.severity } : null;
    if (JSON.stringify(problem) === JSON.stringify(cell.problem)) return;
    cell.problem = problem;
    paint();
  }

  label(one) {
    const { model } = this.page;
    const line = one.at.row ? this.page.fill("line", { line: model.number(one.at.row) }) : "";
    const field = one.at.key ? model.field(one.at.row?.table, one.at.key)?.label || "" : "";
    return [line, field].filter(Boolean).join(" ");
  }

  #line(one) {
    const line = document.createElement("li");
    const label = this.label(one);
    if (label && !one.text.startsWith(label)) {
      const link = document.createElement("button");
      link.type = "button";
      link.className = "problem-link";
      link.textContent = label;
      link.addEventListener("click", () => this.page.lead(one.at));
      line.append(link, " ");
    }
    line.append(one.text);
    if (one.hint) {
      const hint = document.createElement("span");
      hint.className = "problem-hint";
      hint.textContent = ` ${one.hint}`;
      line.append(hint);
    }
    return line;
  }
}

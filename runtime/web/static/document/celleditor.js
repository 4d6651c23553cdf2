// The input inside the current cell of a grid. It is there from the moment the cell is entered, with everything
// selected ("armed"): typing, also with an input method, replaces the content at once, arrows still walk the grid.
// F2 or a second click put the caret into the text ("editing"). Leaving the cell hands the text to the model.
import { LookUp } from "../lookup.js";

const LOOKED_UP = new Set(["link", "member", "department", "choice", "boolean", "open_item"]);

export class CellEditor {
  constructor(grid) {
    this.grid = grid;
    this.input = null;
    this.mode = "armed";
    this.stays = false;
  }

  get isMounted() { return this.input !== null; }
  get looksUp() { return this.isMounted && LOOKED_UP.has(this.field.widget); }
  get listOpen() { return this.looksUp && this.page.lookup.isOpen && this.page.lookup.input === this.input; }
  get page() { return this.grid.page; }

  mount(td, row, key) {
    this.unmount();
    this.row = row;
    this.key = key;
    this.td = td;
    this.field = this.page.model.field(row.table, key);
    const input = document.createElement("input");
    input.className = `cell-input${this.field.numeric ? " figure" : ""}`;
    input.type = this.field.widget === "date" && matchMedia("(pointer: coarse)").matches ? "date" : "text";
    input.inputMode = this.field.numeric ? "decimal" : "text";
    input.autocomplete = "off";
    input.spellcheck = false;
    input.enterKeyHint = "next";
    input.setAttribute("aria-label", `${this.page.fill("line", { line: this.page.model.number(row) })} ${this.field.label}`);
    const problem = row.cells[key].problem;
    if (problem) {
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", td.querySelector(".cell-say")?.id || "");
    }
    if (LOOKED_UP.has(this.field.widget)) {
      input.setAttribute("role", "combobox");
      input.setAttribute("aria-autocomplete", "list");
      input.setAttribute("aria-expanded", "false");
      input.setAttribute("aria-controls", this.page.lookup.list.id);
    }
    this.input = input;
    this.mode = "armed";
    this.start = this.#shown();
    input.value = this.start;
    input.addEventListener("input", () => this.#typed());
    td.classList.add("is-current");
    td.append(input);
    input.focus({ preventScroll: true });
    input.select();
    const { field } = this; // the answer may come when another cell is current
    if (this.looksUp) this.page.lookup.attach(input, (text) => this.page.find(field, row, text), (hit) => this.#chosen(hit));
    // A finger cannot press an arrow key: what is still empty shows what there is.
    if (this.looksUp && !this.start && matchMedia("(pointer: coarse)").matches) this.page.lookup.search("", true);
  }

  // After an answer from the server: what is armed shows the new value, what is being typed stays.
  refresh() {
    if (!this.isMounted || this.mode !== "armed" || this.input.value !== this.start) return;
    this.start = this.#shown();
    this.input.value = this.start;
    if (document.activeElement === this.input) this.input.select();
  }

  edit() {
    if (!this.isMounted) return;
    this.mode = "editing";
    const end = this.input.value.length;
    if (this.input.type === "text") this.input.setSelectionRange(end, end);
    if (this.looksUp) this.page.lookup.search("", true);
  }

  open() {
    if (!this.looksUp) return;
    this.mode = "editing";
    this.page.lookup.search("", true);
  }

  cancel() {
    if (!this.isMounted) return;
    this.page.lookup.close();
    this.input.value = this.start;
    this.mode = "armed";
    this.input.select();
  }

  // Takes the highlighted hit and stays in the cell.
  take() {
    this.stays = true;
    if (this.listOpen && this.input.value.trim()) this.page.lookup.choose();
    this.stays = false;
  }

  commit() {
    if (!this.isMounted) return;
    const { input, row, key, field } = this;
    const text = input.value;
    if (text === this.start) { this.page.lookup.close(); this.mode = "armed"; return; }
    const { lookup } = this.page;
    const pending = this.listOpen && text.trim() ? lookup.detach() : null;
    this.start = text;
    this.mode = "armed";
    this.grid.set(row, key, this.#value(text), text.trim());
    if (pending) {
      // Somebody typed on faster than the look-up answers: take what it finds, unless the cell changed again.
      const { at } = row.cells[key];
      this.page.previews.hold(pending.then((hits) => {
        const hit = LookUp.best(hits, text);
        if (hit && row.cells[key].at === at) this.#take(row, key, hit, field);
      }));
    }
    if (this.listOpen) lookup.close();
  }

  unmount() {
    if (!this.isMounted) return;
    const { input, td } = this;
    this.commit();
    this.input = null;
    td.classList.remove("is-current");
    input.remove();
  }

  #typed() {
    this.mode = "editing";
    if (this.looksUp) {
      if (this.input.value.trim()) this.page.lookup.search(this.input.value);
      else this.page.lookup.close();
    }
  }

  #chosen(hit) {
    const { row, key, field } = this;
    this.start = hit[1];
    if (this.input) this.input.value = hit[1];
    this.mode = "armed";
    this.#take(row, key, hit, field);
    if (!this.stays) this.grid.chose(row, key);
  }

  // A barcode of a unit brings the unit as well.
  #take(row, key, hit, field) {
    this.grid.set(row, key, this.#id(hit, field), hit[1]);
    for (const [other, [value, text]] of Object.entries(hit[3] || {})) this.grid.set(row, other, value, text);
  }

  #id(hit, field) { return field.widget === "boolean" ? hit[0] === "true" : hit[0]; }

  #value(text) {
    const trimmed = text.trim();
    if (this.field.widget !== "choice" && this.field.widget !== "boolean") return trimmed;
    const hit = this.page.choices(this.field).find(([, label]) => label.toLowerCase() === trimmed.toLowerCase());
    return hit ? this.#id(hit, this.field) : trimmed;
  }

  #shown() {
    const cell = this.row.cells[this.key];
    if (cell.value === null) return "";
    return this.field.numeric || this.field.widget === "date" ? String(cell.value) : cell.text;
  }
}

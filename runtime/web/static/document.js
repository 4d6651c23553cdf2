// A document page: binds model, header, grids, preview, actions and drafts to each other. Every part knows only `page`.
import { Grid } from "./grid.js";
import { LookUp } from "./lookup.js";
import { Actions } from "./document/actions.js";
import { Drafts } from "./document/drafts.js";
import { ask, Previews } from "./document/exchange.js";
import { bindFiles } from "./document/files.js";
import { Header } from "./document/header.js";
import { Model } from "./document/model.js";
import { Problems } from "./document/problems.js";
import { bindSide } from "./document/side.js";

class Page {
  constructor(root) {
    const setup = JSON.parse(root.dataset.setup);
    this.root = root;
    this.words = setup.words;
    this.urls = setup.urls;
    this.name = setup.draft.split("|").slice(1, 4).join(".");
    this.model = new Model(setup);
    this.model.rememberOriginals();
    this.drafts = new Drafts(setup.draft, this.model);
    this.lookup = new LookUp(document.getElementById("doc-lookup"), this.words);
    this.previews = new Previews(`${this.urls.form}/preview`, () => this.model.payload(), (answer, sent, ok) => this.#answered(answer, sent, ok));
    this.problems = new Problems(document.getElementById("doc-problems"), this);
    this.header = new Header(root, this);
    this.grids = [...root.querySelectorAll(".lines")].map((section) => new Grid(section, this));
    this.side = bindSide(document.getElementById("doc-side"), this);
    bindFiles(root, this);
    this.actions = new Actions(this);
    this.#listen();
    this.#offerDraft();
    this.#begin();
    root.dataset.ready = "yes";
  }

  // ---- words

  fill(name, figures) { return this.words[name].replace(/\{(\w+)\}/g, (_, key) => figures[key] ?? ""); }
  remember(key, value) { window.stockloom?.remember(`${this.name}.${key}`, JSON.stringify(value)); }
  recall(key) { try { return JSON.parse(window.stockloom?.recall(`${this.name}.${key}`) || "null"); } catch { return null; } }
  spoken(text) { document.getElementById("doc-spoken").textContent = text; }

  say(text, tone = "success", way = null) {
    if (!way) { window.stockloom?.say(text, tone); return; }
    const line = document.createElement("div");
    line.className = `toast-line toast-${tone}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "toast-way";
    button.textContent = way.label;
    button.addEventListener("click", () => { line.remove(); way.act(); });
    line.append(text, button);
    document.getElementById("toasts")?.append(line);
    setTimeout(() => line.remove(), 15000);
  }

  // ---- look-ups

  choices(field) {
    if (field.widget === "boolean") return [["true", this.words.yes, ""], ["false", this.words.no, ""]];
    return field.choices.map(([key, label]) => [key, label, ""]);
  }

  async find(field, row, text) {
    if (field.choices.length || field.widget === "boolean") {
      const wanted = text.trim().toLowerCase();
      return this.choices(field).filter(([key, label]) => label.toLowerCase().includes(wanted) || key.toLowerCase().startsWith(wanted));
    }
    const path = field.table ? `${field.table}.${field.key}` : field.key;
    const asked = new URLSearchParams({ field: path, q: text });
    const partner = field.partner && this.model.header[field.partner]?.value;
    if (partner) asked.set("partner", partner);
    const { hits } = await ask(`${this.urls.form}/lookup?${asked}`);
    return hits;
  }

  // ---- changes

  // Once for many changes made together.
  changed() {
    if (this.changing) return;
    this.changing = true;
    queueMicrotask(() => {
      this.changing = false;
      this.problems.draw();
      this.#unsaved();
      this.drafts.keep();
      this.previews.schedule();
    });
  }

  commit() {
    for (const grid of this.grids) grid.editor.commit();
    const input = document.activeElement;
    if (input?.matches?.("[data-lookup]")) { input.blur(); input.focus(); }
  }

  #unsaved() {
    const mark = document.querySelector("[data-unsaved]");
    if (mark) mark.hidden = !this.model.touched;
  }

  #refresh(row, key) {
    if (row) this.grids.find((grid) => grid.key === row.table)?.refresh(row, key);
    else this.header.refresh(key);
  }

  #answered(answer, sent, ok) {
    if (ok && answer.header) {
      this.model.apply(answer, sent, (row, key) => this.#refresh(row, key));
    }
    if (ok && answer.absent) this.#settle(new Set(answer.absent));
    this.problems.preview(answer.problems || [], sent.rows);
  }

  #settle(absent) {
    for (const grid of this.grids) grid.settle(absent);
    for (const [path, field] of Object.entries(this.model.fields)) {
      if (field.table || !field.conditional) continue;
      const place = document.querySelector(`[data-field="${path}"]`);
      if (place) place.hidden = absent.has(path);
    }
  }

  // A save that stays on the page: new ids and version, fresh strip, side and totals; the caret stays where it is.
  saved(data, sent) {
    this.model.rebase(data.document, sent, (row, key) => this.#refresh(row, key));
    this.model.rememberOriginals();
    for (const [name, html] of Object.entries(data.parts)) {
      const place = document.getElementById(`doc-${name}`);
      if (place.contains(document.activeElement) && document.activeElement.closest("[data-files]")) continue;
      const open = name === "side" && place.querySelector("[aria-selected=true]")?.id;
      place.innerHTML = html;
      if (open) this.side.choose(document.getElementById(open) || this.side.all()[0]);
      if (name === "side") { bindFiles(place, this); window.htmx?.process(place); }
    }
    this.side.refold();
    this.drafts.rename(data.draft);
    if (location.pathname !== data.address) history.replaceState(history.state, "", data.address);
    document.title = document.title.replace(/^[^·]*/, `${data.number || ""} `);
    this.#unsaved();
    if (this.model.touched) this.changed();
  }

  lead({ row, key, table }) {
    if (row) {
      const grid = this.grids.find((one) => one.key === row.table);
      const column = grid.columns.find((one) => one.key === key) || grid.typed[0];
      if (column.hidden) grid.show(column, true);
      grid.go(row, column.key);
    } else if (table) {
      const grid = this.grids.find((one) => one.key === table);
      grid.go(grid.rows[0] || grid.add(), grid.typed[0].key);
    } else if (key) {
      const input = this.header.inputs.get(key) || document.querySelector(`[data-field="${CSS.escape(key)}"]`);
      const panel = input?.closest("[role=tabpanel]");
      if (panel?.hidden) this.side.choose(document.getElementById(panel.getAttribute("aria-labelledby")));
      (input?.matches("input, select, textarea") ? input : input?.querySelector("input, button"))?.focus();
    }
  }

  // ---- drafts, staleness

  #bar(text, buttons, tone = "") {
    const bar = document.createElement("div");
    bar.className = `doc-bar ${tone}`;
    bar.setAttribute("role", "alert");
    const words = document.createElement("span");
    words.textContent = text;
    bar.append(words);
    for (const [label, act, main] of buttons) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = main ? "btn btn-primary" : "btn";
      button.textContent = label;
      button.addEventListener("click", () => { bar.remove(); act(); });
      bar.append(button);
    }
    document.getElementById("doc-bars").replaceChildren(bar);
    return bar;
  }

  #offerDraft() {
    const draft = this.drafts.found();
    if (!draft || !this.model.editable.size) return;
    let wanted = null;
    try { wanted = sessionStorage.getItem("stockloom.restore"); sessionStorage.removeItem("stockloom.restore"); } catch { /* off */ }
    if (wanted === this.drafts.key) { this.#restore(draft); return; }
    const time = new Date(draft.at).toLocaleString(document.documentElement.lang, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false });
    this.#bar(this.fill("restore_found", { time }), [
      [this.words.restore_from, () => this.#restore(draft), true],
      [this.words.discard, () => this.drafts.forget(), false],
    ]);
  }

  #restore(draft) {
    this.model.restore(draft);
    for (const path of Object.keys(this.model.header)) this.header.refresh(path);
    for (const grid of this.grids) grid.redraw();
    for (const grid of this.grids) grid.number();
    this.changed();
  }

  stale(latest) {
    const text = latest ? this.fill("stale_by", { user: latest.user, time: latest.at, action: latest.action }) : this.words.stale;
    this.#bar(text, [[this.words.stale_reload, () => {
      try { sessionStorage.setItem("stockloom.restore", this.drafts.key); } catch { /* the bar offers it again */ }
      this.model.touched = false;
      location.reload();
    }, true]], "is-stale").scrollIntoView({ block: "nearest" });
  }

  // ---- keys of the page

  #listen() {
    document.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.key === "Enter") { event.preventDefault(); this.actions.primary(); }
      if (event.key.toLowerCase() === "s" && !event.shiftKey) { event.preventDefault(); this.actions.save(); }
    });
    window.addEventListener("beforeunload", (event) => {
      this.commit();
      if (!this.model.touched) return;
      this.drafts.keepNow();
      event.preventDefault();
    });
    this.root.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
    this.root.addEventListener("click", (event) => {
      const help = event.target.closest("[data-help-for]");
      if (!help) return;
      const note = document.getElementById(help.dataset.helpFor);
      note.hidden = !note.hidden;
      help.setAttribute("aria-expanded", String(!note.hidden));
    });
  }

  // A new document is typed into at once: the first empty field that must be filled has the caret.
  #begin() {
    for (const grid of this.grids) grid.number();
    if (this.model.id !== null || matchMedia("(pointer: coarse)").matches) return;
    const inputs = [...this.header.inputs.entries()].filter(([path]) => this.model.fields[path]?.required && this.model.header[path].value === null);
    const first = inputs[0]?.[1] || [...this.header.inputs.values()][0];
    if (first && !inputs.length && this.grids.length) { this.#beginLines(this.grids[0]); return; }
    (first?.matches("input, select, textarea") ? first : first?.querySelector("input"))?.focus({ preventScroll: true });
  }

  // What was pushed down brings its goods along; how much of them is the question.
  #beginLines(grid) {
    const asked = (column) => { const field = this.model.field(grid.key, column.key); return field.required && field.numeric; };
    const column = (this.model.pushed && grid.typed.find(asked)) || grid.typed[0];
    if (column && grid.rows.length) grid.go(grid.rows[0], column.key);
  }
}

const root = document.getElementById("document");
if (root) window.stockloomDocument = new Page(root);

// The header fields: ordinary inputs bound to the model. Look-ups open by typing; Enter goes to the next field.
import { LookUp } from "../lookup.js";

export class Header {
  constructor(root, page) {
    this.root = root;
    this.page = page;
    this.inputs = new Map();
    for (const input of root.querySelectorAll("[data-path]")) {
      if (input.closest("[data-files]")) continue;
      this.inputs.set(input.dataset.path, input);
      this.#bind(input);
    }
    root.addEventListener("keydown", (event) => this.#enter(event));
    root.querySelectorAll("textarea[data-grow]").forEach((area) => this.#grow(area));
  }

  #bind(input) {
    const path = input.dataset.path;
    if (input.matches("[data-lookup]")) { this.#lookup(input, path); return; }
    if (input.matches("[data-many]")) {
      input.addEventListener("change", () => this.#set(path, [...input.querySelectorAll(":checked")].map((box) => box.value)));
      return;
    }
    if (input.matches("[data-address]")) {
      input.addEventListener("input", () => {
        const parts = [...input.querySelectorAll("[data-part]")].filter((one) => one.value.trim());
        this.#set(path, parts.length ? Object.fromEntries(parts.map((one) => [one.dataset.part, one.value])) : null);
      });
      return;
    }
    const read = () => {
      if (input.matches("[data-boolean]")) return input.value === "" ? null : input.value === "true";
      return input.value.trim() === "" ? null : input.value;
    };
    input.addEventListener(input.tagName === "SELECT" ? "change" : "input", () => { this.#set(path, read()); this.#grow(input); });
  }

  #lookup(input, path) {
    const { page } = this;
    const field = page.model.fields[path];
    const take = (hit) => { input.value = hit[1]; input.dataset.shown = hit[1]; this.#set(path, hit[0], hit[1]); };
    const attach = () => page.lookup.attach(input, (text) => page.find(field, null, text), take);
    const leave = () => {
      const text = input.value.trim();
      const mine = page.lookup.input === input;
      const pending = mine && text !== (input.dataset.shown ?? "") ? page.lookup.detach() : null;
      if (text !== (input.dataset.shown ?? "")) {
        input.dataset.shown = text;
        this.#set(path, text || null, text);
        if (pending && text) {
          const { at } = page.model.header[path];
          page.previews.hold(pending.then((hits) => {
            const hit = LookUp.best(hits, text);
            if (hit && page.model.header[path].at === at) take(hit);
          }));
          return;
        }
      }
      if (mine) page.lookup.close();
    };
    input.dataset.shown = input.value;
    input.addEventListener("focus", () => { attach(); input.select(); });
    input.addEventListener("input", () => {
      attach();
      if (input.value.trim()) page.lookup.search(input.value); else page.lookup.close();
    });
    input.addEventListener("blur", leave);
    input.addEventListener("keydown", (event) => {
      const open = page.lookup.isOpen && page.lookup.input === input;
      if (event.key === "ArrowDown") { event.preventDefault(); if (open) page.lookup.move(1); else page.lookup.search("", true); }
      if (!open) return;
      if (event.key === "ArrowUp") { event.preventDefault(); page.lookup.move(-1); }
      if (event.key === "Escape") { event.preventDefault(); page.lookup.close(); input.value = input.dataset.shown; input.select(); }
      if ((event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) && !event.ctrlKey && input.value !== input.dataset.shown) page.lookup.choose();
    });
    input.parentElement.querySelector("[data-lookup-open]")?.addEventListener("mousedown", (event) => {
      event.preventDefault();
      input.focus();
      if (page.lookup.isOpen) page.lookup.close(); else page.lookup.search("", true);
    });
  }

  #set(path, value, text) {
    if (!this.page.model.set(null, path, value, text)) return;
    this.page.model.header[path].problem = null;
    this.paint(path);
    this.page.changed();
  }

  #enter(event) {
    const input = event.target;
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.shiftKey || event.isComposing) return;
    if (!(input instanceof HTMLInputElement || input instanceof HTMLSelectElement) || !input.closest(".doc-fields")) return;
    event.preventDefault();
    const stops = [...this.root.querySelectorAll(".doc-fields input:not([tabindex='-1']), .doc-fields select, .doc-fields textarea, .sheet td[tabindex='0']")];
    stops[stops.indexOf(input) + 1]?.focus();
  }

  #grow(area) {
    if (!area.matches("textarea[data-grow]")) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 240)}px`;
  }

  // The cell reads differently now: text where it is only shown, value where it is typed and not being typed in.
  refresh(path) {
    const cell = this.page.model.header[path];
    for (const place of document.querySelectorAll(`[data-show="${CSS.escape(path)}"]`)) {
      place.textContent = cell.text || (place.closest(".total") ? "0" : this.page.words.empty);
    }
    const input = this.inputs.get(path);
    if (!input || input.contains(document.activeElement)) return;
    if (input.matches("[data-lookup]")) { input.value = cell.text; input.dataset.shown = cell.text; }
    else if (input.matches("[data-many]")) input.querySelectorAll("input").forEach((box) => { box.checked = (cell.value || []).includes(box.value); });
    else if (input.matches("[data-address]")) input.querySelectorAll("[data-part]").forEach((part) => { part.value = cell.value?.[part.dataset.part] ?? ""; });
    else { input.value = cell.value ?? ""; this.#grow(input); }
  }

  paint(path) {
    const { problem } = this.page.model.header[path] || {};
    const box = this.root.ownerDocument.querySelector(`[data-field="${CSS.escape(path)}"]`);
    const say = box?.querySelector(".field-say");
    if (!say) return;
    say.hidden = !problem;
    say.textContent = problem ? `${problem.text}${problem.hint || ""}` : "";
    box.classList.toggle("is-wrong", problem?.severity === "error");
    box.classList.toggle("is-doubtful", problem?.severity === "warning");
    const input = this.inputs.get(path);
    if (problem?.severity === "error") input?.setAttribute("aria-invalid", "true"); else input?.removeAttribute("aria-invalid");
  }
}

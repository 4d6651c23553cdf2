// The look-up list under an input: opens by typing, finds by code, name or pinyin, is steered by arrows and Enter.
//
// One list serves every input of the page. Whoever opens it says where hits come from and what choosing one means.

const QUIET_MS = 120;
const GAP_PX = 2;

export class LookUp {
  constructor(list, words) {
    this.list = list;
    this.words = words;
    this.input = null;
    this.hits = [];
    this.at = -1;
    this.pending = null;
    this.asked = 0;
    list.addEventListener("pointerdown", (event) => {
      // The input keeps the focus; choosing happens on the press.
      event.preventDefault();
      const line = event.target.closest("[data-hit]");
      if (line) this.choose(Number(line.dataset.hit));
    });
    window.addEventListener("scroll", () => this.#place(), { capture: true, passive: true });
    window.addEventListener("resize", () => this.#place());
  }

  get isOpen() { return !this.list.hidden; }

  // `find(text)` → promise of [id, text, detail] rows; `chosen(hit)` is called with one of them.
  attach(input, find, chosen) {
    if (this.input !== input) this.close();
    this.input = input;
    this.find = find;
    this.chosen = chosen;
  }

  search(text, now = false) {
    clearTimeout(this.timer);
    const asked = ++this.asked;
    const { find } = this;
    this.pending = new Promise((resolve) => {
      this.timer = setTimeout(async () => {
        let hits = [];
        try { hits = await find(text); } catch { hits = []; }
        if (asked === this.asked) { this.pending = null; this.#show(hits, text); }
        resolve(hits);
      }, now ? 0 : QUIET_MS);
    });
    if (!this.isOpen) this.#wait();
    return this.pending;
  }

  move(by) {
    if (!this.hits.length) return;
    const from = this.at < 0 && by < 0 ? 0 : this.at;
    this.at = (from + by + this.hits.length) % this.hits.length;
    this.#mark();
  }

  choose(index = this.at) {
    const hit = this.hits[index];
    if (!hit) return false;
    const { chosen } = this;
    this.close();
    chosen(hit);
    return true;
  }

  // Hands over the search under way: it goes on to its answer, which nobody else can cancel any more.
  detach() {
    const { pending } = this;
    this.timer = 0;
    this.close();
    return pending;
  }

  close() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.pending = null;
    this.hits = [];
    this.at = -1;
    this.list.hidden = true;
    this.list.replaceChildren();
    this.input?.setAttribute("aria-expanded", "false");
    this.input?.removeAttribute("aria-activedescendant");
  }

  // The hit a hurried person means: the one whose code was typed exactly, else the first.
  static best(hits, text) {
    const wanted = text.trim().toLowerCase();
    return hits.find(([, name]) => name.toLowerCase() === wanted || name.toLowerCase().startsWith(`${wanted} `)) || hits[0];
  }

  #wait() {
    const line = document.createElement("div");
    line.className = "lookup-note";
    line.textContent = this.words.searching;
    this.list.replaceChildren(line);
    this.#open();
  }

  #show(hits, text) {
    this.hits = hits;
    // Nothing is chosen for somebody who only looks.
    this.at = hits.length && text.trim() ? hits.indexOf(LookUp.best(hits, text)) : -1;
    if (!hits.length) {
      const line = document.createElement("div");
      line.className = "lookup-note";
      line.textContent = this.words.nothing;
      this.list.replaceChildren(line);
    } else {
      this.list.replaceChildren(...hits.map(([, name, detail], index) => {
        const line = document.createElement("div");
        line.id = `hit-${index}`;
        line.className = "lookup-hit";
        line.setAttribute("role", "option");
        line.dataset.hit = String(index);
        const main = document.createElement("span");
        main.textContent = name;
        line.append(main);
        if (detail) {
          const more = document.createElement("small");
          more.textContent = detail;
          line.append(more);
        }
        return line;
      }));
    }
    this.#open();
    this.#mark();
  }

  #open() {
    this.list.hidden = false;
    this.input?.setAttribute("aria-expanded", "true");
    this.#place();
  }

  #mark() {
    [...this.list.children].forEach((line, index) => {
      const on = index === this.at;
      line.classList.toggle("is-chosen", on);
      line.setAttribute("aria-selected", String(on));
      if (on) {
        line.scrollIntoView({ block: "nearest" });
        this.input?.setAttribute("aria-activedescendant", line.id);
      }
    });
  }

  #place() {
    if (!this.isOpen || !this.input) return;
    const box = this.input.getBoundingClientRect();
    const { style } = this.list;
    style.minWidth = `${Math.max(box.width, Math.min(280, window.innerWidth - 16))}px`;
    const height = this.list.offsetHeight;
    const below = window.innerHeight - box.bottom;
    const above = below < height + 8 && box.top > below;
    style.top = `${above ? Math.max(8, box.top - height - GAP_PX) : box.bottom + GAP_PX}px`;
    style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - this.list.offsetWidth - 8))}px`;
  }
}

// A field that names people: found while typing, steered by arrows, kept as hidden inputs with a mark each.

const PAUSE_MS = 150;

export function bindPeople(field) {
  field.dataset.bound = "yes";
  const { people: name, most, address, remove, none } = field.dataset;
  const input = field.querySelector("input[role=combobox]");
  const list = field.querySelector(".people-hits");
  const picked = field.querySelector("[data-picked]");
  let timer = 0;
  let asked = 0;
  let at = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => [...picked.querySelectorAll("input")].map((one) => one.value);
  // What is still being looked up must not open the list again over what was picked.
  const close = () => { clearTimeout(timer); asked += 1; list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); at = -1; };
  const mark = (number) => {
    const all = options();
    at = all.length ? (number + all.length) % all.length : -1;
    all.forEach((one, index) => one.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) { input.setAttribute("aria-activedescendant", all[at].id); all[at].scrollIntoView({ block: "nearest" }); }
  };

  const add = (id, label) => {
    if (chosen().includes(id)) return;
    if (Number(most) === 1) picked.replaceChildren();
    if (chosen().length >= Number(most)) return;
    const one = document.createElement("span");
    one.className = "people-one";
    const kept = document.createElement("input");
    Object.assign(kept, { type: "hidden", name, value: id });
    const off = document.createElement("button");
    off.type = "button";
    off.textContent = "×";
    off.setAttribute("aria-label", remove.replace("{name}", label));
    off.addEventListener("click", () => { one.remove(); input.focus(); });
    one.append(label, kept, off);
    picked.append(one);
    input.value = "";
    close();
  };

  for (const [id, label] of JSON.parse(picked.dataset.given || "[]")) add(String(id), label);

  const show = (hits) => {
    list.replaceChildren(...hits.map((hit, index) => {
      const line = document.createElement("li");
      line.id = `${list.id}-${index}`;
      line.setAttribute("role", "option");
      line.dataset.id = hit.id;
      line.dataset.name = hit.name;
      const detail = document.createElement("span");
      detail.className = "faint";
      detail.textContent = hit.detail;
      line.append(hit.name, detail);
      return line;
    }));
    if (!hits.length) {
      const line = document.createElement("li");
      line.className = "faint";
      line.textContent = none;
      list.append(line);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
  };

  const find = async () => {
    const turn = ++asked;
    const wanted = new URL(address, location.href);
    wanted.searchParams.set("q", input.value.trim());
    try {
      const answer = await fetch(wanted, { credentials: "same-origin", headers: { Accept: "application/json" } });
      const data = await answer.json();
      if (turn === asked && document.activeElement === input) show(data.hits.filter((hit) => !chosen().includes(String(hit.id))));
    } catch { close(); }
  };

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, PAUSE_MS); });
  input.addEventListener("focus", find);
  input.addEventListener("blur", () => setTimeout(close, 150));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) find(); else mark(at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const hit = options()[at];
      if (hit && !list.hidden) add(hit.dataset.id, hit.dataset.name);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Backspace" && !input.value) {
      picked.lastElementChild?.remove();
    }
  });
  list.addEventListener("pointerdown", (event) => {
    const hit = event.target.closest("[role=option]");
    if (!hit) return;
    event.preventDefault();
    add(hit.dataset.id, hit.dataset.name);
  });
}

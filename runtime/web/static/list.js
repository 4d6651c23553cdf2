// Lists: ticking rows, opening them, coming back to the same place, choosing columns by hand or keyboard.
(() => {
  const place = () => `at.${location.pathname}${location.search}`;
  const kept = (key, value) => {
    try {
      if (value === undefined) return sessionStorage.getItem(key);
      sessionStorage.setItem(key, value);
    } catch { /* storage may be off */ }
    return null;
  };

  // Where one was: scroll and ticks of this address, kept for the way back.
  const keep = () => {
    const ticked = [...document.querySelectorAll("#bulk [name=id]:checked")].map((box) => box.value);
    kept(place(), JSON.stringify({ top: scrollY, ticked }));
  };
  const restore = () => {
    const state = JSON.parse(kept(place()) || "null");
    if (!state) return;
    for (const id of state.ticked) {
      const box = document.querySelector(`#bulk [name=id][value="${CSS.escape(id)}"]`);
      if (box) box.checked = true;
    }
    count();
    scrollTo(0, state.top);
  };
  addEventListener("pagehide", keep);

  const boxes = () => [...document.querySelectorAll("#bulk [name=id]")];
  const count = () => {
    const bar = document.querySelector(".bulk-bar");
    const ticked = boxes().filter((box) => box.checked);
    for (const box of boxes()) box.closest("tr").classList.toggle("is-ticked", box.checked);
    if (!bar) return;
    bar.hidden = ticked.length === 0;
    bar.querySelector("[data-ticked]").textContent = String(ticked.length);
    const all = document.querySelector("[data-tick-all]");
    all.checked = ticked.length > 0 && ticked.length === boxes().length;
    all.indeterminate = ticked.length > 0 && !all.checked;
  };
  let lastBox = null;
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-tick-all]")) boxes().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches?.("[data-tick-all], #bulk [name=id]")) count();
    if (event.target.matches?.("[data-operator]")) between();
  });

  const rowOf = (target) => target.closest?.("tr[data-open]");
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (target.matches?.("#bulk [name=id]")) {
      if (event.shiftKey && lastBox) {
        const all = boxes();
        const [from, to] = [all.indexOf(lastBox), all.indexOf(target)].sort((a, b) => a - b);
        all.slice(Math.max(from, 0), to + 1).forEach((box) => { box.checked = target.checked; });
        count();
      }
      lastBox = target;
    }
    if (target.closest?.("[data-untick]")) { boxes().forEach((box) => { box.checked = false; }); count(); }
    const row = rowOf(target);
    if (!row || target.closest("a, button, input, label, .tick") || String(getSelection())) return;
    if (event.ctrlKey || event.metaKey) open(row.dataset.open, "_blank");
    else location.assign(row.dataset.open);
  });
  document.addEventListener("keydown", (event) => {
    const link = event.target.closest?.(".row-link");
    if (!link || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    const all = [...document.querySelectorAll(".row-link")];
    const next = all[all.indexOf(link) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { event.preventDefault(); next.focus(); }
  });

  document.addEventListener("stockloom:list-changed", () => {
    boxes().forEach((box) => { box.checked = false; });
    window.htmx.ajax("GET", location.href, { target: "#list", swap: "outerMorph" }).then(count);
  });
  document.addEventListener("stockloom:close-drawer", () => document.getElementById("drawer")?.close());

  // The columns: dragged, or moved with their arrow buttons.
  const arrange = () => {
    const list = document.querySelector("[data-sortable]");
    if (list && window.Sortable && !list.dataset.ready) {
      list.dataset.ready = "yes";
      window.Sortable.create(list, { handle: ".column-grip", animation: 120 });
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-move]");
    if (!button) return;
    const line = button.closest("li");
    const other = button.dataset.move === "1" ? line.nextElementSibling : line.previousElementSibling;
    if (!other) return;
    if (button.dataset.move === "1") other.after(line); else other.before(line);
    button.focus();
  });

  // The filter form: one value or two, and spans of days.
  const between = () => {
    const how = document.querySelector("[data-operator]");
    if (!how) return;
    const two = document.querySelector("[data-between]");
    if (two) two.hidden = how.value !== "between";
    const value = document.getElementById("filter-value");
    if (value) value.disabled = ["empty", "not_empty"].includes(how.value);
  };
  const iso = (day) => {
    const two = (figure) => String(figure).padStart(2, "0");
    return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  };
  const SPANS = {
    today: (day) => [day, day],
    week: (day) => {
      const from = new Date(day);
      from.setDate(day.getDate() - ((day.getDay() + 6) % 7));
      return [from, new Date(from.getFullYear(), from.getMonth(), from.getDate() + 6)];
    },
    month: (day) => [new Date(day.getFullYear(), day.getMonth(), 1), new Date(day.getFullYear(), day.getMonth() + 1, 0)],
    year: (day) => [new Date(day.getFullYear(), 0, 1), new Date(day.getFullYear(), 11, 31)],
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-span]");
    if (!button) return;
    const [year, month, date] = button.parentElement.dataset.today.split("-").map(Number);
    const [from, to] = SPANS[button.dataset.span](new Date(year, month - 1, date));
    const first = document.getElementById("filter-from");
    const last = document.getElementById("filter-to");
    const timed = first.type !== "date";
    first.value = iso(from) + (timed ? "T00:00" : "");
    last.value = iso(to) + (timed ? "T23:59" : "");
  });

  document.addEventListener("htmx:after:swap", () => { arrange(); between(); count(); });
  restore();
  count();
})();

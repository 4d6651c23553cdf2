// The panel on the right: tabs steered by arrows, folded or open as it was left.

export function bindSide(side, page) {
  side.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
    if (event.target.closest("[data-side-fold]")) fold(!side.parentElement.classList.contains("side-folded"), true);
  });
  side.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[role=tab]");
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!tab || !by) return;
    event.preventDefault();
    const tabs = all();
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });

  const all = () => [...side.querySelectorAll("[role=tab]")];

  function choose(tab) {
    for (const one of all()) {
      const on = one === tab;
      one.setAttribute("aria-selected", String(on));
      one.tabIndex = on ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = !on;
    }
    if (side.parentElement.classList.contains("side-folded")) fold(false, true);
  }

  function fold(on, keep) {
    side.parentElement.classList.toggle("side-folded", on);
    side.querySelector("[data-side-fold]")?.setAttribute("aria-expanded", String(!on));
    if (keep) page.remember("side", on ? "folded" : "open");
  }

  const left = page.recall("side");
  fold(left ? left === "folded" : page.model.id === null);
  return { choose, refold: () => fold(side.parentElement.classList.contains("side-folded"), false), all };
}

// Ctrl+K: one search box for documents, records and pages; arrows move, Enter opens.
(() => {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const input = palette.querySelector("input");
  const results = document.getElementById("palette-results");

  const open = () => {
    if (palette.open) return;
    palette.showModal();
    input.select();
    input.dispatchEvent(new CustomEvent("palette:open"));
  };
  const hits = () => [...results.querySelectorAll("a")];
  const chosen = () => results.querySelector("a.is-chosen");
  const choose = (hit) => {
    chosen()?.classList.remove("is-chosen");
    hit?.classList.add("is-chosen");
    hit?.scrollIntoView({ block: "nearest" });
    if (hit?.id) input.setAttribute("aria-activedescendant", hit.id);
  };
  const step = (by) => {
    const all = hits();
    if (!all.length) return;
    choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-palette-open]")) open();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); step(1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); step(-1); }
    else if (event.key === "Enter") {
      event.preventDefault();
      (chosen() || hits()[0])?.click();
    }
  });
  document.addEventListener("htmx:after:swap", () => {
    if (palette.open && !chosen()) choose(hits()[0]);
  });
})();

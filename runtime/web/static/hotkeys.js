// The app's function keys (F2, F3 …), "?" for the list of them, "/" for the list's search box.
(() => {
  const help = document.getElementById("help");
  const keys = new Map([...document.querySelectorAll("[data-hotkey]")].map((link) => [link.dataset.hotkey, link]));
  const typing = (element) => element.closest?.("input, textarea, select, [contenteditable=true]");

  const go = (link) => {
    const same = new URL(link.href).pathname === location.pathname;
    // On the page itself a page key asks for fresh figures, with the filters as they are.
    if (same && link.dataset.page) location.reload();
    else location.assign(link.href);
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const link = event.shiftKey ? null : keys.get(event.key);
    if (link) {
      // In a line grid F2 edits the cell; the grid takes it before it gets here.
      event.preventDefault();
      go(link);
      return;
    }
    if (typing(event.target)) return;
    if (event.key === "?") { event.preventDefault(); help?.showModal(); }
    if (event.key === "/") {
      const box = document.querySelector("[data-list-search]");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-help-open]")) help?.showModal();
  });
})();

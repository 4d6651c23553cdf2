// Runs before the first paint: the theme the person (or the system) wants, and the rail as it was left.
(() => {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const wanted = root.dataset.theme;
    const dark = wanted === "dark" || (wanted === "auto" && system.matches);
    root.setAttribute("data-bs-theme", dark ? "dark" : "light");
  };
  paint();
  system.addEventListener("change", paint);
  try {
    if (localStorage.getItem("stockloom.rail") === "folded") root.classList.add("rail-folded");
  } catch {
    // Storage may be switched off; the rail is then open.
  }
})();

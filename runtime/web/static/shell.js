// The frame: rail, drop-downs, drawer, toasts, badges, and buttons that cannot be pressed twice.
(() => {
  const root = document.documentElement;
  const words = JSON.parse(document.body.dataset.words || "{}");
  const TOAST_MS = 6000;

  const remember = (key, value) => {
    try { localStorage.setItem(`stockloom.${key}`, value); } catch { /* storage may be off */ }
  };
  const recall = (key) => {
    try { return localStorage.getItem(`stockloom.${key}`); } catch { return null; }
  };

  // Rail: folded or open, on a phone a drawer; groups stay as they were left.
  const foldRail = () => {
    if (window.matchMedia("(max-width: 767px)").matches) { root.classList.toggle("rail-shown"); return; }
    remember("rail", root.classList.toggle("rail-folded") ? "folded" : "open");
  };
  for (const group of document.querySelectorAll(".rail-group")) {
    const key = `group.${location.pathname.split("/")[3]}.${group.dataset.group}`;
    if (recall(key) === "closed" && !group.querySelector(".active")) group.open = false;
    group.addEventListener("toggle", () => remember(key, group.open ? "open" : "closed"));
  }
  document.querySelector(".rail .active")?.scrollIntoView({ block: "nearest" });
  for (const tab of document.querySelectorAll(".tabs [aria-current=true]")) {
    const bar = tab.closest(".tabs");
    bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
  }

  // Toasts.
  const say = (text, tone = "success") => {
    const place = document.getElementById("toasts");
    if (!place || !text) return;
    const line = document.createElement("div");
    line.className = `toast-line toast-${tone}`;
    line.textContent = text;
    place.append(line);
    fade(line);
  };
  const fade = (line) => setTimeout(() => line.remove(), TOAST_MS);
  document.querySelectorAll("#toasts .toast-line").forEach(fade);
  document.addEventListener("stockloom:counts", (event) => {
    const { latest, title, tasks, messages } = event.detail;
    // A message that arrived since the last look is said aloud once; it stays in the list of messages.
    const told = recall("told");
    if (latest && told !== null && latest > Number(told)) say(title, "info");
    if (latest || told === null) remember("told", String(latest || 0));
    for (const [name, count] of Object.entries({ tasks, messages })) {
      for (const badge of document.querySelectorAll(`[data-badge="${name}"]`)) {
        badge.hidden = count === 0;
        badge.textContent = count > 99 ? "99+" : String(count);
      }
    }
  });

  // Whoever comes back to the page sees at once what arrived meanwhile.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.getElementById("counts")?.dispatchEvent(new CustomEvent("stockloom:look"));
  });

  // A button that was pressed shows it and cannot be pressed again until the answer is there.
  const busy = (button, on) => {
    if (!button) return;
    button.classList.toggle("is-busy", on);
    button.setAttribute("aria-busy", String(on));
    button.disabled = on;
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog" || event.defaultPrevented) return;
    const button = event.submitter || form.querySelector("button:not([type=button])");
    if (form.dataset.sent === "yes") { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => busy(button, !form.hasAttribute("data-download")), 0);
    if (form.hasAttribute("data-download")) setTimeout(() => { delete form.dataset.sent; }, 1500);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll(".is-busy").forEach((button) => busy(button, false));
    document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
  });
  document.addEventListener("htmx:before:request", (event) => {
    const from = event.target;
    root.classList.add("is-loading");
    if (from instanceof HTMLButtonElement) busy(from, true);
    if (from instanceof HTMLFormElement) from.dataset.sent = "yes";
  });
  document.addEventListener("htmx:finally:request", (event) => {
    const from = event.target;
    root.classList.remove("is-loading");
    if (from instanceof HTMLButtonElement) busy(from, false);
    if (from instanceof HTMLFormElement) {
      delete from.dataset.sent;
      from.querySelectorAll(".is-busy").forEach((button) => busy(button, false));
    }
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.target?.id === "counts") return;
    say(words.offline, "danger");
  });

  // Drawer: opens when htmx filled it, empties when it closes.
  const drawer = document.getElementById("drawer");
  document.addEventListener("htmx:after:swap", () => {
    const body = document.getElementById("drawer-body");
    if (drawer && body?.childElementCount && !drawer.open) drawer.showModal();
    const notice = document.querySelector("#notice .notice");
    if (notice && !notice.dataset.seen) {
      notice.dataset.seen = "yes";
      if (drawer?.open) drawer.close();
      notice.scrollIntoView({ block: "nearest" });
      notice.focus();
    }
  });
  drawer?.addEventListener("close", () => document.getElementById("drawer-body").replaceChildren());

  // Buttons that ask first: the same button is pressed again once the answer is yes.
  const ask = document.getElementById("ask");
  let asking = null;
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-ask]");
    if (!button || !ask || button.dataset.asked === "yes") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    asking = button;
    document.getElementById("ask-text").textContent = button.dataset.ask;
    ask.returnValue = "";
    ask.showModal();
  }, true);
  ask?.addEventListener("close", () => {
    if (ask.returnValue !== "yes" || !asking) return;
    asking.dataset.asked = "yes";
    asking.click();
    delete asking.dataset.asked;
    asking = null;
  });

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    if (target.closest("[data-rail-toggle]")) foldRail();
    else if (root.classList.contains("rail-shown") && !target.closest(".rail")) root.classList.remove("rail-shown");
    if (target.closest("[data-dismiss]")) target.closest(".notice, .toast-line")?.remove();
    if (target.closest("[data-go-back]")) history.back();
    if (target.closest("[data-drawer-close]")) drawer?.close();
    if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();
    const opener = target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    if (target instanceof HTMLDialogElement) target.close();
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    root.classList.remove("rail-shown");
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });

  // Fields that send their form as soon as they change.
  document.addEventListener("change", (event) => {
    if (event.target.closest?.("[data-autosend]")) event.target.form?.requestSubmit();
  });

  window.stockloom = Object.freeze({ say, remember, recall, busy });
})();

// Tasks and approvals: ticking rows, deciding by keyboard, dialogs that look people up, and signatures by hand.
import { bindMoveFiles } from "./flow/files.js";
import { bindPeople } from "./flow/people.js";
import { bindSignature } from "./flow/signature.js";

const typing = (element) => element?.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");

// ---- the list: a bar appears when rows are ticked

const bar = document.querySelector("[data-batch]");
if (bar) {
  const boxes = [...document.querySelectorAll(".inbox-tick input")];
  const all = document.querySelector("[data-tick-all]");
  const tell = () => {
    const ticked = boxes.filter((box) => box.checked);
    bar.hidden = ticked.length === 0;
    bar.querySelector("[data-ticked]").textContent = String(ticked.length);
    for (const box of boxes) box.closest(".inbox-row").classList.toggle("is-ticked", box.checked);
    if (all) {
      all.checked = ticked.length === boxes.length;
      all.indeterminate = ticked.length > 0 && !all.checked;
    }
  };
  document.addEventListener("change", (event) => {
    if (event.target === all) boxes.forEach((box) => { box.checked = all.checked; });
    if (event.target === all || boxes.includes(event.target)) tell();
  });
  bar.querySelector("[data-untick]").addEventListener("click", () => { boxes.forEach((box) => { box.checked = false; }); tell(); });
  tell();
}

// ---- deciding: what is missing is said before anything is sent

const decide = document.querySelector("[data-decide]");
if (decide) {
  const remark = decide.querySelector("textarea");
  const say = decide.querySelector("[data-remark-say]");
  const missing = (text) => {
    say.textContent = text;
    say.hidden = false;
    remark.setAttribute("aria-invalid", "true");
    remark.focus();
  };
  remark.addEventListener("input", () => { say.hidden = true; remark.removeAttribute("aria-invalid"); });
  decide.addEventListener("submit", (event) => {
    const rejects = event.submitter?.value === "reject";
    const needed = rejects ? remark.dataset.reject : remark.dataset.needed;
    if (needed && !remark.value.trim()) { event.preventDefault(); event.stopImmediatePropagation(); missing(needed); }
  }, true);
  const press = (selector) => decide.querySelector(selector)?.click();
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); press(".decide-yes"); return; }
    if (event.ctrlKey || event.metaKey || typing(event.target)) return;
    const key = event.key.toLowerCase();
    if (key === "a") { event.preventDefault(); press(".decide-yes"); }
    if (key === "r") { event.preventDefault(); remark.value.trim() ? press(".decide-no") : missing(remark.dataset.reject); }
    if (key === "j") document.querySelector("[data-skip]")?.click();
  });
  document.getElementById("review-problems")?.focus();
  decide.dataset.ready = "yes";
}

// ---- dialogs in the drawer

const bind = (root) => {
  for (const field of root.querySelectorAll("[data-people]:not([data-bound])")) bindPeople(field);
  for (const field of root.querySelectorAll("[data-signature]:not([data-bound])")) bindSignature(field);
  for (const field of root.querySelectorAll("[data-move-files]:not([data-bound])")) bindMoveFiles(field);
  for (const form of root.querySelectorAll("[data-flow-form]:not([data-bound])")) bindForm(form);
};

function bindForm(form) {
  form.dataset.bound = "yes";
  const after = form.querySelector("[data-after-return]");
  if (after) {
    const settle = () => {
      const straight = "straight" in (form.querySelector("[name=node]:checked")?.dataset || {});
      after.hidden = !straight;
      if (!straight) after.querySelector("[value='']").checked = true;
    };
    form.addEventListener("change", settle);
    settle();
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = form.querySelector("[data-move-do]");
    if (button.disabled) return;
    window.stockloom?.busy(button, true);
    const place = form.querySelector("[data-form-problems]");
    place.hidden = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST", credentials: "same-origin", body: new FormData(form),
        headers: { Accept: "application/json", "HX-Request": "true", "X-CSRF-Token": document.body.dataset.csrf },
      });
      const next = answer.headers.get("HX-Redirect");
      if (answer.ok && next) {
        // Back on the very page it came from, an address that did not change would not be loaded again.
        if (new URL(next, location.href).href === location.href) location.reload(); else location.assign(next);
        return;
      }
      const data = await answer.json().catch(() => ({ problems: [] }));
      place.textContent = data.problems.map((one) => [one.text, one.hint].filter(Boolean).join(" ")).join("\n");
      place.hidden = false;
    } catch {
      window.stockloom?.say(JSON.parse(document.body.dataset.words).offline, "danger");
    }
    window.stockloom?.busy(button, false);
  }, true);
}

document.addEventListener("htmx:after:swap", () => bind(document));
document.addEventListener("stockloom:flow-fields", () => bind(document));
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-print]")) window.print();
  const move = event.target.closest?.("[data-move]");
  const off = move?.getAttribute("aria-disabled") === "true" ? move : null;
  if (move && !off) move.closest("details[data-menu]")?.removeAttribute("open");
  if (off) window.stockloom?.say(off.title, "info");
});
bind(document);

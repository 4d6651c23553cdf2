// Actions: asking for a reason or a confirmation where needed, sending once, and what follows.
import { Offline, send } from "./exchange.js";
import { askWanted, WANTED } from "./wanted.js";

const WITH_CONTENT = new Set(["save", "submit", "approve"]);
const FETCH = "fetch:";
const SAID = "stockloom.said";

export class Actions {
  constructor(page) {
    this.page = page;
    this.busy = false;
    this.last = null;
    this.dialog = document.getElementById("doc-ask");
    document.addEventListener("click", (event) => this.#click(event));
    this.#showSaid();
  }

  #click(event) {
    const button = event.target.closest?.("[data-action], [data-push]");
    if (!button) return;
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.closest("details[data-menu]")?.removeAttribute("open");
    if (button.dataset.push) { location.assign(button.dataset.push); return; }
    this.start(button);
  }

  primary() {
    const button = document.querySelector(".strip-primary");
    if (button && button.getAttribute("aria-disabled") !== "true") button.click();
  }

  save() {
    const button = document.querySelector("[data-action=save]");
    if (button) this.start(button);
  }

  async start(button) {
    const { action, label } = button.dataset;
    if (this.busy) return;
    const needs = "needsReason" in button.dataset;
    let reason = "";
    if (needs || "risky" in button.dataset) {
      const { words } = this.page;
      const answer = await this.#ask({
        title: label,
        text: words[`risky_${action}`] || "",
        reason: needs || action === "void" || action === "unapprove" ? this.page.fill(needs ? "reason" : "reason_optional", { action: label }) : "",
        needs,
        yes: label,
        danger: "risky" in button.dataset,
      });
      if (answer === null) return;
      reason = answer;
    }
    await this.#carryOut(button, { action, label, reason, confirmed: false });
  }

  async #carryOut(button, { action, label, reason, confirmed, beside = {} }) {
    const { page } = this;
    if (this.busy) return;
    this.busy = true;
    this.#working(button, true);
    try {
      page.commit();
      await page.previews.settled();
      if (action === "save" && page.model.id !== null && !page.model.touched) { page.say(page.words.saved); return; }
      const sent = page.model.payload();
      page.previews.cancel();
      const content = WITH_CONTENT.has(action) || action.startsWith(FETCH) ? sent.body : { id: sent.body.id, values: {}, lines: {} };
      const body = { ...content, action, reason, confirmed, version: page.model.version, ...beside };
      const answer = await send(`${page.urls.form}/save`, { ...body, idempotency_key: this.#key(body) });
      this.last = answer.ok ? null : this.last;
      if (answer.ok) { this.#done(answer.data, sent, action); return; }
      await this.#refused(button, answer, sent, { action, label, reason, confirmed, beside });
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      page.drafts.keepNow();
      page.say(page.words.offline, "danger");
    } finally {
      this.busy = false;
      this.#working(button, false);
    }
  }

  // The same request keeps its key, so that a repeated try after a lost answer is not done twice.
  #key(body) {
    const text = JSON.stringify(body);
    if (this.last?.text !== text) this.last = { text, key: this.#unique() };
    return this.last.key;
  }

  #unique() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");
  }

  #done(data, sent, action) {
    const { page } = this;
    page.drafts.forget();
    page.problems.clear();
    if (action === "save" && data.parts) {
      page.saved(data, sent);
      page.say([data.said, ...data.did].join(" · "));
      return;
    }
    page.model.touched = false;
    try {
      const said = { text: [data.said, ...data.did].join(" · "), undo: action === "submit", at: Date.now() };
      sessionStorage.setItem(SAID, JSON.stringify(said));
    } catch { /* storage may be off: then nothing is said */ }
    location.replace(data.address);
  }

  async #refused(button, answer, sent, attempt) {
    const { page } = this;
    const found = answer.data.problems || [];
    if (answer.data.stale) { page.drafts.keepNow(); page.stale(answer.data.latest); return; }
    if (answer.status === 401) { page.drafts.keepNow(); location.reload(); return; }
    if (found.length && found.every((one) => WANTED.has(one.code))) {
      this.busy = false;
      this.#working(button, false);
      const beside = await askWanted(page, attempt.action);
      if (beside) await this.#carryOut(button, { ...attempt, beside });
      return;
    }
    const warnings = found.length > 0 && found.every((one) => one.severity === "warning");
    if (!warnings) { page.problems.refuse(found, sent.rows); return; }
    page.problems.refuse(found, sent.rows);
    this.busy = false;
    const needs = !attempt.reason && found.some((one) => one.code === "rule.warned_reason");
    const yes = await this.#ask({
      title: page.words.confirm_title,
      text: "",
      reason: needs ? page.fill("reason", { action: attempt.label }) : "",
      needs,
      list: page.problems.kept.map((one) => [page.problems.label(one), one.text].filter(Boolean).join(" ")),
      yes: page.fill("confirm_do", { action: attempt.label }),
      no: page.words.confirm_back,
    });
    if (yes !== null) await this.#carryOut(button, { ...attempt, confirmed: true, reason: attempt.reason || yes });
  }

  #ask({ title, text, list = [], reason = "", needs = false, yes, no = this.page.words.cancel, danger = false }) {
    const { dialog } = this;
    const find = (name) => dialog.querySelector(`[data-ask-${name}]`);
    const area = dialog.querySelector("textarea");
    const say = document.getElementById("doc-reason-say");
    document.getElementById("doc-ask-title").textContent = title;
    find("text").textContent = text;
    find("text").hidden = !text;
    find("list").replaceChildren(...list.map((one) => { const line = document.createElement("li"); line.textContent = one; return line; }));
    find("reason").hidden = !reason;
    find("reason").querySelector("label").textContent = reason;
    find("do").textContent = yes;
    find("do").classList.toggle("btn-danger", danger);
    find("do").classList.toggle("btn-primary", !danger);
    find("back").textContent = no;
    area.value = "";
    say.hidden = true;
    return new Promise((resolve) => {
      let answer = null;
      const stop = new AbortController();
      const listen = (target, type, act) => target.addEventListener(type, act, { signal: stop.signal });
      const agree = () => {
        if (needs && !area.value.trim()) { say.hidden = false; area.setAttribute("aria-invalid", "true"); area.focus(); return; }
        answer = area.value.trim();
        dialog.close();
      };
      listen(find("do"), "click", agree);
      listen(dialog, "keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); event.stopPropagation(); agree(); } });
      dialog.querySelectorAll("[data-ask-cancel]").forEach((one) => listen(one, "click", () => dialog.close()));
      listen(dialog, "close", () => { stop.abort(); area.removeAttribute("aria-invalid"); resolve(answer); });
      dialog.showModal();
      (reason ? area : find("do")).focus();
    });
  }

  #working(button, on) {
    const all = document.querySelectorAll("[data-action]");
    all.forEach((one) => one.toggleAttribute("data-waiting", on));
    if (button.isConnected) window.stockloom?.busy(button, on);
  }

  // What the last page did, told on this one, with the way back where there is one.
  #showSaid() {
    let said = null;
    try {
      said = JSON.parse(sessionStorage.getItem(SAID) || "null");
      sessionStorage.removeItem(SAID);
    } catch { return; }
    if (!said || Date.now() - said.at > 60000) return;
    const withdraw = said.undo && document.querySelector("[data-action=withdraw]:not([aria-disabled=true])");
    this.page.say(said.text, "success", withdraw && { label: this.page.words.undo, act: () => this.start(withdraw) });
  }
}

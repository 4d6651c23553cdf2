// What was typed, kept on this device until it is saved: a lost connection or a closed tab costs nothing.

const PREFIX = "stockloom.draft.";
const KEPT_DAYS = 14;
const PAUSE_MS = 400;

export class Drafts {
  constructor(key, model) {
    this.key = PREFIX + key;
    this.model = model;
    this.timer = 0;
  }

  found() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) || "null");
      if (!kept) return null;
      if (Date.now() - kept.at > KEPT_DAYS * 86400000) { this.forget(); return null; }
      return kept;
    } catch {
      return null;
    }
  }

  keep() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepNow(), PAUSE_MS);
  }

  keepNow() {
    clearTimeout(this.timer);
    if (!this.model.touched) return;
    try {
      localStorage.setItem(this.key, JSON.stringify({ at: Date.now(), ...this.model.draft() }));
    } catch {
      // Storage may be full or off; leaving the page still asks.
    }
  }

  forget() {
    clearTimeout(this.timer);
    try { localStorage.removeItem(this.key); } catch { /* storage may be off */ }
  }

  rename(key) {
    this.forget();
    this.key = PREFIX + key;
  }
}

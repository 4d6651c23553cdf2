// Talking to the server: JSON there and back, one preview at a time, and a clear word when nobody answers.

const PATIENCE_MS = 30000;
const QUIET_MS = 180;

export class Offline extends Error {}

export async function send(address, body) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      signal: stop.signal,
      headers: {
        "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": document.body.dataset.csrf,
      },
      body: JSON.stringify(body),
    });
    const data = await answer.json().catch(() => null);
    return { ok: answer.ok, status: answer.status, data: data || { problems: [] } };
  } catch {
    throw new Offline();
  } finally {
    clearTimeout(timer);
  }
}

export async function ask(address) {
  const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Offline();
  return answer.json();
}

// Asks for a preview once typing pauses; never two at a time; the last state always gets its answer.
export class Previews {
  constructor(address, question, answered) {
    this.address = address;
    this.question = question;
    this.answered = answered;
    this.holds = new Set();
    this.timer = 0;
    this.running = null;
    this.wanted = false;
  }

  // Something (a look-up) must settle before the next question is worth asking.
  hold(promise) {
    const settled = Promise.resolve(promise).catch(() => {}).finally(() => this.holds.delete(settled));
    this.holds.add(settled);
  }

  schedule() {
    this.wanted = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#run(), QUIET_MS);
  }

  // When nothing is under way any more; changes made just now have been noticed then.
  async settled() {
    await Promise.resolve();
    await Promise.all([...this.holds]);
    clearTimeout(this.timer);
    if (this.running) await this.running;
  }

  cancel() {
    clearTimeout(this.timer);
    this.wanted = false;
  }

  async #run() {
    if (this.running) return;
    await Promise.all([...this.holds]);
    if (!this.wanted) return;
    this.wanted = false;
    const sent = this.question();
    this.running = send(this.address, sent.body)
      .then(({ ok, data }) => this.answered(data, sent, ok))
      .catch(() => {})
      .finally(() => { this.running = null; if (this.wanted) this.schedule(); });
    await this.running;
  }
}

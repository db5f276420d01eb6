// Saves a form. While the server may be out of reach it is sent in the background, so that the page
// and what was typed stay; then the page says so and tries again.

import { boxOf, contentOf, giveToken, same } from "./drafts.js";
import { inDoubt } from "./live.js";

const PATIENCE_MS = 30_000;
const WAITS_MS = [2000, 4000, 8000, 15_000];
const AWAY = [502, 503, 504];
const SMALL_BYTES = 50_000; // so much may outlive the page

/** Sends the form once: "saved", "away", "broken", "signed out" or "refused", and where to go. */
async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form));
  if (submitter?.name) body.append(submitter.name, submitter.value);
  const address = submitter?.hasAttribute("formaction") ? submitter.formAction : form.action;
  try {
    const answer = await fetch(address, {
      method: "POST",
      body,
      headers: { "X-Saved-In-Background": "1" },
      keepalive: String(body).length < SMALL_BYTES,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const place = answer.headers.get("Location");
    if (answer.status === 204 && place) return { outcome: "saved", place };
    if (answer.status === 401 && place) return { outcome: "signed out", place };
    if (answer.redirected) return { outcome: "signed out", place: answer.url };
    if (AWAY.includes(answer.status)) return { outcome: "away" };
    return { outcome: answer.status >= 500 ? "broken" : "refused" };
  } catch {
    return { outcome: "away" };
  }
}

class Notice {
  constructor(form, again) {
    this.form = form;
    this.again = again;
    this.box = null;
  }

  say(what) {
    if (!this.box) {
      this.box = boxOf("not-saved");
      this.box.querySelector("[data-again]").addEventListener("click", this.again);
      this.form.before(this.box);
      this.box.scrollIntoView({ block: "nearest" });
    }
    for (const words of this.box.querySelectorAll("[data-says]"))
      words.hidden = words.dataset.says !== what;
  }
}

/** Sends a form. `onSend` hears that the browser sends it and shows the answer, `onSaved` what was
 *  saved in the background, `onLeave` that the page leaves. */
export class Saving {
  constructor(form, { onSend, onSaved, onLeave }) {
    Object.assign(this, { form, onSend, onSaved, onLeave, timer: 0, tries: 0, sending: false });
    this.submitter = null;
    this.sent = null;
    this.refused = false;
    this.notice = new Notice(form, () => this.go());
    form.addEventListener("submit", (event) => this.submitted(event));
    form.addEventListener("input", () => this.changed());
    window.addEventListener("online", () => this.timer && this.go());
  }

  submitted(event) {
    const isWaiting = this.sending || this.timer;
    if (this.refused || !(isWaiting || inDoubt())) {
      this.onSend(this.token());
      this.onLeave();
      return;
    }
    event.preventDefault();
    this.submitter = event.submitter;
    this.tries = 0;
    this.go();
  }

  token() {
    const content = contentOf(this.form);
    const token = giveToken(this.form, Boolean(this.sent) && same(this.sent, content));
    this.sent = content;
    return token;
  }

  /** Half a sentence is not sent by itself. */
  changed() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.notice.say("changed");
  }

  async go() {
    if (this.sending) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.sending = true;
    this.form.dataset.sent = "true";
    this.token();
    const { sent } = this;
    const { outcome, place } = await send(this.form, this.submitter);
    this.sending = false;
    if (place) {
      if (outcome === "saved") this.onSaved(sent);
      this.onLeave();
      location.assign(place);
      return;
    }
    delete this.form.dataset.sent;
    if (outcome === "refused") {
      this.refused = true; // the server's answer is a page, which only the browser can show
      this.form.requestSubmit(this.submitter);
      this.refused = false;
    } else if (outcome === "away") {
      this.wait();
    } else {
      this.notice.say("broken");
    }
  }

  wait() {
    this.notice.say("waiting");
    const wait = WAITS_MS[Math.min(this.tries, WAITS_MS.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.go(), wait);
  }
}

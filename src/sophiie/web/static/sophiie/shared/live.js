// Live pages: the server says which appointment or link changed, and the parts of the page that
// show it load themselves again.

const HIDDEN_GRACE_MS = 5000;
const NOTICE_AFTER_MS = 5000;
const MIN_ASK_MS = 15000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];

// The server says this often that it is there; so long without a word is a doubt.
const SILENCE_MS = 45_000;

// Whether the server was heard of last, and when: `inDoubt` is for whoever wants to send something.
const heard = { at: 0, isLost: false };

function hear() {
  heard.at = performance.now();
  heard.isLost = false;
}

/** Whether the server may be out of reach: no network, a connection lost, or a long silence. */
export function inDoubt() {
  const isSilent = heard.at > 0 && performance.now() - heard.at > SILENCE_MS;
  return navigator.onLine === false || heard.isLost || isSilent;
}

function refresh(elements) {
  if (document.querySelector("form[data-sent]")) return; // the next page is already on its way
  for (const element of elements) {
    element.dispatchEvent(new CustomEvent("live", { bubbles: false }));
  }
}

const partsOf = (name) => document.querySelectorAll(`[data-live="${CSS.escape(name)}"]`);

/** After a gap anything may have changed. */
function refreshAll() {
  refresh(document.querySelectorAll("[data-live]"));
  document.dispatchEvent(new CustomEvent("sophiie:gap"));
}

function passOn({ data }) {
  hear();
  let change;
  try {
    change = JSON.parse(data);
  } catch {
    return;
  }
  if (change.gap) {
    refreshAll();
    return;
  }
  if (change.appointment !== undefined) refresh(partsOf(`appointment:${change.appointment}`));
  if (change.appointment !== undefined || change.busy !== undefined)
    refresh(partsOf("appointments"));
  if (change.link !== undefined) refresh(partsOf("link"));
  document.dispatchEvent(new CustomEvent("sophiie:change", { detail: change }));
}

/** When the server was asked for this page, in milliseconds by this page's clock. */
function askedAt() {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation?.fetchStart ?? 0;
}

/** "Offline – reconnecting", once it has lasted for a while. */
class Notice {
  #timer = 0;
  #shown = null;

  showSoon() {
    if (!this.#timer) this.#timer = setTimeout(() => this.#show(), NOTICE_AFTER_MS);
  }

  #show() {
    const template = document.getElementById("offline-notice");
    this.#shown = template.content.firstElementChild.cloneNode(true);
    document.body.append(this.#shown);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#shown?.remove();
    this.#shown = null;
  }
}

class Connection {
  #url;
  #source = null;
  #tries = 0;
  #hasMissed = false;
  #currentAt = askedAt(); // what the page shows is at least as new
  #retryTimer = 0;
  #notice = new Notice();

  constructor(url) {
    this.#url = url;
  }

  get isClosed() {
    return this.#source === null;
  }

  open() {
    this.close();
    this.#source = new EventSource(this.#url);
    this.#source.addEventListener("open", () => this.#opened());
    this.#source.addEventListener("quiet", (event) => this.#wasQuiet(Number(event.data)));
    this.#source.addEventListener("message", passOn);
    this.#source.addEventListener("beat", hear);
    this.#source.addEventListener("error", () => this.#failed());
  }

  /** Closes the connection; changes until it is opened again count as missed. */
  pause() {
    this.#hasMissed = true;
    this.close();
  }

  reopen() {
    this.#hasMissed = true;
    this.open();
  }

  close() {
    heard.at = 0;
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    this.#source = null;
  }

  #opened() {
    this.#tries = 0;
    hear();
    this.#notice.hide();
    if (this.#hasMissed) this.#catchUp();
    this.#hasMissed = false;
  }

  /** Nothing has changed for so many milliseconds: longer than since this page was made? */
  #wasQuiet(milliseconds) {
    if (milliseconds <= performance.now() - this.#currentAt) this.#catchUp();
  }

  #catchUp() {
    this.#currentAt = performance.now();
    refreshAll();
  }

  #failed() {
    this.#hasMissed = true;
    heard.isLost = true;
    this.#notice.showSoon();
    if (this.#source?.readyState === EventSource.CLOSED) this.#askWhy(this.#source);
  }

  /** The server refused the stream. An EventSource does not say why, so the server is asked. */
  async #askWhy(refused) {
    const answer = await fetch(this.#url, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (this.#source !== refused) return; // hidden, or tried again, meanwhile
    if (answer?.status === 401) {
      this.#notice.hide();
      this.close();
      refreshAll(); // each part says that the person is signed out
      return;
    }
    const isFull = answer?.status === 503;
    const pause = isFull ? Number(answer.headers.get("Retry-After")) * 1000 : 0;
    if (pause) {
      // The server has no room for more pages: this one asks now and then until it has.
      this.#notice.hide();
      refreshAll();
    }
    this.#retryIn(pause ? Math.max(pause, MIN_ASK_MS) : this.#nextWait());
  }

  #nextWait() {
    const wait = RETRY_MS[Math.min(this.#tries, RETRY_MS.length - 1)];
    this.#tries += 1;
    return wait;
  }

  #retryIn(wait) {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }
}

/** A page that nobody looks at closes its connection; browsers allow only six to a server. */
function closeWhileHidden(connection) {
  let timer = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => connection.pause(), HIDDEN_GRACE_MS);
    else if (connection.isClosed) connection.open();
  });
  window.addEventListener("pagehide", () => connection.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) connection.reopen();
  });
}

// Not earlier: htmx must know the parts before the first of them is told to ask.
document.addEventListener("DOMContentLoaded", () => {
  const { liveUrl } = document.body.dataset;
  if (!liveUrl || !("EventSource" in window)) return;
  const connection = new Connection(liveUrl);
  closeWhileHidden(connection);
  connection.open();
});

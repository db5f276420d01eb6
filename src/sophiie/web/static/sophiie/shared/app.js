// What the pages do beyond plain HTML. Everything here is an extra: without it each page still works.
"use strict";

// Dialogs: <button data-dialog-open="id">, and inside the dialog anything with data-dialog-close.
// Without JavaScript the button's own form reloads the page with the dialog open.

function openAsModal(dialog) {
  dialog.removeAttribute("open");
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    event.preventDefault();
    openAsModal(document.getElementById(opener.dataset.dialogOpen));
    return;
  }
  const closer = event.target.closest("[data-dialog-close]");
  if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
    return;
  }
  if (event.target instanceof HTMLDialogElement && event.target.open) {
    closeOnBackdrop(event.target, event);
  }
});

function closeOnBackdrop(dialog, event) {
  const box = dialog.getBoundingClientRect();
  const inside =
    event.clientX >= box.left &&
    event.clientX <= box.right &&
    event.clientY >= box.top &&
    event.clientY <= box.bottom;
  if (!inside) dialog.close();
}

// The person's menu closes on Escape and on a click elsewhere.

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) =>
  closeMenus(event.target.closest("details[data-menu]")),
);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details[data-menu][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Where there is no room for all tabs, the one that is open is in sight. Arrow keys walk along them.

document
  .querySelector("[data-tabs] [aria-selected=true]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[data-tabs] [role=tab]");
  if (!tab) return;
  const tabs = [...tab.closest("[data-tabs]").querySelectorAll("[role=tab]")];
  const here = tabs.indexOf(tab);
  const goal = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: tabs.length - 1 }[
    event.key
  ];
  if (goal === undefined) return;
  event.preventDefault();
  tabs[(goal + tabs.length) % tabs.length].focus();
});

// A link in an error summary leads into the field; of a group of boxes, to the first.

document.addEventListener("click", (event) => {
  const link = event.target.closest(".alert a[href^='#']");
  const goal = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!goal) return;
  event.preventDefault();
  const control = goal.matches("fieldset") ? goal.querySelector("input") : goal;
  control.focus();
  goal.scrollIntoView({ block: "center" });
});

// The calendar that is chosen always counts as busy, so its box follows the choice.

function tickChosenCalendar(form) {
  form.addEventListener("change", (event) => {
    if (event.target.name !== "calendar_id") return;
    const box = event.target.closest("tr").querySelector("[name=check_for_conflicts]");
    if (box) box.checked = true;
  });
}

// The pre-flight of another calendar: until the answer is there, and if none comes, the old one must not be taken for it.

function showInPreflight(event, templateId) {
  const { target } = event.detail;
  if (target && target.id === "preflight") {
    target.replaceChildren(document.getElementById(templateId).content.cloneNode(true));
  }
}

document.addEventListener("htmx:beforeRequest", (event) =>
  showInPreflight(event, "preflight-waiting"),
);
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => showInPreflight(event, "preflight-unknown"));
}

// A form is sent once, however often its button is pressed; after a while, or back on the page, it may go again.

const SENT_GRACE_MS = 5000;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  setTimeout(() => {
    delete form.dataset.sent;
  }, SENT_GRACE_MS);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Small helps in forms: a text to copy, the zone of this device.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.querySelector("span").textContent = button.dataset.copied;
});

function guessZone(select) {
  if (select.value) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // UTC is what a device says that was never told where it is.
  if (zone !== "UTC" && [...select.options].some((option) => option.value === zone))
    select.value = zone;
}

// Live pages: the server says which appointment or link changed, and the parts that show it ask for themselves again.

const HIDDEN_GRACE_MS = 5000;
const NOTICE_AFTER_MS = 5000;
const LEAST_ASK_MS = 15000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];

function refresh(elements) {
  if (document.querySelector("form[data-sent]")) return; // the next page is already on its way
  for (const element of elements) {
    element.dispatchEvent(new CustomEvent("live", { bubbles: false }));
  }
}

function live(url) {
  let stream = null;
  let tries = 0;
  let missed = false;
  let retryTimer = 0;
  let noticeTimer = 0;
  let hiddenTimer = 0;
  let notice = null;

  function onMessage(event) {
    let change;
    try {
      change = JSON.parse(event.data);
    } catch {
      return;
    }
    if (change.gap) {
      catchUp();
      return;
    }
    if (change.appointment !== undefined) {
      refresh(
        document.querySelectorAll(
          `[data-live="appointment:${CSS.escape(String(change.appointment))}"]`,
        ),
      );
    }
    if (change.link !== undefined) refresh(document.querySelectorAll('[data-live="link"]'));
    document.dispatchEvent(new CustomEvent("sophiie:change", { detail: change }));
  }

  function onOpen() {
    tries = 0;
    hideNotice();
    // What happened while nobody listened: after a gap anything may have, at first only what was still under way.
    if (missed) catchUp();
    else
      refresh(
        [...document.querySelectorAll("[data-live]")].filter((element) =>
          element.querySelector("[data-unsettled]"),
        ),
      );
    missed = false;
  }

  function catchUp() {
    refresh(document.querySelectorAll("[data-live]"));
    document.dispatchEvent(new CustomEvent("sophiie:gap"));
  }

  function onError() {
    missed = true;
    if (!noticeTimer) noticeTimer = setTimeout(showNotice, NOTICE_AFTER_MS);
    if (stream && stream.readyState === EventSource.CLOSED) askWhy(stream);
  }

  // The server refused the stream. An EventSource does not say why, so it is asked.
  async function askWhy(refused) {
    const answer = await fetch(url, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (stream !== refused) return; // hidden, or tried again, meanwhile
    if (answer && answer.status === 401) {
      hideNotice();
      disconnect();
      catchUp(); // each part says that one is signed out
      return;
    }
    const pause =
      answer && answer.status === 503 && Number(answer.headers.get("Retry-After")) * 1000;
    if (pause) {
      // as many pages listen as the server can tell: this one asks now and then, until there is room
      hideNotice();
      catchUp();
    }
    const wait = pause
      ? Math.max(pause, LEAST_ASK_MS)
      : RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)];
    clearTimeout(retryTimer);
    retryTimer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
  }

  function hideNotice() {
    clearTimeout(noticeTimer);
    noticeTimer = 0;
    if (notice) notice.remove();
    notice = null;
  }

  function showNotice() {
    notice = document.getElementById("offline-notice").content.firstElementChild.cloneNode(true);
    document.body.append(notice);
  }

  function connect() {
    disconnect();
    stream = new EventSource(url);
    stream.addEventListener("open", onOpen);
    stream.addEventListener("message", onMessage);
    stream.addEventListener("error", onError);
  }

  function disconnect() {
    clearTimeout(retryTimer);
    if (stream) stream.close();
    stream = null;
  }

  // A page that nobody looks at gives its connection back; browsers allow only six to a server.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) {
      hiddenTimer = setTimeout(() => {
        missed = true;
        disconnect();
      }, HIDDEN_GRACE_MS);
    } else if (!stream) {
      connect();
    }
  });
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      missed = true;
      connect();
    }
  });
  connect();
}

// An answer without the part that asked means that the page is out of date: signed out, or unlinked elsewhere.
// Then the whole page is asked for, unless somebody may be typing in it.

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, xhr } = event.detail;
  if (
    !target.dataset.live ||
    !event.detail.shouldSwap ||
    xhr.responseText.includes(`id="${target.id}"`)
  )
    return;
  event.detail.shouldSwap = false;
  if (!document.querySelector("[data-appointment-form]")) location.reload();
});

// An appointment that somebody deleted leaves the list.

document.addEventListener("htmx:responseError", (event) => {
  const row = event.detail.target.closest(".row");
  if (row && event.detail.xhr.status === 404) row.remove();
});

// A browser may keep its place on a page that it was sent back to; a message must not hide above it.

function showMessages() {
  if (!document.querySelector("[data-messages]")) return;
  history.scrollRestoration = "manual";
  window.scrollTo(0, 0);
}

document.addEventListener("DOMContentLoaded", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) openAsModal(dialog);
  for (const form of document.querySelectorAll("[data-choose-calendar]")) tickChosenCalendar(form);
  for (const select of document.querySelectorAll("[data-guess-zone]")) guessZone(select);
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  }
  showMessages();
  const notice = document.querySelector("[data-focus]");
  if (notice) notice.focus();
  if (document.body.dataset.liveUrl && "EventSource" in window) live(document.body.dataset.liveUrl);
});

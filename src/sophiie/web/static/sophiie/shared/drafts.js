// Drafts: what somebody typed into a form and did not save, kept in this browser for a day. Each
// member has their own; signing out throws away all of them.

const PREFIX = "sophiie-draft/";
const SIGNED_OUT = "sophiie-signed-out";
const KEPT_MS = 86_400_000;
const SENT = "sophiie-sent";
const RECEIPT = /(?:^|; )sophiie_saved=(\d+)/;
const NOT_TYPED = new Set(["csrfmiddlewaretoken", "typed_by", "back", "draft"]);

let signedOut = false;

/** The name of the form's draft: whose it is, where the form leads, and which of several it is. */
export function nameOf(form) {
  const forms = [...document.querySelectorAll("form")].filter(
    (other) => other.action === form.action,
  );
  const [member] = form.elements.typed_by.value.split(":");
  const path = new URL(form.getAttribute("action") ?? "", location.href).pathname;
  return `${PREFIX}${member}${path}#${form.id || forms.indexOf(form)}`;
}

/** A copy of one of the boxes in shared/unsaved.html. */
export function boxOf(id) {
  const box = document.getElementById(id).content.firstElementChild.cloneNode(true);
  box.setAttribute("role", box.dataset.role);
  return box;
}

/** What is in the form, as pairs of name and text; passwords are kept nowhere. */
export function contentOf(form) {
  return [...new FormData(form)].filter(
    ([name, value]) =>
      !NOT_TYPED.has(name) && typeof value === "string" && form.elements[name].type !== "password",
  );
}

export const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function forget(mustGo) {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith(PREFIX) && mustGo(name)) localStorage.removeItem(name);
  }
}

/** Storage may be full or forbidden; then there is no draft, and everything else works. */
function attempt(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

function stored(name) {
  const draft = JSON.parse(localStorage.getItem(name));
  return draft && Date.now() - draft.at < KEPT_MS ? draft.content : null;
}

export const read = (name) => attempt(() => stored(name));

export function write(name, content) {
  if (signedOut) return;
  attempt(() => localStorage.setItem(name, JSON.stringify({ at: Date.now(), content })));
}

export const clear = (name) => attempt(() => localStorage.removeItem(name));

/** Whether this could be in the form: a service that was deleted since cannot be chosen any more. */
function fits(form, [name, value]) {
  return [...form.elements].some((control) => {
    if (control.name !== name) return false;
    if (control.options) return [...control.options].some((option) => option.value === value);
    return !["checkbox", "radio"].includes(control.type) || control.value === value;
  });
}

/** Whether the form shows everything of the draft that it can: because the server refused it, for
 *  example. */
export function shows(form, content) {
  const now = contentOf(form);
  return content
    .filter(([name, value]) => value && name !== "revision" && fits(form, [name, value]))
    .every((pair) => now.some((other) => same(pair, other)));
}

/** Gives what is sent a token: the same content has the same one, however often it is sent, so
 *  that the server saves it once. */
export function giveToken(form, isSameContent) {
  const field = form.elements.draft ?? document.createElement("input");
  const token = isSameContent && field.value ? field.value : String(Date.now());
  Object.assign(field, { type: "hidden", name: "draft", value: token });
  form.append(field);
  return token;
}

/** Notes which draft the browser is about to send. The server's receipt for it will be a cookie. */
export function noteSent(token, name) {
  attempt(() => sessionStorage.setItem(SENT, JSON.stringify({ token, name })));
}

/** The server says that it has saved what was sent: the draft goes. */
function takeReceipt() {
  const sent = JSON.parse(sessionStorage.getItem(SENT));
  const [, token] = RECEIPT.exec(document.cookie) ?? [];
  if (!sent || sent.token !== token) return;
  localStorage.removeItem(sent.name);
  sessionStorage.removeItem(SENT);
}

/** Types a draft into the form, one field after the other, as a person would. */
export function restore(form, content) {
  const left = [...content];
  for (const control of form.elements) {
    if (!control.name || NOT_TYPED.has(control.name) || control.type === "submit") continue;
    if (["checkbox", "radio"].includes(control.type)) {
      const isChosen = content.some((pair) => same(pair, [control.name, control.value]));
      if (control.checked === isChosen) continue;
      control.checked = isChosen;
    } else {
      const place = left.findIndex(([name]) => name === control.name);
      if (place < 0) continue;
      const [[, value]] = left.splice(place, 1);
      if (control.value === value) continue;
      control.value = value;
    }
    for (const kind of ["input", "change"])
      control.dispatchEvent(new Event(kind, { bubbles: true }));
  }
}

/** On every page: old drafts go, and those of whoever was signed in here before. */
function tidy() {
  const { signedIn: member } = document.body.dataset;
  const isOld = (name) => stored(name) === null;
  forget((name) => isOld(name) || (member && !name.startsWith(`${PREFIX}${member}/`)));
}

document.addEventListener("submit", ({ target }) => {
  if (!target.matches("[data-signs-out]")) return;
  signedOut = true;
  attempt(() => forget(() => true));
  attempt(() => localStorage.setItem(SIGNED_OUT, String(Date.now()))); // tells the other tabs
});
window.addEventListener("storage", ({ key }) => {
  if (key === SIGNED_OUT) signedOut = true;
});
attempt(takeReceipt);
attempt(tidy);

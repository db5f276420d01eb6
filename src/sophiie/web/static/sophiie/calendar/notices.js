// What the page says: done (with Undo), refused (with what is in the way), out of date, signed out.

import { cloneOf, make, part, say, setup } from "./setup.js";

const TOAST_MS = 10_000;

/** Good news that goes away by itself, but not while the pointer or the focus is on it. `way`: text
 *  and address of something more that one may do now. */
export function toast(text, undo, way) {
  const box = cloneOf("cal-toast");
  box.querySelector("p").textContent = text;
  const button = box.querySelector("[data-undo]");
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    box.remove();
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(close, TOAST_MS);
  };
  if (undo)
    button.addEventListener("click", () => {
      close();
      undo();
    });
  else button.remove();
  if (way) box.querySelector("p").after(control(...way));
  box.querySelector("[data-close]").addEventListener("click", close);
  for (const name of ["pointerenter", "focusin"])
    box.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) box.addEventListener(name, wait);
  part("cal-toasts").replaceChildren(box);
  part("cal-refusals").replaceChildren();
  wait();
}

/** A button that acts, or a link that looks like one. */
export function control(text, act) {
  const isAddress = typeof act === "string";
  const made = make(isAddress ? "a" : "button", "button button-small", text);
  if (isAddress) {
    made.href = act;
  } else {
    made.type = "button";
    made.addEventListener("click", act);
  }
  return made;
}

/** Why something was not done, and what to do now: `ways` are [text, act or address]. */
export function refuse(title, lines, ways = []) {
  const box = cloneOf("cal-refusal");
  const close = () => box.remove();
  box.querySelector(".alert-title").textContent = title;
  if (lines.length) {
    const list = box.querySelector("ul");
    list.hidden = false;
    list.append(...lines.map((line) => make("li", "", line)));
  }
  box.querySelector(".actions").append(
    ...ways.map(([text, way]) => {
      const act = () => {
        close();
        way();
      };
      return control(text, typeof way === "string" ? way : act);
    }),
  );
  box.querySelector("[data-close]").addEventListener("click", close);
  part("cal-refusals").replaceChildren(box);
  part("cal-toasts").replaceChildren();
}

export function clear() {
  part("cal-refusals").replaceChildren();
}

/** Says that the calendar could not be loaded; an empty text takes the message away. */
export function problem(text, action) {
  const box = part("cal-problem");
  if (!text) {
    box.replaceChildren();
    return;
  }
  box.replaceChildren(make("p", "", text), control(...action));
}

export function signedOut() {
  const back = encodeURIComponent(location.pathname + location.search);
  problem(say("signed_out"), [say("sign_in"), `${setup.urls.signIn}?next=${back}`]);
}

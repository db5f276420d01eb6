// Nothing typed is lost: forms keep a draft, are sent in the background, and ask before one leaves.
// They are those whose text also survives the end of a session (shared/form_owner.html).

import {
  boxOf,
  clear,
  contentOf,
  nameOf,
  noteSent,
  read,
  restore,
  same,
  shows,
  write,
} from "./drafts.js";
import { Saving } from "./saving.js";

const KEEP_AFTER_MS = 300;

const changedForms = new Set();

class Draft {
  constructor(form) {
    this.form = form;
    this.name = nameOf(form);
    this.first = contentOf(form);
    this.timer = 0;
    const before = read(this.name);
    const isShown = Boolean(before) && shows(form, before); // what was sent, and refused
    // It also shows what was typed in the calendar, or sent by somebody signed out.
    this.isUnsaved =
      isShown || "unsaved" in form.dataset || new URLSearchParams(location.search).has("not-saved");
    if (before && !isShown) this.offer(before);
    if (this.isUnsaved) this.soon();
    new Saving(form, {
      onSaved: (sent) => this.saved(sent),
      onSend: (token) => noteSent(token, this.name),
      onLeave: () => changedForms.delete(form),
    });
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.soon());
    document.addEventListener("visibilitychange", () => this.timer && this.keep());
    window.addEventListener("pagehide", () => this.timer && this.keep());
  }

  /** Offers what was typed here before. */
  offer(content) {
    const box = boxOf("draft-offer");
    box.querySelector("[data-restore]").addEventListener("click", () => {
      box.remove();
      delete this.form.closest("[data-folded]")?.dataset.folded;
      restore(this.form, content);
      this.form.querySelector("input:not([type=hidden])").focus();
    });
    box.querySelector("[data-discard]").addEventListener("click", () => {
      box.remove();
      clear(this.name);
    });
    (this.form.closest("[data-folded]") ?? this.form).before(box);
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), KEEP_AFTER_MS);
    changedForms.add(this.form);
  }

  keep() {
    clearTimeout(this.timer);
    this.timer = 0;
    const content = contentOf(this.form);
    if (!this.isUnsaved && same(content, this.first)) {
      changedForms.delete(this.form);
      clear(this.name);
    } else {
      write(this.name, content);
    }
  }

  saved(sent) {
    clearTimeout(this.timer);
    this.timer = 0;
    const content = contentOf(this.form);
    if (same(content, sent)) clear(this.name);
    else write(this.name, content); // typed while it was being saved
  }
}

// Not earlier: scripts of the page may still fill in what they propose.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("form[method=post] [name=typed_by]"))
    new Draft(field.form);
});

let leavesDraft = false;
document.addEventListener("click", ({ target }) => {
  leavesDraft = Boolean(target.closest?.("[data-leaves-draft]"));
});
window.addEventListener("beforeunload", (event) => {
  if (changedForms.size && !leavesDraft) event.preventDefault();
});

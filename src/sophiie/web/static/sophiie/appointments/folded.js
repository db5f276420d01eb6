// Unfolds what the style sheet folds: the form on a phone, the time zone. Once somebody has been
// there it stays open.

function unfold(part) {
  delete part.dataset.folded;
}

function unfoldEdit() {
  const edit = location.hash === "#edit" && document.getElementById("edit");
  if (edit) unfold(edit);
}

// A screen reader's cursor and a search in the page scroll to what they found: it has to be in sight
// before somebody taps it.
for (const part of document.querySelectorAll("[data-folded]")) {
  for (const kind of ["focusin", "change", "invalid", "scroll"])
    part.addEventListener(kind, () => unfold(part), true);
}

for (const button of document.querySelectorAll("[data-unfold]")) {
  const note = button.parentElement;
  const part = document.getElementById(button.dataset.unfold);
  note.hidden = false;
  const hideNote = () => {
    note.hidden = true;
  };
  part.addEventListener("focusin", hideNote);
  part.addEventListener("change", hideNote);
  button.addEventListener("click", () => {
    unfold(part);
    part.querySelector("select, input").focus();
  });
}

window.addEventListener("hashchange", unfoldEdit);
unfoldEdit();

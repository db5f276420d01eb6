// Unfolds what the style sheet folds: the form on a phone, the time zone. Once somebody has been
// there it stays open.

function unfold(part) {
  delete part.dataset.folded;
}

function unfoldEdit() {
  const edit = location.hash === "#edit" && document.getElementById("edit");
  if (edit) unfold(edit);
}

for (const part of document.querySelectorAll("[data-folded]")) {
  for (const kind of ["focusin", "change", "invalid"])
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

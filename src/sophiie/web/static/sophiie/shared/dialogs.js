// Dialogs: <button data-dialog-open="id">, and inside the dialog anything with data-dialog-close.
// Without JavaScript the button's own form reloads the page with the dialog open.

function openAsModal(dialog) {
  dialog.removeAttribute("open");
  dialog.showModal();
}

// Text that is selected by dragging may end outside; that closes nothing.
let pressedOn = null;
document.addEventListener("pointerdown", ({ target }) => {
  pressedOn = target;
});

function closeOnBackdrop(dialog, event) {
  if (pressedOn !== dialog) return;
  const box = dialog.getBoundingClientRect();
  const isInside =
    event.clientX >= box.left &&
    event.clientX <= box.right &&
    event.clientY >= box.top &&
    event.clientY <= box.bottom;
  if (!isInside) dialog.close();
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

for (const dialog of document.querySelectorAll("dialog[open]")) openAsModal(dialog);

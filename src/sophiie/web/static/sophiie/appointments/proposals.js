// People that a form proposes for a time.

/** Chooses a person, in the place of some (their ids, with commas) or of everybody. */
export function choosePerson(form, { member, insteadOf }) {
  if (!member) return;
  const leaving = insteadOf?.split(",");
  for (const box of form.querySelectorAll("[name=assignees]")) {
    if (box.value === member) box.checked = true;
    else if (!leaving || leaving.includes(box.value)) box.checked = false;
  }
}

// While somebody says how an appointment repeats, the server says what that means.

const CHECK_AFTER_MS = 350;
const CHECKED = ["date", "start", "end", "end_date", "timezone", "assignees", "fold"];

function sayWhileTyping(form, part) {
  const said = part.querySelector("#repeat-said");
  const counts = ({ name }) =>
    part.contains(form.elements[name]?.[0] ?? form.elements[name]) || CHECKED.includes(name);
  let timer = 0;
  for (const kind of ["change", "input"]) {
    form.addEventListener(kind, ({ target }) => {
      if (!form.elements.repeat.value && target.name !== "repeat") return;
      if (!target.name || !counts(target)) return;
      clearTimeout(timer);
      timer = setTimeout(() => said.dispatchEvent(new CustomEvent("check")), CHECK_AFTER_MS);
    });
  }
}

for (const part of document.querySelectorAll("[data-repeat]")) {
  const form = part.closest("form");
  if (form) sayWhileTyping(form, part);
}

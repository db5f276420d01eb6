// Many people: a search field that keeps those whose name matches and those already chosen.

function findPeople(finder) {
  finder.hidden = false;
  const field = finder.querySelector("input");
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    for (const chip of finder.parentElement.querySelectorAll(".chip")) {
      const isChosen = chip.querySelector("input").checked;
      chip.hidden = !isChosen && !chip.textContent.toLowerCase().includes(wanted);
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}

for (const finder of document.querySelectorAll("[data-appointment-form] [data-finder]")) {
  findPeople(finder);
}

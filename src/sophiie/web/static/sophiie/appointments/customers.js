// Suggests customers; choosing one fills in phone and email, and says that they are meant.

const SUGGEST_AFTER_MS = 250;
const MIN_LETTERS = 2;

class Suggestions {
  constructor(form) {
    this.list = document.getElementById("customers");
    this.name = form.elements.customer_name;
    this.phone = form.elements.customer_phone;
    this.email = form.elements.customer_email;
    this.id = form.elements.customer_id;
    this.filledIn = { phone: "", email: "" };
  }

  /** Fills in the chosen customer's data; false unless the name is in the list, and once. */
  fillIn() {
    this.id.value = "";
    const [option, namesake] = [...this.list.options].filter(
      ({ value }) => value === this.name.value,
    );
    if (!option || namesake) return false;
    this.id.value = option.dataset.id;
    for (const key of ["phone", "email"]) {
      const field = this[key];
      if (!field.value || field.value === this.filledIn[key]) field.value = option.dataset[key];
    }
    this.filledIn = { phone: option.dataset.phone, email: option.dataset.email };
    return true;
  }

  async load() {
    const address = `${this.list.dataset.url}?customer_name=${encodeURIComponent(this.name.value)}`;
    const answer = await fetch(address, { headers: { "HX-Request": "true" } });
    if (answer.ok && !answer.redirected) this.list.innerHTML = await answer.text();
  }
}

function suggestCustomers(form) {
  const suggestions = new Suggestions(form);
  const { name } = suggestions;
  let timer = 0;
  name.addEventListener("input", () => {
    clearTimeout(timer);
    if (suggestions.fillIn() || name.value.trim().length < MIN_LETTERS) return;
    timer = setTimeout(() => suggestions.load().catch(() => {}), SUGGEST_AFTER_MS);
  });
}

for (const form of document.querySelectorAll("[data-appointment-form]")) suggestCustomers(form);

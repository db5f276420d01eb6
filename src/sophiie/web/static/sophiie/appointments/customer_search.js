// The customer of an appointment: found while one types a name, a number or an earlier job, or new.
// Without it the fields are typed into.

const SUGGEST_AFTER_MS = 200;
const MIN_LETTERS = 2;
const FILLED = { phone: "customer_phone", email: "customer_email", place: "location" };

const folded = (text) => text.trim().toLocaleLowerCase();

class CustomerSearch {
  constructor(form) {
    this.form = form;
    this.field = form.elements.customer_name;
    this.id = form.elements.customer_id;
    this.list = form.querySelector("[data-customers]");
    this.told = form.querySelector("[data-customers-told]");
    this.found = [];
    this.active = -1;
    this.filled = {};
    this.timer = 0;
    this.asking = null;
    const { field, list } = this;
    for (const [name, value] of [
      ["role", "combobox"],
      ["aria-expanded", "false"],
      ["aria-autocomplete", "list"],
      ["aria-controls", list.id],
    ])
      field.setAttribute(name, value);
    field.addEventListener("input", () => this.typed());
    field.addEventListener("keydown", (event) => this.pressed(event));
    field.addEventListener("blur", () => this.left());
    list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
    list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) this.choose(this.found[[...list.children].indexOf(option)]);
    });
  }

  show(customers) {
    const { field, list } = this;
    this.found = customers;
    this.active = -1;
    list.hidden = !customers.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    field.removeAttribute("aria-activedescendant");
    const { length: n } = customers;
    this.told.textContent = n ? list.dataset.found.replace("{n}", n) : "";
    list.replaceChildren(...customers.map((customer, number) => this.option(customer, number)));
    if (n) list.scrollIntoView({ block: "nearest" });
  }

  option({ name, phone, email, place, job }, number) {
    const option = document.createElement("li");
    const [title, about] = [document.createElement("strong"), document.createElement("span")];
    title.textContent = name;
    about.className = "muted small";
    about.textContent = [phone || email, place, job].filter(Boolean).join(" · ");
    option.append(title, about);
    option.id = `${this.list.id}-${number}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    return option;
  }

  /** Fills in what is known, but not over what was typed. */
  choose(customer) {
    this.field.value = customer.name;
    this.id.value = customer.id;
    for (const [key, name] of Object.entries(FILLED)) {
      const other = this.form.elements[name];
      if (!other.value || other.value === this.filled[name]) other.value = customer[key];
      this.filled[name] = customer[key];
    }
    this.show([]);
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  mark(step) {
    const { list, found } = this;
    this.active = (this.active + step + found.length) % found.length;
    [...list.children].forEach((option, number) => {
      option.setAttribute("aria-selected", String(number === this.active));
    });
    const option = list.children[this.active];
    this.field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  async load() {
    this.asking?.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    const asked = new URLSearchParams({ customer_name: this.field.value });
    try {
      const address = `${this.list.dataset.url}?${asked}`;
      const answer = await fetch(address, { signal, headers: { "HX-Request": "true" } });
      if (!answer.ok || answer.redirected) return;
      const box = document.createElement("datalist");
      box.innerHTML = await answer.text();
      this.show([...box.options].map((option) => ({ name: option.value, ...option.dataset })));
    } catch {
      if (!signal.aborted) this.show([]); // offline
    }
  }

  typed() {
    clearTimeout(this.timer);
    this.id.value = "";
    // The address of the one chosen before is not that of somebody else.
    const email = this.form.elements.customer_email;
    if (email.type === "hidden" && email.value === this.filled.customer_email) email.value = "";
    if (this.field.value.trim().length < MIN_LETTERS) this.show([]);
    else this.timer = setTimeout(() => this.load(), SUGGEST_AFTER_MS);
  }

  pressed(event) {
    if (this.list.hidden) return;
    const keys = {
      ArrowDown: () => this.mark(1),
      ArrowUp: () => this.mark(this.active < 0 ? 0 : -1),
      Escape: () => this.show([]),
      ...(this.active >= 0 ? { Enter: () => this.choose(this.found[this.active]) } : {}),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }

  /** Whoever typed a whole name means the one who has it, unless the rest says otherwise. */
  left() {
    this.stop();
    const meant = this.found.filter(({ name }) => folded(name) === folded(this.field.value));
    const agrees = ([key, name]) => {
      const { value } = this.form.elements[name];
      return key === "place" || !value || value === meant[0][key];
    };
    if (meant.length === 1 && Object.entries(FILLED).every(agrees)) this.choose(meant[0]);
    else this.show([]);
  }

  stop() {
    clearTimeout(this.timer);
    this.asking?.abort();
  }

  reset() {
    this.stop();
    this.filled = {};
    this.id.value = "";
    this.show([]);
  }
}

export const searchIn = (form) => new CustomerSearch(form);

for (const form of document.querySelectorAll("[data-appointment-form]")) searchIn(form);

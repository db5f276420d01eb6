// The service in the full form.

import { serviceIn } from "./service.js";

for (const form of document.querySelectorAll("[data-appointment-form]")) {
  serviceIn(form, () => {
    form.elements.end.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

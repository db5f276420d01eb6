// From the first visit of the day sheet on, this browser keeps the next days for when it is offline.

import { keepAhead } from "./keep_ahead.js";

if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register("/service-worker.js", { scope: "/" });
  await keepAhead();
}

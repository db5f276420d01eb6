// Keeps the person's next days in the browser, for the service worker. Only a browser in which
// somebody opened the day sheet has one.

const KEPT = "sophiie-ahead";
const COPY = "/day-sheet/ahead";
const PAUSE_MS = 60000;

let keptAt = 0;

/** Fetches the page with its style sheets and icons, and replaces what was kept. */
export async function keepAhead() {
  const answer = await fetch(COPY, { redirect: "error", cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return;
  keptAt = Date.now();
  const text = await answer.clone().text();
  const page = new DOMParser().parseFromString(text, "text/html");
  const parts = [...page.querySelectorAll('link[rel="stylesheet"], use')];
  const wanted = [...new Set(parts.map((part) => part.getAttribute("href").split("#")[0]))];
  const cache = await caches.open(KEPT);
  await cache.addAll(wanted);
  await cache.put(COPY, answer);
  for (const old of await cache.keys()) {
    const { pathname } = new URL(old.url);
    if (pathname !== COPY && !wanted.includes(pathname)) await cache.delete(old);
  }
}

async function keepIfInstalled() {
  if (Date.now() - keptAt < PAUSE_MS) return;
  if (await navigator.serviceWorker?.getRegistration("/")) await keepAhead();
}

document.addEventListener("sophiie:change", keepIfInstalled);
keepIfInstalled();

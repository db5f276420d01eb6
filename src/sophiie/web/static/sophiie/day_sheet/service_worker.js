// Shows a person's next days, as last seen, when Sophiie cannot be reached. Keeps nothing else, and
// keeps it only until somebody signs in or out: `keep_ahead.js` puts it there.

const KEPT = "sophiie-ahead";
const COPY = "/day-sheet/ahead";
const ENTRANCES = ["/login", "/logout"];
// What a proxy answers for a server that is away.
const AWAY = [502, 504];

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(file(request));
});

async function page(request) {
  const isEntrance = ENTRANCES.includes(new URL(request.url).pathname);
  let answer;
  try {
    answer = await fetch(request);
  } catch (error) {
    return (await kept(COPY)) ?? Promise.reject(error);
  }
  if (isEntrance) await caches.delete(KEPT);
  else if (AWAY.includes(answer.status)) return (await kept(COPY)) ?? answer;
  return answer;
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (error) {
    return (await kept(request)) ?? Promise.reject(error);
  }
}

async function kept(request) {
  const cache = await caches.open(KEPT);
  return cache.match(request, { ignoreVary: true });
}

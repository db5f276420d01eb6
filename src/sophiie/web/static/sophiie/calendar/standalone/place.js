// Where one was on the page: whoever comes back to the same view, day and people is there again.

const MEMORY = "sophiie-place";
const TRIES = 12;
const PAUSE_MS = 150;
const SCROLLING = ["#cal-grid .ec-main", "#cal-list"];

const element = (name) => document.querySelector(name);

/** The address without what it says only once. */
function address() {
  const here = new URL(location.href);
  here.searchParams.delete("deleted");
  return here.pathname + here.search;
}

function remember() {
  const scrolled = SCROLLING.map((name) => [element(name)?.scrollLeft, element(name)?.scrollTop]);
  try {
    const place = { address: address(), scrolled, page: window.scrollY };
    sessionStorage.setItem(MEMORY, JSON.stringify(place));
  } catch {
    // A browser that keeps nothing begins at the top.
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(MEMORY)) ?? {};
  } catch {
    return {};
  }
}

const before = remembered();
const frame = element("#cal-frame");

function scrollThere() {
  SCROLLING.forEach((name, index) => {
    const [left, top] = before.scrolled[index];
    element(name)?.scrollTo(left ?? 0, top ?? 0);
  });
  if (!document.querySelector("[data-messages]")) window.scrollTo(0, before.page);
}

/** Also after a redrawing in the first moments, at which the library scrolls to the morning again,
 *  unless the person does something meanwhile. */
function stayThere() {
  scrollThere();
  let left = TRIES;
  const timer = setInterval(() => {
    scrollThere();
    left -= 1;
    if (!left) clearInterval(timer);
  }, PAUSE_MS);
  for (const kind of ["pointerdown", "touchstart", "wheel", "keydown"]) {
    const stop = () => clearInterval(timer);
    window.addEventListener(kind, stop, { once: true, passive: true, capture: true });
  }
}

/** Once the page has drawn what was there and the library has scrolled to the morning: then true. */
function hasArrived() {
  if (frame.getAttribute("aria-busy") !== "false") return false;
  if (before.address === address()) {
    requestAnimationFrame(() => requestAnimationFrame(stayThere));
  }
  return true;
}

// This script may come later than all of that.
if (!hasArrived()) {
  new MutationObserver((_changes, observer) => {
    if (hasArrived()) observer.disconnect();
  }).observe(frame, { attributeFilter: ["aria-busy"] });
}

window.addEventListener("pagehide", remember);

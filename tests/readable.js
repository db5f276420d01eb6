// What of a page cannot be read or pressed: one line for each fault, as `tests/readable.py` asks.
() => {
  const TARGETS = "a[href], button, input, select, textarea, summary, [role=button], [tabindex='0']";
  const found = [];

  const nameOf = (element) => {
    const id = element.id ? `#${element.id}` : "";
    const kind = [...element.classList].slice(0, 3).map((name) => `.${name}`).join("");
    const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 30);
    return `${element.tagName.toLowerCase()}${id}${kind} “${text}”`;
  };
  const isHidden = (element) =>
    !element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) ||
    element.closest(".visually-hidden, .skip-link:not(:focus), option, template, noscript, svg") ||
    isOnlyHeard(element);
  // Text for screen readers alone is a pixel wide.
  const isOnlyHeard = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.clipPath.startsWith("inset(50%") && style.position === "absolute") return true;
    }
    return false;
  };
  const stays = (element) => {
    for (let one = element; one; one = one.parentElement) {
      if (["fixed", "sticky"].includes(getComputedStyle(one).position)) return true;
    }
    return false;
  };

  /** The part of a box that its ancestors let through; what can be scrolled to counts as let
   *  through, unless `now`. */
  function clipped(box, element, { now = false } = {}) {
    let { left, top, right, bottom } = box;
    for (let one = element; one && one !== document.body; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.position === "fixed") break;
      const [x, y] = [style.overflowX, style.overflowY];
      const scrolls = [x, y].some((value) => ["auto", "scroll"].includes(value));
      if (scrolls && !now) break;
      const frame = one.getBoundingClientRect();
      if (x !== "visible") [left, right] = [Math.max(left, frame.left), Math.min(right, frame.right)];
      if (y !== "visible") [top, bottom] = [Math.max(top, frame.top), Math.min(bottom, frame.bottom)];
    }
    return { left, top, right, bottom };
  }

  function texts() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const all = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!node.textContent.trim() || isHidden(node.parentElement)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      all.push({ element: node.parentElement, boxes: [...range.getClientRects()] });
    }
    return all;
  }

  const modal = document.querySelector("dialog[open]");
  const inSight = (element) => !modal || modal.contains(element);

  if (document.scrollingElement.scrollWidth > window.innerWidth + 1)
    found.push(`the page is ${document.scrollingElement.scrollWidth} px wide`);

  for (const box of document.querySelectorAll("dialog[open], .cal-list, .cal-quick-people"))
    if (box.scrollWidth > box.clientWidth + 1) found.push(`wider than its frame: ${nameOf(box)}`);

  const readable = texts().filter(({ element }) => inSight(element));
  for (const { element, boxes } of readable) {
    const isCut = boxes.some((box) => {
      const rest = clipped(box, element);
      return box.right - rest.right > 2 || rest.left - box.left > 2 || box.bottom - rest.bottom > 4;
    });
    const whole = element.closest("[data-tip], [title]");
    if (isCut && !whole) found.push(`cut: ${nameOf(element)}`);
  }

  const shown = readable
    .filter(({ element }) => !element.closest(".ec-bg-event") && !stays(element))
    .flatMap(({ element, boxes }) =>
      boxes.map((box) => ({ element, ...clipped(box, element, { now: true }) })),
    )
    .filter(({ left, right, top, bottom }) => right - left > 3 && bottom - top > 3);
  shown.forEach((one, number) => {
    for (const other of shown.slice(number + 1)) {
      if (one.element === other.element) continue;
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (wide > 3 && high > 5) found.push(`over: ${nameOf(one.element)} and ${nameOf(other.element)}`);
    }
  });

  for (const target of document.querySelectorAll(TARGETS)) {
    if (!inSight(target) || target.type === "hidden") continue;
    const pressed = target.closest("label") ?? target;
    if (isHidden(pressed) || target.closest(".ec-bg-event")) continue;
    const style = getComputedStyle(pressed);
    if (style.display === "inline" && pressed.matches("a")) continue; // in a sentence
    if (style.pointerEvents === "none" || pressed.matches("[tabindex='0']:not(a, button)")) continue;
    const box = pressed.getBoundingClientRect();
    const own = target.getBoundingClientRect();
    const size = (one) => Math.min(one.width, one.height);
    if (Math.max(size(box), size(own)) < 23.5)
      found.push(`small: ${nameOf(pressed)} ${Math.round(box.width)}×${Math.round(box.height)}`);
    const rest = clipped(box, pressed, { now: true });
    const [x, y] = [(rest.left + rest.right) / 2, (rest.top + rest.bottom) / 2];
    if (rest.right - rest.left < 4 || rest.bottom - rest.top < 4) continue; // to be scrolled to
    if (x < 0 || y < 0 || x > window.innerWidth || y > window.innerHeight) continue;
    const hit = document.elementFromPoint(x, y);
    const isOwn = hit && (pressed.contains(hit) || hit.contains(pressed) || hit.closest("label")?.control === target);
    if (hit && !isOwn && !stays(hit) && !hit.closest(".ec-event")?.contains(pressed))
      found.push(`covered: ${nameOf(pressed)} by ${nameOf(hit)}`);
  }
  return [...new Set(found)];
}

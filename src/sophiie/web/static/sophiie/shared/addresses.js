// Addresses have no spaces: lines may end after "@", dots and the like, rather than in a word.

const SENSIBLE = /(?<=[@._+/-])(?=[^@._+/-])/;

function letBreak(text) {
  const parts = text.data.split(SENSIBLE);
  if (parts.length < 2) return;
  text.replaceWith(
    ...parts.flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part])),
  );
}

function letAllBreak(inside) {
  for (const box of inside.querySelectorAll(".breakable")) {
    const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    texts.filter(({ data }) => data.includes("@")).forEach(letBreak);
  }
}

letAllBreak(document);
document.addEventListener("htmx:afterSettle", () => letAllBreak(document));

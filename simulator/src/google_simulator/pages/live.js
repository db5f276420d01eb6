// Fetches the page again every second and puts the new week in place when it has changed.
// Forms outside the week are left alone; details that were open stay open.
const calendar = () => document.getElementById("calendar");

async function refresh() {
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const next = new DOMParser()
      .parseFromString(await answer.text(), "text/html")
      .getElementById("calendar");
    const busy = calendar().contains(document.activeElement)
      && document.activeElement.tagName === "INPUT";
    if (next && next.dataset.version !== calendar().dataset.version && !busy) {
      const open = new Set(
        [...calendar().querySelectorAll("details[open]")].map((one) => one.dataset.key));
      for (const one of next.querySelectorAll("details")) one.open = open.has(one.dataset.key);
      calendar().replaceWith(next);
    }
  } catch { /* the simulator is down; the next round tries again */ }
  setTimeout(refresh, 1000);
}

if (calendar() && !document.querySelector(".error")) setTimeout(refresh, 1000);

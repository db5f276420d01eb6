// Tabs: the open one is scrolled into sight, and arrow keys walk along them.

document
  .querySelector("[data-tabs] [aria-selected=true]")
  ?.scrollIntoView({ block: "nearest", inline: "center" });

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest("[data-tabs] [role=tab]");
  if (!tab) return;
  const tabs = [...tab.closest("[data-tabs]").querySelectorAll("[role=tab]")];
  const here = tabs.indexOf(tab);
  const goals = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: tabs.length - 1 };
  const goal = goals[event.key];
  if (goal === undefined) return;
  event.preventDefault();
  tabs[(goal + tabs.length) % tabs.length].focus();
});

// Signing up: proposes the time zone of this device.

function proposeZone(select) {
  if (select.value) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // A device that was never told where it is says UTC.
  if (zone === "UTC" || ![...select.options].some(({ value }) => value === zone)) return;
  select.value = zone;
}

for (const select of document.querySelectorAll("[data-guess-zone]")) proposeZone(select);

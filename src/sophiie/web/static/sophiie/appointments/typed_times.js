// Reads times as people type them, just as `web/shared/typed_times.py` does: the cases in
// tests/web/test_typed_times.json hold for both.

const MAX_CHARACTERS = 40;
const WORDS = { noon: 720, midday: 720, midnight: 0, mittag: 720, mitternacht: 0 };
const SPACES = /[ \t\r\n\u00a0\u2009\u202f]+/g;
const HALF = /([ap])\.? ?m\.?$/;
const TIME = /^(\d{1,2})(?: ?[:.h] ?(\d{2})(?::00)?|(\d{2})|h)? ?(am|pm|a|p|uhr)?$/;

/** Minutes from midnight; null if the text is not a time. */
export function parseTime(text) {
  if (text.length > MAX_CHARACTERS) return null;
  const plain = text.toLowerCase().replace(SPACES, " ").replace(/^ | $/g, "");
  if (Object.hasOwn(WORDS, plain)) return WORDS[plain];
  const found = TIME.exec(plain.replace(HALF, "$1m"));
  if (!found) return null;
  const [, hours, minutes, packed, half = ""] = found;
  let hour = Number(hours);
  const minute = Number(minutes ?? packed ?? 0);
  if (/^[ap]/.test(half)) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half.startsWith("p") ? 12 : 0);
  }
  if (hour === 24 && minute === 0) return 0;
  return hour < 24 && minute < 60 ? hour * 60 + minute : null;
}

/** As the field shows it; `clock` is "12" or "24". */
export function formatTime(minutes, clock) {
  const hour = Math.floor(minutes / 60);
  const minute = String(minutes % 60).padStart(2, "0");
  if (clock === "24") return `${String(hour).padStart(2, "0")}:${minute}`;
  return `${hour % 12 || 12}:${minute} ${hour < 12 ? "am" : "pm"}`;
}

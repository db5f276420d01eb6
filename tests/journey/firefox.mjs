// The main journey in Firefox: sign in, link, book, move, look at the calendar. Prints as JSON what
// was seen there, and every error.
// node firefox.mjs FIREFOX SOPHIIE_URL DAY

import puppeteer from "puppeteer-core";

const [executablePath, sophiie, day] = process.argv.slice(2);
const PATIENCE_MS = 60000;

// Firefox asks for the time before its allocator is ready, and libfaketime allocates to answer: it
// would wait for itself for ever. So Firefox has the machine's clock, and its page is told the date.
const { LD_PRELOAD: fakesClock, ...environment } = process.env;

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  env: process.env.FAKETIME ? environment : process.env,
  headless: true,
  timeout: 3 * PATIENCE_MS, // a busy machine starts it slowly
  defaultViewport: { width: 1280, height: 900 },
});
const page = await browser.newPage();
page.setDefaultTimeout(PATIENCE_MS);
if (process.env.FAKETIME) {
  const ahead = Date.now() - (await page.evaluate(() => Date.now()));
  await page.evaluateOnNewDocument((milliseconds) => {
    const Machines = Date;
    globalThis.Date = class extends Machines {
      constructor(...words) {
        super(...(words.length ? words : [Date.now()]));
      }

      static now() {
        return Machines.now() + milliseconds;
      }
    };
  }, ahead);
}
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("console", (said) => said.type() === "error" && errors.push(said.text()));

/** The first element of that role (any without one) with this accessible name. */
const named = (name, role = "") => {
  const asked = role ? `[name="${name}"][role="${role}"]` : `[name="${name}"]`;
  return page.waitForSelector(`::-p-aria(${asked})`);
};

async function fill(name, text) {
  const field = await named(name);
  await field.evaluate((control) => {
    control.focus();
    control.select?.();
  });
  await page.keyboard.type(text);
}

async function press(name) {
  const button = await named(name, "button");
  await button.click();
}

/** Waits for words that can be seen. */
const reads = (words) => page.waitForSelector(`::-p-text(${words})`, { visible: true });

try {
  await page.goto(sophiie);
  await fill("Email", "alice@example.com");
  await fill("Password", "sophiie-demo");
  await press("Sign in");
  await page.waitForFunction(() => location.pathname === "/calendar");

  // Link, choose, save.
  await page.goto(`${sophiie}/settings/calendar`);
  await press("Link Calendar");
  await press("Connect to Google");
  await (
    await page.waitForSelector("::-p-xpath(//button[contains(., 'alice@example.com')])")
  ).click();
  await press("Continue");
  const jobs =
    "::-p-xpath(//tr[contains(., 'jobs-alice@group.calendar.google.com')]//input[@type='radio'])";
  await (await page.waitForSelector(jobs)).click();
  await press("Save");
  await reads("synchronization is active");

  // Book: the badge changes without reload.
  await page.goto(`${sophiie}/appointments/new`);
  await fill("Title", "Install boiler");
  // Typed, a date has the order of the browser's language.
  await (await page.waitForSelector("input[type=date]")).evaluate((field, value) => {
    field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }, day);
  await fill("Start", "09:00");
  await fill("End", "10:30");
  await press("Save");
  await page.waitForFunction(() => /^\/appointments\/[0-9a-f-]{36}$/.test(location.pathname));
  await reads("In Google Calendar");
  const booked = page.url();

  // Move it on the form; it is on the calendar page, and opens from there.
  await fill("Start", "14:00");
  await fill("End", "15:30");
  await press("Save");
  await reads("Saved.");
  await page.goto(`${sophiie}/calendar?view=week&date=${day}`);
  const entry = await page.waitForSelector(
    "::-p-xpath(//*[@id='cal-frame']//a[contains(., 'Install boiler')])",
  );
  const text = await entry.evaluate((link) => link.textContent);
  await page.goto(booked);
  await reads("In Google Calendar");
  const clock = await page.evaluate(() => Date.now());
  console.log(JSON.stringify({ entry: text, clock, errors }));
} finally {
  await browser.close();
}

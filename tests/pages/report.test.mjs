// The page of a report in a real browser: valid, accessible and readable in light, dark, narrow and print, and needing nothing beside it.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { HtmlValidate } from "html-validate";
import { chromium } from "playwright-core";
import { reportedCampaign } from "../api/support/campaign.mjs";
import { startCompanies } from "../api/support/company.mjs";

const CHROMIUM = process.env.SEXTANT_CHROMIUM ?? "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const PATIENCE_MS = 120_000; // a browser that has to be read from a slow disk first
const NAME = "Summer <script>alert(1)</script> sale";

let server, browser, path, auth;
before(async () => {
  server = await startCompanies(["North"]);
  [auth] = server.admins;
  const retro = await reportedCampaign(server, auth, { name: NAME });
  path = `/api/retrospectives/${retro.id}/report`;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS, timeout: PATIENCE_MS });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// As a browser asks: its own Accept header decides that the answer is a page.
async function open(options = {}) {
  const page = await (await browser.newContext({ ...options, extraHTTPHeaders: { authorization: auth } })).newPage();
  const wrong = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => { wrong.push("a script of the text ran"); return dialog.dismiss(); });
  page.on("console", (message) => { if (message.type() === "error" && !/favicon/.test(message.location().url)) wrong.push(`console: ${message.text()}`); });
  page.on("request", (request) => { if (new URL(request.url()).pathname !== path && !request.url().endsWith("/favicon.ico")) wrong.push(request.url()); });
  await page.goto(server.url + path, { waitUntil: "networkidle" });
  return { page, wrong };
}

async function violations(page) {
  const { violations: found } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]).analyze();
  return found.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target).join(", ")}`);
}

describe("the page of a report", () => {
  for (const [name, options] of [["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["narrow", { viewport: { width: 360, height: 700 } }]]) {
    it(`is accessible, fits and loads nothing else (${name})`, async () => {
      const { page, wrong } = await open(options);
      assert.equal(await page.textContent("h1"), NAME);
      assert.deepEqual(await violations(page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "no scrolling sideways");
      assert.deepEqual(wrong, []);
    });
  }

  it("has for each picture a name and the table that tells the same", async () => {
    const { page } = await open();
    const charts = await page.evaluate(() => [...document.querySelectorAll("svg")].map((svg) => ({
      role: svg.getAttribute("role"),
      labelled: svg.getAttribute("aria-labelledby").split(" ").every((id) => document.getElementById(id)?.textContent.length > 0),
      table: svg.closest(".card").querySelector("table") !== null,
      marks: svg.querySelectorAll("rect, circle, path").length,
    })));
    assert.ok(charts.length >= 10, `${charts.length} pictures`);
    for (const chart of charts) assert.deepEqual({ ...chart, marks: chart.marks > 3 }, { role: "img", labelled: true, table: true, marks: true });
  });

  it("keeps every text of a picture inside it and apart from the others", async () => {
    const { page } = await open();
    const wrong = await page.evaluate(() => [...document.querySelectorAll("svg")].flatMap((svg) => {
      const frame = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")].map((t) => ({ text: t.firstChild.textContent, box: t.getBoundingClientRect() }));
      const outside = texts.filter(({ box }) => box.left < frame.left - 2 || box.right > frame.right + 2 || box.bottom > frame.bottom + 2);
      const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
      const crossing = texts.filter((one, i) => texts.slice(i + 1).some((two) => meets(one.box, two.box)));
      return [...outside, ...crossing].map(({ text }) => `${svg.querySelector("title").textContent}: ${text}`);
    }));
    assert.deepEqual(wrong, []);
  });

  it("leads from its contents to every section", async () => {
    const { page } = await open();
    const targets = await page.$$eval("nav a", (links) => links.map((link) => document.querySelector(link.getAttribute("href"))?.tagName ?? link.href));
    assert.ok(targets.length >= 8);
    assert.deepEqual(new Set(targets), new Set(["H2"]));
  });

  it("prints on white with every row, whatever scheme the reader has", async () => {
    const { page } = await open({ colorScheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const printed = await page.evaluate(() => {
      const color = (element) => getComputedStyle(element).color.match(/\d+/g).map(Number);
      return {
        ink: Math.max(...color(document.querySelector("h1"))),
        contents: getComputedStyle(document.querySelector("nav")).display,
        hidden: [...document.querySelectorAll(".scroll")].filter((box) => box.scrollHeight > box.clientHeight + 2).length,
      };
    });
    assert.ok(printed.ink < 80, "dark ink");
    assert.deepEqual([printed.contents, printed.hidden], ["none", 0]);
    assert.ok((await page.pdf({ format: "A4" })).length > 10_000);
  });

  it("is valid HTML", async () => {
    const validator = new HtmlValidate({ extends: ["html-validate:standard"] });
    const { text } = await server.request("GET", `${path}?format=html`, { auth });
    const report = await validator.validateString(text);
    assert.deepEqual(report.results.flatMap((result) => result.messages.map((m) => `${m.line}: ${m.ruleId} ${m.message}`)), []);
  });
});

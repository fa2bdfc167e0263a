// The pages in a real browser: they work, they are valid HTML, accessible, and load nothing from anywhere else.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { HtmlValidate } from "html-validate";
import { chromium } from "playwright-core";
import { startServer } from "../api/support/server.mjs";

const CHROMIUM = process.env.SEXTANT_CHROMIUM ?? "/usr/bin/chromium";
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

const PATIENCE_MS = 120_000; // a browser that has to be read from a slow disk first

let server;
let browser;
before(async () => {
  server = await startServer({ args: ["--demo"] });
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS, timeout: PATIENCE_MS });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// A page with what went wrong on it: errors of scripts, refused or failed requests, requests to other hosts.
async function open(path, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  const wrong = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => wrong.push(`script: ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error") wrong.push(`console: ${message.text()}`); });
  page.on("requestfailed", (request) => wrong.push(`failed: ${request.url()}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:")) wrong.push(`elsewhere: ${request.url()}`);
  });
  await page.goto(server.url + path, { waitUntil: "networkidle" });
  return { page, wrong };
}

async function violations(page) {
  const { violations: found } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa"]).analyze();
  return found.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target).join(", ")}`);
}

describe("the landing page", () => {
  it("shows that the server is ready and what it runs on", async () => {
    const { page, wrong } = await open("/");
    await page.waitForSelector("#state[data-state=good]");
    assert.match(await page.textContent("#figures"), /Version/);
    assert.match(await page.textContent("#example"), new RegExp(server.url), "the example names this server");
    assert.deepEqual(wrong, []);
  });

  for (const colorScheme of ["light", "dark"]) {
    it(`is accessible in the ${colorScheme} scheme`, async () => {
      const { page } = await open("/", { colorScheme });
      assert.deepEqual(await violations(page), []);
    });
  }

  it("fits a narrow screen", async () => {
    const { page } = await open("/", { viewport: { width: 360, height: 700 } });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  });

  it("leads to the operations", async () => {
    const { page, wrong } = await open("/");
    await page.click("a[href='/api/v1/docs']");
    await page.waitForSelector(".opblock-tag");
    assert.deepEqual(wrong, []);
  });
});

describe("the page of operations", () => {
  it("lists them and shows one", async () => {
    const { page, wrong } = await open("/api/v1/docs");
    await page.waitForSelector(".opblock-tag");
    await page.click(".opblock-tag >> nth=0");
    await page.click(".opblock-summary-control >> nth=0");
    await page.waitForSelector(".opblock-body");
    assert.deepEqual(wrong, []);
  });
});

describe("the pages as documents", () => {
  const validator = new HtmlValidate({ extends: ["html-validate:standard"] });
  for (const path of ["/", "/api/v1/docs"]) {
    it(`${path} is valid HTML`, async () => {
      const { text } = await server.request("GET", path);
      const report = await validator.validateString(text);
      assert.deepEqual(report.results.flatMap((result) => result.messages.map((m) => `${m.line}: ${m.message}`)), []);
    });
  }

  it("what they load is cached by its tag and compressed", async () => {
    const first = await server.request("GET", "/assets/swagger-ui-bundle.js", { headers: { "accept-encoding": "gzip" } });
    assert.equal(first.status, 200);
    assert.equal(first.headers.get("content-encoding"), "gzip");
    const again = await server.request("GET", "/assets/swagger-ui-bundle.js", { headers: { "if-none-match": first.headers.get("etag") } });
    assert.equal(again.status, 304);
  });
});

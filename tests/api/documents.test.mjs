// The requests of the kpi-management document as they are printed there, on the demo company; all of the demo's figures against a
// computation of their own; and that the demo leaves without a trace.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { rows, tables } from "./support/database.mjs";
import { basic, command, logIn, newStore, onPostgres, startServer } from "./support/server.mjs";

const ROOT = new URL("../../", import.meta.url);
const ADMIN = basic("admin", "admin123");

let store, server;
before(async () => {
  store = await newStore();
  server = await startServer({ store, args: ["--demo"] });
});
after(async () => {
  await server?.stop().catch(() => {});
  await store.remove();
});

async function readCsv(name) {
  const [head, ...lines] = (await readFile(new URL(`demo/${name}`, ROOT), "utf8")).trim().split("\n")
    .map((line) => line.match(/("[^"]*"|[^,]*)(?:,|$)/g).slice(0, line.endsWith(",") ? undefined : -1).map((cell) => cell.replace(/,$/, "").replaceAll('"', "")));
  return lines.map((line) => Object.fromEntries(head.map((column, i) => [column, line[i] ?? ""])));
}

// Decimal texts as integers of a millionth, exactly.
function exact(text) {
  const [, sign, whole, fraction = ""] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(text);
  return BigInt(sign + whole + fraction.padEnd(6, "0"));
}

async function documentedRequests() {
  const text = await readFile(new URL("tests/contracts/kpi-management.http", ROOT), "utf8");
  return text.split(/\n(?=# \d{3}: )/).slice(1).map((block) => {
    const [, status, title, method, path, rest] = /^# (\d{3}): (.*)\n([A-Z]+) (\S+)\n?([^]*)$/.exec(block);
    const [head, ...body] = rest.split("\n\n");
    const headers = Object.fromEntries(head.split("\n").filter(Boolean).map((line) => line.split(": ")));
    return { status: Number(status), title, method, path, headers, body: body.join("\n\n").trim() || undefined };
  });
}

test("the document's requests answer as it says, in its order", async () => {
  const known = { your_username: "admin", your_password: "admin123" };
  const requests = await documentedRequests();
  assert.equal(requests.length, 13);
  let token;
  for (const { status, title, method, path, headers, body } of requests) {
    const fill = (text) => Object.entries(known).reduce((t, [name, value]) => t.replaceAll(name, value), text);
    const answer = await server.request(method, fill(path), { headers, body: body && fill(body), auth: token && `Bearer ${token}` });
    assert.equal(answer.status, status, `${title}: ${answer.text}`);
    if (path === "/api/auth/token") token = answer.json.access_token;
    if (method === "POST" && path === "/api/kpis") known["{kpi_id}"] = answer.json.id;
    if (method === "POST" && path.endsWith("/assignments")) known["{assignment_id}"] = answer.json.id;
    if (path.includes("skip=")) {
      assert.deepEqual([answer.json.items.length, answer.json.total, answer.json.page, answer.json.pages], [10, 56, 1, 6]);
    } else if (method === "GET" && path.includes("?") && !path.includes("horizon")) {
      assert.ok(answer.json.total > 0, `${path} finds something in the demo`);
    }
  }
  const { json } = await server.request("GET", `/api/kpis/${known["{kpi_id}"]}`, { auth: ADMIN });
  assert.deepEqual([json.thresholds.target_value, json.thresholds.warning_threshold], [600000, 0.8]);
  await server.request("DELETE", `/api/kpis/${known["{kpi_id}"]}`, { auth: ADMIN });
});

test("every KPI has the figures of its file at every interval, and its targets", async () => {
  const kpis = await readCsv("kpis.csv");
  const values = await readCsv("values.csv");
  const targets = await readCsv("targets.csv");
  assert.equal(kpis.length, 55);
  const sums = new Map();
  for (const { kpi, date, value } of values)
    for (const key of [`${kpi} ${date}`, `${kpi} ${date.slice(0, 7)}`, `${kpi} ${date.slice(0, 4)}`]) {
      const sum = sums.get(key) ?? { total: 0n, count: 0n };
      sums.set(key, { total: sum.total + exact(value), count: sum.count + 1n });
    }
  for (const { id, aggregation } of kpis) {
    for (const [interval, length] of [["day", 10], ["month", 7], ["year", 4]]) {
      const { text } = await server.request("GET", `/api/kpis/${id}/values?interval=${interval}`, { auth: ADMIN });
      const found = [...text.matchAll(/"date":"([\d-]+)","value":(-?[\d.]+),"count":(\d+)/g)];
      assert.equal(found.length, [...sums.keys()].filter((key) => key.startsWith(`${id} `) && key.length === id.length + 1 + length).length, `${id} ${interval}`);
      for (const [, date, value, count] of found) {
        const expected = sums.get(`${id} ${date.slice(0, length)}`);
        assert.equal(BigInt(count), expected.count);
        if (aggregation === "sum") assert.equal(exact(value), expected.total, `${id} ${interval} ${date}`);
        // An average is exact to the digits that are shown.
        else assert.ok(abs(exact(value) * expected.count - expected.total) <= expected.count, `${id} ${interval} ${date}: ${value}`);
      }
    }
    const { json } = await server.request("GET", `/api/kpis/${id}/targets`, { auth: ADMIN });
    assert.deepEqual(json.items.map((t) => [t.start, t.value]), targets.filter((t) => t.kpi === id).map((t) => [t.start, Number(t.target)]));
  }
});

const abs = (n) => (n < 0n ? -n : n);

test("the state of each KPI is what its last month says", async () => {
  const values = await readCsv("values.csv");
  const targets = await readCsv("targets.csv");
  for (const { id, direction, aggregation } of await readCsv("kpis.csv")) {
    const month = values.filter((v) => v.kpi === id && v.date.startsWith("2011-12"));
    const target = Number(targets.find((t) => t.kpi === id && t.start === "2011-12-01").target);
    const total = month.reduce((sum, v) => sum + Number(v.value), 0);
    const figure = aggregation === "sum" ? total : total / month.length;
    const { json } = await server.request("GET", `/api/kpis/${id}/analytics`, { auth: ADMIN });
    assert.ok(Math.abs(json.current_value - figure) < 0.000001 + 1e-9 * Math.abs(figure), `${id}: ${json.current_value} ${figure}`);
    assert.equal(json.target, target);
    // The month is not over: of a sum the part of the target counts that its nine days stand for.
    const expected = aggregation === "sum" ? (target * 9) / 31 : target;
    assert.ok(Math.abs(json.expected - expected) < 0.01, `${id}: ${json.expected} ${expected}`);
    if (direction === "higher" && target > 0) {
      const achievement = figure / json.expected;
      assert.ok(Math.abs(json.achievement - achievement) < 0.000002, `${id}: ${json.achievement} ${achievement}`);
      const state = achievement >= 0.82 ? "on_track" : achievement < 0.6 ? "critical" : null;
      if (state) assert.equal(json.status, state, `${id}: ${achievement}`);
    }
  }
});

// Loading the demo is most of this file's time, and how dates move has nothing to do with the database.
const once = onPostgres ? "looked at on SQLite" : false;
test("with --demo-shift values, months of targets and states end today", { skip: once }, async () => {
  const zone = new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/London" });
  const days = [zone.format(new Date())];
  const shifted = await startServer({ args: ["--demo", "--demo-shift"] });
  days.push(zone.format(new Date()));
  try {
    const auth = await logIn(shifted, "admin", "admin123");
    const last = (await shifted.request("GET", "/api/kpis/kpi-001/values?interval=day&limit=1000", { auth })).json.items.at(-1).date;
    const today = days.find((day) => day === last) ?? days[0]; // midnight may have come in between
    const values = await readCsv("values.csv");
    const targets = await readCsv("targets.csv");
    const moved = Math.round((Date.parse(today) - Date.parse("2011-12-09")) / 86400000);
    for (const id of ["kpi-001", "kpi-055"]) {
      const { json } = await shifted.request("GET", `/api/kpis/${id}/values?interval=day&limit=1000`, { auth });
      const expected = values.filter((v) => v.kpi === id).map((v) => [new Date(Date.parse(v.date) + moved * 86400000).toISOString().slice(0, 10), Number(v.value)]);
      assert.deepEqual(json.items.map((p) => [p.date, p.value]), expected);
      assert.equal(json.items.at(-1).date, today);
      const { json: months } = await shifted.request("GET", `/api/kpis/${id}/targets`, { auth });
      const [year, month] = today.split("-").map(Number);
      const known = targets.filter((t) => t.kpi === id);
      assert.deepEqual(months.items.map((t) => [t.start, t.value]),
        known.map((t, i) => [new Date(Date.UTC(year, month - known.length + i, 1)).toISOString().slice(0, 10), Number(t.target)]));
    }
  } finally {
    await shifted.stop();
  }
});

test("sextant demo remove leaves nothing of it, and the database is a fresh one's", async () => {
  await server.stop();
  assert.equal((await rows(store, "SELECT id FROM company")).length, 1);
  assert.equal((await command(["demo", "remove", ...store.args])).code, 0);
  for (const table of await tables(store)) {
    if (["schema_migration", "sequence", "signing_key"].includes(table)) continue;
    // What happened to the installation itself, a company's making among it, stays on record under company 0; so do its own jobs.
    const ofInstallation = ["event", "job", "job_schedule"].includes(table);
    assert.deepEqual(await rows(store, `SELECT * FROM ${table}${ofInstallation ? " WHERE company_id <> 0" : ""}`), [], table);
  }
  const again = await command(["demo", "remove", ...store.args]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /no demo company/);
  server = await startServer({ store });
  assert.equal((await server.request("GET", "/api/kpis", { auth: ADMIN })).status, 401);
});

// Real series of a size that people have: four years of daily bike rides and a sales pipeline of 8,800 opportunities, entered as CSV and
// compared with sums made here. The files are no part of the project; without them the tests are skipped.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";

const directory = process.env.SEXTANT_SHARED ? join(process.env.SEXTANT_SHARED, "data", "real") : null;
const without = (name) => (directory && existsSync(join(directory, name)) ? false : `SEXTANT_SHARED has no data/real/${name}`);

let server, admin;
before(async () => {
  server = await startCompanies(["North"]);
  [admin] = server.admins;
});
after(() => server.stop());

const read = async (name) => (await readFile(join(directory, name), "utf8")).trim().split(/\r?\n/).slice(1).map((line) => line.split(","));
const get = async (path) => {
  const answer = await server.request("GET", path, { auth: admin });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};
async function newKpi(json) {
  const answer = await server.request("POST", "/api/kpis", { auth: admin, json });
  assert.equal(answer.status, 201, answer.text);
  return `/api/kpis/${answer.json.id}`;
}
async function upload(kpi, lines) {
  const answer = await server.request("POST", `${kpi}/values`, { auth: admin, body: lines.join("\n"), type: "text/csv" });
  assert.equal(answer.status, 201, answer.text.slice(0, 500));
  assert.equal(answer.json.recorded, lines.length - 1);
}
const add = (map, key, value) => map.set(key, (map.get(key) ?? 0) + value);
const monthsOf = (json) => new Map(json.items.map((p) => [p.date.slice(0, 7), p.value]));

test("four years of daily rides", { skip: without("divvy_daily.csv") }, async () => {
  const rides = (await read("divvy_daily.csv")).map(([date, count, , weather]) => {
    const [month, day, year] = date.split("/").map(Number);
    return { date: new Date(Date.UTC(year, month - 1, day)).toISOString().slice(0, 10), count: Number(count), weather };
  });
  const kpi = await newKpi({ name: "Rides", type: "COUNT", unit: "rides", thresholds: { target_value: 200000 } });
  await upload(kpi, ["date,value,weather", ...rides.map((r) => `${r.date},${r.count},${r.weather}`)]);
  const sums = { all: new Map(), ...Object.fromEntries([...new Set(rides.map((r) => r.weather))].map((w) => [w, new Map()])) };
  for (const { date, count, weather } of rides) for (const map of [sums.all, sums[weather]]) add(map, date.slice(0, 7), count);
  for (const [weather, expected] of Object.entries(sums)) {
    const slice = weather === "all" ? "" : `&dimensions=${encodeURIComponent(JSON.stringify({ weather }))}`;
    assert.deepEqual(monthsOf(await get(`${kpi}/values?interval=month${slice}`)), new Map([...expected].sort()), weather);
  }
  // The same file again changes nothing.
  await upload(kpi, ["date,value,weather", ...rides.map((r) => `${r.date},${r.count},${r.weather}`)]);
  assert.equal((await get(`${kpi}/values?limit=1`)).total, rides.length);
  assert.deepEqual(monthsOf(await get(`${kpi}/values?interval=month`)), new Map([...sums.all].sort()));
  const analytics = await get(`${kpi}/analytics?interval=day`);
  assert.equal(analytics.history.at(-1).value, rides.map((r) => [r.date, r.count]).sort().at(-1)[1]);
  assert.equal(analytics.current_value, sums.all.get(rides.map((r) => r.date).sort().at(-1).slice(0, 7)));
  const { predictions } = await get(`${kpi}/predictions?horizon=28`);
  assert.equal(predictions.length, 28);
  for (const p of predictions) assert.ok(p.lower_95 <= p.lower_80 && p.lower_80 <= p.value && p.value <= p.upper_80 && p.upper_80 <= p.upper_95, JSON.stringify(p));
});

test("won deals by agent, each deal a value of its own", { skip: without("maven_crm_sales_pipeline.csv") }, async () => {
  const won = (await read("maven_crm_sales_pipeline.csv")).filter((row) => row[4] === "Won")
    .map(([opportunity, agent, , , , , closed, value]) => ({ opportunity, agent, closed, value: Number(value) }));
  assert.equal(won.length, 4238);
  const deals = await newKpi({ name: "Won deals", type: "CURRENCY", currency: "USD" });
  await upload(deals, ["at,value,sales_agent,opportunity", ...won.map((w) => `${w.closed},${w.value},${w.agent},${w.opportunity}`)]);
  const byAgent = await newKpi({ name: "Won by agent", type: "CURRENCY", currency: "USD" });
  const days = new Map();
  const months = new Map();
  const agents = new Map();
  for (const { agent, closed, value } of won) {
    add(days, `${closed},${agent}`, value);
    add(months, closed.slice(0, 7), value);
    agents.set(agent, add(agents.get(agent) ?? new Map(), closed.slice(0, 7), value));
  }
  await upload(byAgent, ["at,sales_agent,value", ...[...days].map(([key, value]) => `${key},${value}`)]);
  for (const kpi of [deals, byAgent]) assert.deepEqual(monthsOf(await get(`${kpi}/values?interval=month`)), new Map([...months].sort()));
  for (const [agent, expected] of agents) {
    const slice = encodeURIComponent(JSON.stringify({ sales_agent: agent }));
    assert.deepEqual(monthsOf(await get(`${byAgent}/values?interval=month&dimensions=${slice}`)), new Map([...expected].sort()), agent);
  }
  for (const kpi of [deals, byAgent]) {
    const { history, contributions } = await get(`${kpi}/analytics?interval=month`);
    assert.deepEqual(new Map(history.map((p) => [p.date.slice(0, 7), p.value])), new Map([...months].sort()));
    assert.ok(Array.isArray(contributions));
  }
});

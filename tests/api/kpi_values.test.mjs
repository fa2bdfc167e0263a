// Measured values: entering, figures by interval, corrections, targets, formulas, and the crossing of thresholds.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";

let server, admin;
before(async () => {
  server = await startCompanies(["North"]);
  [admin] = server.admins;
});
after(() => server.stop());

const send = (method, path, json) => server.request(method, path, { auth: admin, json });
let count = 0;
async function newKpi(more = {}) {
  const { status, json } = await send("POST", "/api/kpis", { name: `KPI ${++count}`, type: "CURRENCY", ...more });
  assert.equal(status, 201, JSON.stringify(json));
  return json;
}
const put = async (kpi, values) => {
  const answer = await send("POST", `/api/kpis/${kpi.id}/values`, values);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
};
const figures = async (kpi, query) => (await send("GET", `/api/kpis/${kpi.id}/values?${query}`)).json.items.map((p) => [p.date, p.value]);
const state = async (kpi) => (await send("GET", `/api/kpis/${kpi.id}/analytics`)).json;

// Exact sums of cents, as the server must make them.
const cents = (text) => BigInt(text.replace(".", ""));

test("sums are exact to the cent at every interval", async () => {
  const kpi = await newKpi();
  const values = [];
  const sums = new Map();
  for (let i = 0; i < 800; i++) {
    const day = new Date(Date.UTC(2023, 0, 1 + i)).toISOString().slice(0, 10);
    const text = `${(i * 7919) % 100000}.${String((i * 31) % 100).padStart(2, "0")}`;
    values.push(`{"value":${text},"at":"${day}"}`);
    for (const key of [day.slice(0, 7), day.slice(0, 4)]) sums.set(key, (sums.get(key) ?? 0n) + cents(text));
  }
  const answer = await server.request("POST", `/api/kpis/${kpi.id}/values`, { auth: admin, body: `[${values}]`, type: "application/json" });
  assert.equal(answer.status, 201);
  assert.equal(answer.json.recorded, 800);
  for (const [interval, length] of [["month", 7], ["year", 4]]) {
    const text = (await server.request("GET", `/api/kpis/${kpi.id}/values?interval=${interval}`, { auth: admin })).text;
    const found = [...text.matchAll(/"date":"([\d-]+)","value":([\d.]+)/g)];
    assert.equal(found.length, [...sums.keys()].filter((k) => k.length === length).length);
    for (const [, date, value] of found) {
      const [whole, fraction = ""] = value.split(".");
      assert.equal(BigInt(whole + fraction.padEnd(2, "0")), sums.get(date.slice(0, length)), date);
    }
  }
});

test("each aggregation makes its own figure of a period", async () => {
  const expected = { sum: 12, avg: 4, last: 3, min: 3, max: 5 };
  for (const [aggregation, value] of Object.entries(expected)) {
    const kpi = await newKpi({ type: "NUMERIC", aggregation });
    await put(kpi, [{ value: 4, at: "2024-05-01" }, { value: 5, at: "2024-05-02" }, { value: 3, at: "2024-05-03" }]);
    assert.deepEqual(await figures(kpi, "interval=month"), [["2024-05-01", value]], aggregation);
    assert.deepEqual(await figures(kpi, "interval=week&from=2024-05-02"), [["2024-04-29", { sum: 8, avg: 4, last: 3, min: 3, max: 5 }[aggregation]]]);
  }
});

test("the same instant and dimensions replace, other dimensions add", async () => {
  const kpi = await newKpi();
  await put(kpi, { value: 10, at: "2024-01-01T10:00:00Z" });
  await put(kpi, { value: 12.5, at: "2024-01-01T11:00:00+01:00" });
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-01-01", 12.5]]);
  await put(kpi, [
    { value: 1, at: "2024-01-01T10:00:00Z", dimensions: { country: "France", channel: "web" } },
    { value: 2, at: "2024-01-01T10:00:00Z", dimensions: { channel: "web", country: "France" } },
  ]);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-01-01", 14.5]]);
  const slice = encodeURIComponent('{"country":"France","channel":"web"}');
  assert.deepEqual(await figures(kpi, `interval=day&dimensions=${slice}`), [["2024-01-01", 2]]);
});

test("a correction moves the figure, a deletion takes it away", async () => {
  const kpi = await newKpi({ aggregation: "max" });
  await put(kpi, [{ value: 5, at: "2024-03-01T01:00:00Z" }, { value: 9, at: "2024-03-01T02:00:00Z" }, { value: 7, at: "2024-03-01T03:00:00Z" }]);
  const { items } = (await send("GET", `/api/kpis/${kpi.id}/values`)).json;
  const nine = items.find((v) => v.value === 9);
  assert.equal((await send("PUT", `/api/kpis/${kpi.id}/values/${nine.id}`, { value: 6 })).json.value, 6);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-03-01", 7]]);
  const seven = items.find((v) => v.value === 7);
  assert.equal((await send("DELETE", `/api/kpis/${kpi.id}/values/${seven.id}`)).status, 204);
  assert.equal((await send("DELETE", `/api/kpis/${kpi.id}/values/${seven.id}`)).status, 404);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-03-01", 6]]);
  const moved = await send("PUT", `/api/kpis/${kpi.id}/values/${nine.id}`, { value: 6, at: "2024-03-02" });
  assert.equal(moved.status, 200);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-03-01", 5], ["2024-03-02", 6]]);
});

test("all or nothing, and each fault is named by its place", async () => {
  const kpi = await newKpi();
  const { status, json } = await send("POST", `/api/kpis/${kpi.id}/values`,
    [{ value: 1 }, { value: 1.234 }, { at: "2024-01-01" }, { value: 1, at: "2023-02-29" }, 5, { value: 1, dimensions: { a: {} } }]);
  assert.equal(status, 400);
  assert.deepEqual(Object.keys(json.fields), ["[1].value", "[2].value", "[3].at", "[4]", "[5].dimensions"]);
  assert.equal((await send("GET", `/api/kpis/${kpi.id}/values`)).json.total, 0);
  const huge = { value: "9223372036854775807", at: "2024-01-01" };
  assert.equal((await send("POST", `/api/kpis/${kpi.id}/values`, huge)).status, 400);
  await put(kpi, { value: "90000000000000000.00", at: "2024-01-01T00:00:00Z" });
  const over = await send("POST", `/api/kpis/${kpi.id}/values`, { value: "90000000000000000.00", at: "2024-01-01T01:00:00Z" });
  assert.equal(over.status, 400, "a day's sum beyond 64 bits is refused");
  assert.equal((await send("GET", `/api/kpis/${kpi.id}/values`)).json.total, 1);
});

test("CSV in every common dress", async () => {
  const expected = [["2024-01-01", 1.5], ["2024-01-02", 2]];
  const bodies = ["date,value\r\n2024-01-01,1.5\r\n2024-01-02,2\r\n", "\ufeffdate;value\n2024-01-01;1.5\n2024-01-02;2\n", "date,value\r2024-01-01,1.5\r2024-01-02,2"];
  for (const body of bodies) {
    const kpi = await newKpi();
    const answer = await server.request("POST", `/api/kpis/${kpi.id}/values`, { auth: admin, body, type: "text/csv" });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(await figures(kpi, "interval=day"), expected);
  }
  const kpi = await newKpi();
  const bad = await server.request("POST", `/api/kpis/${kpi.id}/values`, { auth: admin, body: "date,value\n2024-01-01,x\n2024-01-02,1\n", type: "text/csv" });
  assert.equal(bad.status, 400);
  assert.ok(Object.keys(bad.json.fields)[0].startsWith("line 2"), bad.text);
  const form = new FormData();
  form.append("file", new Blob(["date,value,country\n2024-01-01,3,France\n2024-01-01,4,Spain\n"]), "v.csv");
  assert.equal((await server.request("POST", `/api/kpis/${kpi.id}/values`, { auth: admin, body: form })).status, 201);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-01-01", 7]]);
});

test("a formula is the ratio of sums, missing where it cannot be told", async () => {
  const won = await newKpi({ type: "COUNT" });
  const leads = await newKpi({ type: "COUNT" });
  const rate = await newKpi({ type: "PERCENTAGE", formula: `{${won.id}} / {${leads.id}} * 100` });
  await put(leads, [{ value: 10, at: "2024-01-01" }, { value: 30, at: "2024-01-02" }, { value: 0, at: "2024-02-01" }]);
  await put(won, [{ value: 5, at: "2024-01-01" }, { value: 3, at: "2024-01-02" }, { value: 1, at: "2024-02-01" }]);
  assert.deepEqual(await figures(rate, "interval=day"), [["2024-01-01", 50], ["2024-01-02", 10]]);
  assert.deepEqual(await figures(rate, "interval=month"), [["2024-01-01", 20]]);
  assert.equal((await send("POST", `/api/kpis/${rate.id}/values`, { value: 1 })).status, 400);
  assert.equal((await send("DELETE", `/api/kpis/${won.id}`)).json.code, "KPI_IN_USE");
  const circle = await send("PUT", `/api/kpis/${rate.id}`, { formula: `{${rate.id}} + 1` });
  assert.ok("formula" in circle.json.fields);
  const second = await newKpi({ type: "NUMERIC", formula: `{${rate.id}} * 2` });
  assert.equal((await send("PUT", `/api/kpis/${rate.id}`, { formula: `{${second.id}} / 2` })).status, 400);
  assert.equal((await send("PUT", `/api/kpis/${rate.id}`, { formula: "{nobody} / 2" })).status, 400);
  assert.equal((await send("PUT", `/api/kpis/${leads.id}`, { formula: `{${won.id}}` })).status, 400, "it has values of its own");
});

test("the state follows value, correction, target and deletion", async () => {
  const kpi = await newKpi({ type: "NUMERIC", thresholds: { target_value: 100 } });
  assert.equal((await state(kpi)).status, "no_data");
  const values = [[90, "on_track"], [70, "warning"], [81, "warning"], [83, "on_track"], [50, "critical"], [61, "critical"], [62, "warning"]];
  for (const [i, [value, expected]] of values.entries()) {
    await put(kpi, { value, at: `2024-01-01T00:0${i}:00Z` });
    const { status, current_value, achievement } = await state(kpi);
    assert.deepEqual([current_value, achievement, status], [value, value / 100, expected]);
  }
  await send("PUT", `/api/kpis/${kpi.id}/targets`, [{ period: "month", start: "2024-01-15", value: 60 }]);
  assert.equal((await state(kpi)).status, "on_track");
  assert.equal((await send("GET", `/api/kpis/${kpi.id}/targets`)).json.items[0].start, "2024-01-01");
  assert.equal((await send("DELETE", `/api/kpis/${kpi.id}/targets/month/2024-01-01`)).status, 204);
  assert.equal((await send("DELETE", `/api/kpis/${kpi.id}/targets/month/2024-01-01`)).status, 404);
});

test("predictions answer with intervals, or say why not", async () => {
  const kpi = await newKpi({ type: "NUMERIC", thresholds: { target_value: 1000 } });
  const none = (await send("GET", `/api/kpis/${kpi.id}/predictions`)).json;
  assert.deepEqual(none.predictions, []);
  assert.match(none.reason, /\d/);
  const values = Array.from({ length: 120 }, (_, i) => ({ value: 100 + (i % 7) * 10, at: new Date(Date.UTC(2024, 0, 1 + i)).toISOString() }));
  await put(kpi, values);
  const { predictions, horizon, interval, kpi_id, target } = (await send("GET", `/api/kpis/${kpi.id}/predictions?horizon=14`)).json;
  assert.deepEqual([predictions.length, horizon, interval, kpi_id], [14, 14, "day", kpi.id]);
  assert.equal(predictions[0].date, "2024-04-30");
  for (const p of predictions) {
    assert.ok(p.lower_95 <= p.lower_80 && p.lower_80 <= p.value && p.value <= p.upper_80 && p.upper_80 <= p.upper_95);
    assert.ok(Math.abs(p.value - (100 + ((120 + predictions.indexOf(p)) % 7) * 10)) < 15, `${p.date}: ${p.value}`);
  }
  assert.ok(target.probability >= 0 && target.probability <= 0.05);
  for (const bad of ["0", "366", "-1", "x", "1.5"]) assert.equal((await send("GET", `/api/kpis/${kpi.id}/predictions?horizon=${bad}`)).status, 400, bad);
});

test("an assignment gives exactly the rights it names", async () => {
  const kpi = await newKpi();
  const person = await server.person("robin", "EMPLOYEE");
  const as = (method, path, json) => server.request(method, `/api/kpis/${kpi.id}${path}`, { auth: person.auth, json });
  assert.equal((await as("GET", "")).status, 404, "unassigned it is not seen");
  const { status, json: given } = await send("POST", `/api/kpis/${kpi.id}/assignments`,
    { type: "USER", target_id: "robin", role: "CONTRIBUTOR", permissions: { can_view: true } });
  assert.equal(status, 201);
  assert.equal((await as("GET", "")).status, 200);
  const rights = { can_edit: ["PUT", "", { description: "x" }, 200], can_assign: ["POST", "/assignments", { type: "TEAM", target_id: "t1", role: "VIEWER" }, 201], can_delete: ["DELETE", "", undefined, 204] };
  for (const [right, [method, path, body, success]] of Object.entries(rights)) {
    assert.equal((await as(method, path, body)).status, 403, `${right} before`);
    const changed = await send("PUT", `/api/kpis/${kpi.id}/assignments/${given.id}`, { permissions: { [right]: true } });
    assert.deepEqual(changed.json.permissions, { ...given.permissions, [right]: true });
    assert.equal((await as(method, path, body)).status, success, `${right} after`);
    if (right !== "can_delete") await send("PUT", `/api/kpis/${kpi.id}/assignments/${given.id}`, { permissions: { [right]: false } });
  }
});

test("when the company moves to another time zone its values move to the days of that zone", async () => {
  const company = (await send("GET", "/api/v1/companies")).json.data[0];
  const kpi = await newKpi({ type: "COUNT" });
  await put(kpi, [{ value: 1, at: "2024-05-01T03:00:00Z" }, { value: 2, at: "2024-05-01T23:00:00Z", dimensions: { a: "b" } }]);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-05-01", 3]]);
  const move = (time_zone) => send("PUT", `/api/v1/companies/${company.id}`, { time_zone });
  assert.equal((await move("America/New_York")).status, 200);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-04-30", 1], ["2024-05-01", 2]]);
  assert.deepEqual(await figures(kpi, "interval=month"), [["2024-04-01", 1], ["2024-05-01", 2]]);
  assert.equal((await move("Asia/Tokyo")).status, 200);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-05-01", 1], ["2024-05-02", 2]]);
  assert.deepEqual(await figures(kpi, `interval=day&dimensions=${encodeURIComponent('{"a":"b"}')}`), [["2024-05-02", 2]]);
  assert.equal((await move("Mars/Olympus")).status, 400);
  assert.equal((await move(company.time_zone)).status, 200);
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-05-01", 3]]);
});

test("many slices of one day are replaced at once, and every slice's figure is right", async () => {
  const kpi = await newKpi({ aggregation: "sum" });
  const day = (value, count) => Array.from({ length: count }, (_, i) => ({ value: value + i, at: "2024-06-01T10:00:00Z", dimensions: { shop: `shop ${i}` } }));
  await put(kpi, day(1, 2000));
  await put(kpi, [{ value: 5, at: "2024-06-01T11:00:00Z", dimensions: { shop: "shop 1999" } }]);
  await put(kpi, day(100, 2000));
  const total = 2000 * 100 + (2000 * 1999) / 2 + 5;
  assert.deepEqual(await figures(kpi, "interval=day"), [["2024-06-01", total]]);
  const slice = (shop) => figures(kpi, `interval=day&dimensions=${encodeURIComponent(JSON.stringify({ shop }))}`);
  assert.deepEqual(await slice("shop 0"), [["2024-06-01", 100]]);
  assert.deepEqual(await slice("shop 1234"), [["2024-06-01", 1334]]);
  assert.deepEqual(await slice("shop 1999"), [["2024-06-01", 2104]]);
});

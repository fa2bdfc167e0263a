// What happens is told exactly once: one event for each crossing of a threshold, with hysteresis, also through formulas, corrections and
// deletions; one event with old and new values for each change; none for what was refused. Looked up in the store itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";
import { rows } from "./support/database.mjs";

let server, admin;
before(async () => {
  server = await startCompanies(["North"]);
  [admin] = server.admins;
});
after(() => server.stop());

let count = 0;
const send = (method, path, json) => server.request(method, path, { auth: admin, json });
async function newKpi(more = {}) {
  const answer = await send("POST", "/api/kpis", { name: `KPI ${++count}`, type: "NUMERIC", thresholds: { target_value: 100 }, ...more });
  assert.equal(answer.status, 201, answer.text);
  return answer.json.id;
}
async function put(kpi, value, at, status = 201) {
  const answer = await send("POST", `/api/kpis/${kpi}/values`, { value, at });
  assert.equal(answer.status, status, answer.text);
  return answer.json;
}

// Events since the last look, oldest first.
let seen = 0;
async function told(where = "1 = 1") {
  const found = await rows(server.store, `SELECT seq, type, object_type, object_id, actor_name, request_id, old_values, new_values FROM event WHERE seq > ${seen} AND ${where} ORDER BY seq`);
  for (const event of found) {
    seen = Math.max(seen, event.seq);
    for (const key of ["old_values", "new_values"]) event[key] = event[key] === null ? null : JSON.parse(event[key]);
  }
  return found;
}
const crossings = async () => (await told("type LIKE 'threshold.%'"))
  .map((e) => `${e.object_id} ${e.type.slice(10)} ${e.new_values.previous_status}>${e.new_values.status} ${e.new_values.value}`);
const minute = (n) => `2024-01-01T00:${String(n).padStart(2, "0")}:00Z`;

test("a crossing is told once, and only beyond the hysteresis is it better again", async () => {
  const kpi = await newKpi();
  await told();
  const expected = {
    0: [90, []],
    1: [79.9, ["breached on_track>warning 79.9"]],
    2: [70, []],
    3: [81.9, []], // above 80, not above 82
    4: [82, ["recovered warning>on_track 82"]],
    5: [80, []], // 80 is not below 80
    6: [59.9, ["breached on_track>critical 59.9"]],
    7: [61.9, []],
    8: [75, ["recovered critical>warning 75"]],
    9: [59, ["breached warning>critical 59"]],
    10: [100, ["recovered critical>on_track 100"]],
    11: [100, []],
  };
  for (const [n, [value, events]] of Object.entries(expected)) {
    await put(kpi, value, minute(n));
    assert.deepEqual(await crossings(), events.map((e) => `${kpi} ${e}`), `value ${value}`);
  }
});

test("a first value that is fine is no news, a bad one is", async () => {
  const [good, bad] = [await newKpi(), await newKpi()];
  await told();
  await put(good, 100, minute(0));
  await put(bad, 10, minute(0));
  assert.deepEqual(await crossings(), [`${bad} breached no_data>critical 10`]);
});

test("a bulk is judged by where it ends", async () => {
  const kpi = await newKpi();
  await put(kpi, 100, minute(0));
  await told();
  const values = [10, 100, 20, 100, 50, 95].map((value, i) => ({ value, at: minute(i + 1) }));
  await send("POST", `/api/kpis/${kpi}/values`, values);
  assert.deepEqual(await crossings(), []);
  await send("POST", `/api/kpis/${kpi}/values`, [{ value: 100, at: minute(20) }, { value: 30, at: minute(21) }]);
  assert.deepEqual(await crossings(), [`${kpi} breached on_track>critical 30`]);
});

test("corrections and deletions cross too, back to no_data at the end", async () => {
  const kpi = await newKpi();
  const first = await put(kpi, 100, minute(0));
  const second = await put(kpi, 100, minute(1));
  await told();
  const path = `/api/kpis/${kpi}/values/${second.id}`;
  await send("PUT", path, { value: 65 });
  assert.deepEqual(await crossings(), [`${kpi} breached on_track>warning 65`]);
  await send("PUT", path, { value: 65 });
  assert.deepEqual(await crossings(), []);
  assert.equal((await send("DELETE", path)).status, 204);
  assert.deepEqual(await crossings(), [`${kpi} recovered warning>on_track 100`]);
  assert.equal((await send("DELETE", `/api/kpis/${kpi}/values/${first.id}`)).status, 204);
  assert.deepEqual(await crossings(), [`${kpi} no_data on_track>no_data null`]);
});

test("target, thresholds and status of the KPI cross as values do", async () => {
  const kpi = await newKpi();
  await put(kpi, 90, minute(0));
  await told();
  await send("PUT", `/api/kpis/${kpi}`, { thresholds: { target_value: 200 } });
  assert.deepEqual(await crossings(), [`${kpi} breached on_track>critical 90`]);
  await send("PUT", `/api/kpis/${kpi}/targets`, { period: "month", start: "2024-01-01", value: 90 });
  assert.deepEqual(await crossings(), [`${kpi} recovered critical>on_track 90`]);
  await send("PUT", `/api/kpis/${kpi}`, { status: "inactive" });
  await put(kpi, 1, minute(1));
  assert.deepEqual(await crossings(), [], "an inactive KPI is silent");
  await send("PUT", `/api/kpis/${kpi}`, { status: "active" });
  assert.deepEqual(await crossings(), [`${kpi} breached on_track>critical 1`]);
  await send("DELETE", `/api/kpis/${kpi}/targets/month/2024-01-31`);
  assert.deepEqual(await crossings(), []);
});

test("formulas cross in the same transaction, each once", async () => {
  const [won, leads] = [await newKpi({ type: "COUNT", thresholds: {} }), await newKpi({ type: "COUNT", thresholds: {} })];
  const rate = await newKpi({ type: "PERCENTAGE", formula: `{${won}} / {${leads}} * 100`, thresholds: { target_value: 50 } });
  const twice = await newKpi({ type: "NUMERIC", formula: `{${rate}} * 2 + 0 * {${won}}`, thresholds: { target_value: 100 } });
  await put(leads, 10, "2024-01-01");
  await put(won, 5, "2024-01-01");
  await told();
  const low = await put(won, 0, "2024-01-01");
  const events = await told();
  const threshold = events.filter((e) => e.type.startsWith("threshold."));
  assert.deepEqual(threshold.map((e) => [e.object_id, e.type, e.new_values.status]).sort(),
    [[rate, "threshold.breached", "critical"], [twice, "threshold.breached", "critical"]]);
  assert.equal(new Set(events.map((e) => e.request_id)).size, 1);
  await send("PUT", `/api/kpis/${won}/values/${low.id}`, { value: 5 });
  assert.deepEqual((await crossings()).map((t) => t.split(" ").slice(0, 3).join(" ")).sort(),
    [`${rate} recovered critical>on_track`, `${twice} recovered critical>on_track`]);
  await send("DELETE", `/api/kpis/${leads}/values/${(await send("GET", `/api/kpis/${leads}/values`)).json.items[0].id}`);
  assert.deepEqual((await crossings()).map((t) => t.split(" ").slice(0, 3).join(" ")).sort(),
    [leads, rate, twice].map((kpi) => `${kpi} no_data on_track>no_data`));
});

test("of many writers at once each crossing is told once and in turn", async () => {
  const kpi = await newKpi();
  await put(kpi, 100, minute(0));
  await told();
  await Promise.all(Array.from({ length: 40 }, (_, i) => put(kpi, i % 2 ? 10 : 100, new Date(Date.UTC(2024, 1, 1, 0, 0, i)).toISOString())));
  const events = await told("type LIKE 'threshold.%'");
  let state = "on_track";
  for (const { new_values: now } of events) {
    assert.equal(now.previous_status, state);
    assert.notEqual(now.status, state);
    state = now.status;
  }
  assert.equal((await send("GET", `/api/kpis/${kpi}/analytics`)).json.status, state);
  assert.equal(state, "critical");
});

test("every change has one event with what was and what is; a refused one has none", async () => {
  await told();
  const steps = [];
  const step = async (type, method, path, json, status) => {
    const answer = await send(method, path, json);
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`);
    const events = (await told()).filter((e) => !e.type.startsWith("threshold."));
    assert.deepEqual(events.map((e) => e.type), type ? [type] : [], `${method} ${path}`);
    for (const event of events) {
      assert.equal(event.request_id, answer.headers.get("x-request-id"));
      assert.equal(event.actor_name, "admin0");
      steps.push(event);
    }
    return { ...events[0], answer: answer.json };
  };
  const { answer: kpi, ...made } = await step("kpi.created", "POST", "/api/kpis", { name: "Audited", type: "NUMERIC", thresholds: { target_value: 100 } }, 201);
  assert.equal(made.old_values, null);
  assert.equal(made.new_values.name, "Audited");
  const path = `/api/kpis/${kpi.id}`;
  const renamed = await step("kpi.updated", "PUT", path, { name: "Renamed", thresholds: { target_value: 50 } }, 200);
  assert.deepEqual([renamed.old_values.name, renamed.new_values.name], ["Audited", "Renamed"]);
  await step(null, "PUT", path, { name: "Renamed" }, 200);
  await step(null, "PUT", path, { thresholds: { critical_threshold: 5 } }, 400);
  const { answer: value } = await step("kpi.values_recorded", "POST", `${path}/values`, { value: 50, at: minute(0), note: "first" }, 201);
  await step(null, "POST", `${path}/values`, [{ value: 1, at: minute(1) }, { value: "x" }], 400);
  const again = await step("kpi.values_recorded", "POST", `${path}/values`, { value: 51, at: minute(0) }, 201);
  assert.deepEqual([again.old_values.values[0].value, again.old_values.values[0].note, again.new_values.values[0].value], [50, "first", 51]);
  const corrected = await step("kpi.value_corrected", "PUT", `${path}/values/${value.id}`, { value: 52 }, 200);
  assert.deepEqual([corrected.old_values.values[0].value, corrected.new_values.values[0].value], [51, 52]);
  const deleted = await step("kpi.value_deleted", "DELETE", `${path}/values/${value.id}`, undefined, 204);
  assert.deepEqual([deleted.old_values.values[0].value, deleted.new_values], [52, null]);
  await step(null, "DELETE", `${path}/values/${value.id}`, undefined, 404);
  const target = { period: "month", start: "2024-01-01" };
  assert.equal((await step("kpi.targets_set", "PUT", `${path}/targets`, { ...target, value: 10 }, 200)).old_values, null);
  const raised = await step("kpi.targets_set", "PUT", `${path}/targets`, [{ ...target, value: 20 }, { ...target, start: "2024-02-01", value: 30 }], 200);
  assert.deepEqual([raised.old_values.map((t) => t.value), raised.new_values.map((t) => t.value)], [[10], [20, 30]]);
  await step(null, "PUT", `${path}/targets`, [{ ...target, value: 1 }, { ...target, value: "x" }], 400);
  const dropped = await step("kpi.target_deleted", "DELETE", `${path}/targets/month/2024-01-01`, undefined, 204);
  assert.deepEqual([dropped.old_values, dropped.new_values], [[{ ...target, value: 20 }], null]);
  const { answer: given } = await step("assignment.created", "POST", `${path}/assignments`, { type: "TEAM", target_id: "t", role: "VIEWER" }, 201);
  const changed = await step("assignment.updated", "PUT", `${path}/assignments/${given.id}`, { role: "OWNER" }, 200);
  assert.deepEqual([changed.old_values.role, changed.new_values.role], ["VIEWER", "OWNER"]);
  await step(null, "POST", `${path}/assignments`, { type: "TEAM", target_id: "t", role: "VIEWER" }, 409);
  const ended = await step("assignment.updated", "DELETE", `${path}/assignments/${given.id}`, undefined, 204);
  assert.deepEqual([ended.old_values.status, ended.new_values.status], ["ACTIVE", "INACTIVE"]);
  const gone = await step("kpi.deleted", "DELETE", path, undefined, 204);
  assert.deepEqual([gone.old_values.name, gone.new_values], ["Renamed", null]);
  await step(null, "DELETE", path, undefined, 404);
  assert.equal(new Set(steps.map((e) => e.request_id)).size, steps.length);
});

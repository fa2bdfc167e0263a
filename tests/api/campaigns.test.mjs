// Campaigns and their values: all or nothing, signs and digits, the one store that both doors open to, each company's own campaign 123,
// first uses at once, limits by campaign, and what a completed campaign brings about.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { PASSWORD, startCompanies } from "./support/company.mjs";
import { rows } from "./support/database.mjs";
import { basic, command, newStore, startServer } from "./support/server.mjs";

let server, admin, other, analyst, employee;
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, other] = server.admins;
  analyst = await server.person("ana", "ANALYST");
  employee = await server.person("eve", "EMPLOYEE");
});
after(() => server.stop());

const send = (method, path, json, auth = admin, headers = {}) => server.request(method, path, { auth, json, headers });
const post = (campaign, json, auth) => send("POST", `/api/kpis/campaigns/${campaign}`, json, auth);
const list = async (campaign, query = "", auth) => (await send("GET", `/api/kpis/campaigns/${campaign}${query}`, undefined, auth)).json;
const at = (hour) => `2024-06-15T${String(hour).padStart(2, "0")}:00:00Z`;
const faults = ({ status, json }) => [status, Object.keys(json.details ?? {}).sort()];

test("one object is answered as a list of one; what is left out is null or now", async () => {
  const before = Date.now();
  const answer = await post(1, { metric: "Clicks", value: 12 }, analyst.auth);
  assert.equal(answer.status, 201, answer.text);
  const [value] = answer.json;
  assert.deepEqual({ ...value, id: 0, recorded_at: 0 }, { id: 0, campaign_id: 1, metric: "Clicks", value: 12, recorded_at: 0, source: null, channel: null });
  assert.ok(Date.parse(value.recorded_at) >= before - 1 && Date.parse(value.recorded_at) <= Date.now());
  assert.equal((await send("GET", "/api/campaigns/1")).json.name, "Campaign 1");
});

test("creative and further dimensions come back; they tell values apart", async () => {
  const full = { campaign_id: 2, metric: "CTR", value: 0.02, source: "Facebook", channel: "Paid Social", creative: "A", dimensions: { age: "30-34", gender: "F" }, recorded_at: at(9) };
  const [a, b] = (await post(2, [full, { ...full, creative: "B", value: 0.03 }])).json;
  assert.deepEqual({ ...a }, { id: a.id, ...full });
  assert.ok(b.id > a.id);
  const [again] = (await post(2, { ...full, value: 0.025 })).json;
  assert.deepEqual([again.id, again.value], [a.id, 0.025]);
  assert.deepEqual(await list(2), [again, b]);
  const kpi = (await send("GET", "/api/kpis/campaign-ctr/values")).json;
  assert.deepEqual(kpi.items[0].dimensions, { age: "30-34", campaign: "2", channel: "Paid Social", creative: "A", gender: "F", source: "Facebook" });
});

test("what is wrong is named, all of it, under the element's name and the field's own, and nothing is stored", async () => {
  const good = { metric: "ROI", value: 1, recorded_at: at(1) };
  const one = async (bad) => faults(await post(3, { ...good, ...bad }));
  for (const [bad, field] of [[{ metric: "" }, "metric"], [{ metric: 5 }, "metric"], [{ metric: null }, "metric"], [{ metric: "x".repeat(101) }, "metric"], [{ metric: "a\u0000b" }, "metric"],
    [{ value: null }, "value"], [{ value: "many" }, "value"], [{ value: "NaN" }, "value"], [{ value: "Infinity" }, "value"], [{ value: [1] }, "value"], [{ value: 1e300 }, "value"], [{ value: true }, "value"],
    [{ campaign_id: 4 }, "campaign_id"], [{ campaign_id: "four" }, "campaign_id"], [{ recorded_at: "yesterday" }, "recorded_at"], [{ recorded_at: "2024-02-30T00:00:00Z" }, "recorded_at"], [{ recorded_at: 5 }, "recorded_at"],
    [{ source: 5 }, "source"], [{ source: "x".repeat(256) }, "source"], [{ channel: {} }, "channel"], [{ creative: ["A"] }, "creative"],
    [{ dimensions: "A" }, "dimensions"], [{ dimensions: { campaign: "9" } }, "dimensions"], [{ dimensions: { a: "1", b: "2", c: "3", d: "4", e: "5" } }, "dimensions"], [{ dimensions: { a: null } }, "dimensions"]]) {
    assert.deepEqual(await one(bad), [400, [field]], JSON.stringify(bad));
  }
  const several = await post(3, [good, { value: -5 }, { ...good, value: "x" }, 7]);
  assert.deepEqual(faults(several), [400, ["[1].metric", "[1].value", "[2].value", "[3]", "metric", "value"]]);
  assert.deepEqual(several.json.details["[1].value"], ["Must be a positive number"]);
  assert.deepEqual(faults(await post(3, [])), [400, ["non_field_errors"]]);
  assert.deepEqual(faults(await post(3, Array(1001).fill(good))), [400, ["non_field_errors"]]);
  assert.deepEqual(faults(await post(3, "text")), [400, ["non_field_errors"]]);
  for (const body of ["{\"metric\":\"ROI\",\"value\":NaN}", "{\"metric\":\"ROI\",\"value\":Infinity}", "[{]"]) {
    const answer = await server.request("POST", "/api/kpis/campaigns/3", { auth: admin, body, type: "application/json" });
    assert.deepEqual([answer.status, answer.json.code], [400, "MALFORMED"], body);
  }
  const huge = await server.request("POST", "/api/kpis/campaigns/3", { auth: admin, body: "{\"metric\":\"ROI\",\"value\":1e400}", type: "application/json" });
  assert.deepEqual(faults(huge), [400, ["value"]]);
  assert.equal((await send("GET", "/api/campaigns/3")).status, 404, "not even the campaign was made");
  assert.equal((await send("GET", "/api/kpis/campaign-roi")).status, 404);
});

test("only signed metrics go below zero; others can be registered as signed", async () => {
  assert.equal((await post(4, { metric: "ROI", value: -0.4 })).status, 201);
  for (const metric of ["CTR", "Clicks", "Spend", "Footfall"]) {
    const answer = await post(4, { metric, value: -1 });
    assert.deepEqual([answer.status, answer.json.details], [400, { value: ["Must be a positive number"] }], metric);
    assert.equal((await post(4, { metric, value: 0 })).status, 201, metric);
    assert.equal((await post(4, { metric, value: "-0" })).status, 201, metric);
  }
  assert.equal((await post(4, { metric: "CTR", value: -1e-30 })).status, 400, "too small to be kept, but negative");
  assert.equal((await post(4, { metric: "Clicks", value: 1.5 })).status, 400, "half a click");
  assert.equal((await send("POST", "/api/campaigns/metrics/", { name: "Net sentiment", signed: true }, analyst.auth)).status, 403);
  const registered = await send("POST", "/api/campaigns/metrics/", { name: "Net sentiment", signed: true });
  assert.deepEqual([registered.status, registered.json], [201, { name: "Net sentiment", kpi_id: "campaign-net-sentiment", part: "other", signed: true }]);
  assert.equal((await post(4, { metric: "NET_SENTIMENT", value: -3 })).json[0].metric, "Net sentiment");
  assert.equal((await send("POST", "/api/campaigns/metrics/", { name: "footfall", signed: true })).json.name, "Footfall");
  assert.equal((await post(4, { metric: "Footfall", value: -3 })).status, 201);
  assert.ok((await send("GET", "/api/campaigns/metrics")).json.some((m) => m.name === "Footfall" && m.signed));
  for (const body of [{}, { name: "" }, { name: 5 }, { name: "x", signed: "often" }]) assert.equal((await send("POST", "/api/campaigns/metrics", body)).status, 400);
});

test("numbers are kept to the metric's digits, also those that a program computed", async () => {
  const values = (await post(5, [{ metric: "Spend", value: 1.429999948, recorded_at: at(1) }, { metric: "Spend", value: 0.1 + 0.2, recorded_at: at(2) }, { metric: "CTR", value: "0.0234567891", recorded_at: at(3) },
    { metric: "Impressions", value: 7350, recorded_at: at(4) }])).json;
  assert.deepEqual(values.map((v) => v.value), [1.43, 0.3, 0.023457, 7350]);
});

test("a metric's KPI is a sensible one, found and named", async () => {
  await post(6, [{ metric: "Cost per click", value: 0.4 }, { metric: "Conversion Rate", value: 0.1 }, { metric: "Чеки", value: 1 }]);
  const kpi = async (id) => (await send("GET", `/api/kpis/${id}`)).json;
  const shape = (k) => [k.name, k.type, k.aggregation, k.thresholds.direction, k.decimals, k.unit ?? k.currency, k.owner_id];
  const currency = (await kpi("campaign-spend")).currency;
  assert.deepEqual(shape(await kpi("campaign-spend")), ["Campaign Spend", "CURRENCY", "sum", "lower", 6, currency, null]);
  assert.deepEqual(shape(await kpi("campaign-cost-per-click")), ["Campaign Cost per click", "NUMERIC", "avg", "lower", 6, currency, null]);
  assert.deepEqual(shape(await kpi("campaign-conversion-rate")), ["Campaign Conversion Rate", "RATIO", "avg", "higher", 6, null, null]);
  assert.deepEqual(shape(await kpi("campaign-impressions")), ["Campaign Impressions", "COUNT", "sum", "higher", 0, null, null]);
  assert.equal((await kpi("campaign-metric")).name, "Campaign Чеки");
  // A KPI of that id or name that somebody made already is left alone.
  await send("POST", "/api/kpis", { id: "campaign-reach", name: "Reach", type: "COUNT" });
  await post(6, { metric: "Reach", value: 5 });
  assert.equal((await kpi("campaign-reach-2")).name, "Campaign Reach (2)");
  assert.deepEqual((await send("GET", "/api/kpis/campaign-reach/values")).json.items, []);
  // A deleted one takes its values along; the next use makes another.
  await send("DELETE", "/api/kpis/campaign-reach-2");
  assert.equal((await list(6)).some((v) => v.metric === "Reach"), false);
  const [{ id }] = (await post(6, { metric: "reach", value: 6 })).json;
  assert.deepEqual((await list(6, "?metric=REACH")).map((v) => [v.id, v.value]), [[id, 6]]);
  assert.equal((await kpi("campaign-reach-3")).status, "active");
});

test("values are one store: what comes in, changes or goes at the KPI's door does so at the campaign's", async () => {
  const roi = (path, method, json) => send(method, `/api/kpis/campaign-roi/values${path}`, json);
  const [mine] = (await post(7, { metric: "ROI", value: 2, source: "Google", recorded_at: at(1) })).json;
  const theirs = (await roi("", "POST", { value: 3, at: at(2), dimensions: { source: "Bing", campaign: "7" } })).json;
  const bulk = await roi("", "POST", [{ value: 4, at: at(3), dimensions: { campaign: "7" } }, { value: 9, at: at(3), dimensions: { campaign: "seven" } }, { value: 9, at: at(3) }, { value: 9, at: at(3), dimensions: { campaigns: "7" } }]);
  assert.equal(bulk.status, 201, bulk.text);
  assert.deepEqual((await list(7)).map((v) => [v.value, v.source]), [[2, "Google"], [3, "Bing"], [4, null]]);
  const ids = (await list(7)).map((v) => v.id);
  assert.deepEqual([new Set(ids).size, ids[0], ids.every((n) => Number.isInteger(n) && n > 0)], [3, mine.id, true]);
  const [replaced] = (await post(7, { metric: "ROI", value: 3.5, source: "Bing", recorded_at: at(2) })).json;
  assert.equal(replaced.id, ids[1], "replaced at the other door it keeps its id");
  const moved = await roi(`/${theirs.id}`, "PUT", { value: 3.6, at: at(5) });
  assert.equal(moved.status, 200, moved.text);
  assert.deepEqual((await list(7)).map((v) => [v.id, v.value]), [[ids[0], 2], [ids[2], 4], [ids[1], 3.6]]);
  assert.equal((await roi(`/${moved.json.id}`, "DELETE")).status, 204);
  assert.deepEqual((await list(7)).map((v) => v.id), [ids[0], ids[2]]);
  const day = (await send("GET", "/api/kpis/campaign-roi/values?interval=day&from=2024-06-15&to=2024-06-15&dimensions=%7B%22campaign%22:%227%22%7D")).json.items;
  assert.deepEqual(day.map((d) => d.value), [4]);
});

test("whoever watches a campaign hears of its values through either door, in the campaign's words", async () => {
  const told = async () => (await rows(server.store, "SELECT new_values FROM event WHERE type = 'campaign.kpi_updated' AND object_id = '31' ORDER BY seq"))
    .map((r) => JSON.parse(r.new_values));
  const roi = (path, method, json) => send(method, `/api/kpis/campaign-roi/values${path}`, json);
  await post(31, { metric: "ROI", value: 1, recorded_at: at(1) });
  const entered = await roi("", "POST", [{ value: 2, at: at(2), dimensions: { campaign: "31", source: "Bing" } }, { value: 8, at: at(2), dimensions: { campaign: "3199" } }, { value: 9, at: at(2) }]);
  assert.equal(entered.status, 201, entered.text);
  const second = (await list(31)).at(-1);
  assert.deepEqual((await told()).slice(1), [[second]]);
  const { items } = (await roi("?limit=100", "GET")).json;
  const corrected = await roi(`/${items.find((v) => v.dimensions?.campaign === "31" && v.value === 2).id}`, "PUT", { value: 2.5 });
  assert.equal(corrected.status, 200, corrected.text);
  assert.deepEqual((await told()).slice(2), [[{ ...second, value: 2.5 }]]);
  assert.deepEqual(await rows(server.store, "SELECT seq FROM event WHERE type = 'campaign.kpi_updated' AND object_id = '3199'"), [], "a campaign that nobody has made");
});

test("lists filter by metric, source, channel and time, and are read on", async () => {
  const values = [...Array(10)].map((_, i) => ({ metric: i % 2 ? "ROI" : "CTR", value: i, source: i < 5 ? "Google" : "Facebook", channel: i % 3 ? "Search" : "Social", recorded_at: at(i) }));
  await post(8, values);
  const numbers = async (query) => (await list(8, query)).map((v) => v.value);
  assert.deepEqual(await numbers(""), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(await numbers("?metric=roi"), [1, 3, 5, 7, 9]);
  assert.deepEqual(await numbers("?source=Google&channel=Social"), [0, 3]);
  assert.deepEqual(await numbers("?channel=Social&skip=1&limit=2"), [3, 6]);
  assert.deepEqual(await numbers("?skip=2&limit=3"), [2, 3, 4]);
  assert.deepEqual(await numbers(`?from=${at(3)}&to=${at(5)}`), [3, 4]);
  assert.deepEqual(await numbers("?metric=Nothing"), []);
  for (const query of ["?limit=0", "?limit=10001", "?skip=-1", "?from=now", `?from=${at(5)}&to=${at(3)}`]) {
    assert.equal((await send("GET", `/api/kpis/campaigns/8${query}`)).status, 400, query);
  }
});

test("each company has its own campaign 123, metrics and ids", async () => {
  await post(123, { metric: "ROI", value: 1, recorded_at: at(1) });
  assert.equal((await send("GET", "/api/kpis/campaigns/123", undefined, other)).status, 404);
  assert.equal((await post(123, { metric: "roi", value: 2, recorded_at: at(1) }, other)).json[0].metric, "roi");
  assert.deepEqual((await list(123)).map((v) => v.value), [1]);
  assert.deepEqual((await list(123, "", other)).map((v) => v.value), [2]);
});

test("who may: recording needs a role, reading the sight of the campaign", async () => {
  assert.equal((await post(9, { metric: "ROI", value: 1 }, employee.auth)).status, 403);
  await post(9, { metric: "ROI", value: 1 });
  assert.equal((await send("GET", "/api/kpis/campaigns/9", undefined, employee.auth)).status, 404);
  await send("PATCH", "/api/campaigns/9", { owner_id: employee.id });
  assert.equal((await list(9, "", employee.auth)).length, 1);
  const made = await send("POST", "/api/v1/api-keys", { name: "ads", role: "INTEGRATION" });
  const sent = await server.request("POST", "/api/kpis/campaigns/9", { headers: { "x-api-key": made.json.data.key }, json: { metric: "ROI", value: 2 } });
  assert.equal(sent.status, 201, `${made.text} ${sent.text}`);
});

test("ids that no campaign can have are not found", async () => {
  for (const id of ["0", "-1", "9007199254740993", "99999999999999999999", "abc", "1.0", "+5", "%2e%2e"]) {
    const answer = await post(id, { metric: "ROI", value: 1 });
    assert.ok([400, 404].includes(answer.status), `${id}: ${answer.status} ${answer.text}`);
  }
  assert.equal((await post("9007199254740992", { metric: "ROI", value: 1 })).status, 201);
});

test("first uses at once make one campaign and one KPI, and no value is lost", async () => {
  const answers = await Promise.all([...Array(8)].map((_, i) => post(555, [
    { metric: i % 2 ? "Brand lift" : "Recall", value: i, recorded_at: at(i) }, { metric: i % 2 ? "Recall" : "Brand lift", value: i, recorded_at: at(i) }])));
  assert.deepEqual(answers.map((a) => a.status), Array(8).fill(201), answers.map((a) => a.text).join("\n"));
  assert.equal((await list(555)).length, 16);
  assert.equal((await send("GET", "/api/campaigns?name=Campaign 555")).json.length, 1);
  assert.equal((await send("GET", "/api/campaigns/metrics")).json.filter((m) => ["Brand lift", "Recall"].includes(m.name)).length, 2);
  const made = await rows(server.store, "SELECT COUNT(*) AS n FROM event WHERE type = 'campaign.created' AND object_id = '555'");
  assert.equal(Number(made[0].n), 1);
});

test("a metric's first uses at once, of a campaign that is there, make one KPI; in any order nobody waits for nobody", async () => {
  await post(556, { metric: "Known", value: 1 });
  const metrics = ["Alpha", "Beta", "Gamma", "Delta"];
  const turned = (i) => [...metrics.slice(i % 4), ...metrics.slice(0, i % 4)];
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all([...Array(12)].map((_, i) => post(556, turned(i).map((metric) => ({ metric, value: i, recorded_at: at(i) })))));
    assert.deepEqual(answers.map((a) => a.status), Array(12).fill(201), answers.map((a) => a.text).join("\n"));
  }
  assert.equal((await list(556)).length, 1 + 12 * 4);
  const kpis = await rows(server.store, "SELECT id FROM kpi WHERE company_id = 1 AND (id LIKE 'campaign-alpha%' OR id LIKE 'campaign-gamma%')");
  assert.equal(kpis.length, 2);
});

test("a thousand values in one request, with the sums they come to", async () => {
  const values = [...Array(1000)].map((_, i) => ({ metric: ["Impressions", "Clicks", "Spend"][i % 3], value: i, source: `s${i % 7}`, creative: `c${i % 5}`, recorded_at: new Date(Date.UTC(2024, 0, 1 + (i % 50), i % 24)).toISOString() }));
  const answer = await post(10, values);
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(answer.json.map((v) => v.value), values.map((v) => v.value));
  const sum = (await send("GET", "/api/kpis/campaign-spend/values?interval=year&from=2024-01-01&to=2024-03-31")).json.items[0].value;
  assert.equal(sum, values.filter((v) => v.metric === "Spend").reduce((total, v) => total + v.value, 0));
});

test("campaigns are made, changed, filtered and, unused, deleted", async () => {
  const body = { name: "Spring collection", team_id: 789, budget: "5000.00", start_date: "2024-06-01", end_date: "2024-06-14", targets: { ROI: 1.5, CTR: 0.02 } };
  const made = await send("POST", "/api/campaigns/", body, analyst.auth);
  assert.equal(made.status, 201, made.text);
  const path = `/api/campaigns/${made.json.id}`;
  assert.deepEqual([made.json.status, made.json.owner_id, made.json.targets, Number(made.json.budget)], ["Active", analyst.id, body.targets, 5000]);
  assert.deepEqual((await send("GET", path)).json, made.json);
  assert.deepEqual((await send("GET", "/api/campaigns?team_id=789&status=active")).json, [made.json]);
  const stale = await send("PUT", path, { name: "x" }, admin, { "if-match": "\"9\"" });
  assert.equal(stale.status, 412);
  assert.equal((await send("PATCH", path, { targets: { ROI: 2 } })).json.targets.ROI, 2);
  for (const [bad, field] of [[{ end_date: "2024-05-01" }, "end_date"], [{ budget: -1 }, "budget"], [{ budget: 0.001 }, "budget"], [{ targets: [] }, "targets"], [{ targets: { ROI: "high" } }, "targets.ROI"],
    [{ status: "Paused" }, "status"], [{ owner_id: 987654 }, "owner_id"], [{ name: "" }, "name"], [{ start_date: "soon" }, "start_date"]]) {
    assert.deepEqual(faults(await send("PATCH", path, bad)), [400, [field]], JSON.stringify(bad));
  }
  assert.equal((await send("DELETE", path, undefined, employee.auth)).status, 403);
  assert.equal((await send("DELETE", path)).status, 204);
  assert.deepEqual([(await send("GET", path)).json.error, (await send("GET", path)).json.message], ["Campaign not found", `Campaign with ID ${made.json.id} does not exist`]);
  const used = (await send("POST", "/api/campaigns/", body)).json.id;
  await post(used, { metric: "ROI", value: 1 });
  assert.equal((await send("DELETE", `/api/campaigns/${used}`)).json.code, "CAMPAIGN_IN_USE");
  const looked = (await send("POST", "/api/campaigns/", body)).json.id;
  await send("POST", "/api/retrospectives/", { task_id: looked, scheduled_time: "2030-01-01T00:00:00Z" });
  assert.equal((await send("DELETE", `/api/campaigns/${looked}`)).status, 409);
});

test("a campaign made here gets an id that no client has chosen", async () => {
  const { json: { id } } = await send("POST", "/api/campaigns", { name: "one" });
  for (let i = 1; i <= 40; i++) await post(id + i, { metric: "ROI", value: 1 });
  const next = await Promise.all([...Array(5)].map(() => send("POST", "/api/campaigns", { name: "next" })));
  assert.deepEqual(next.map((a) => a.status), Array(5).fill(201));
  assert.equal(new Set(next.map((a) => a.json.id)).size, 5);
  for (const { json } of next) assert.ok(json.id > id + 40 || json.id < id, String(json.id));
});

test("a completed campaign asks for its retrospective with the change, once, and not when the company does not want it", async () => {
  const jobs = async (id) => (await rows(server.store, `SELECT kind FROM job WHERE company_id = 1 AND key = 'campaign:${id}:schedule'`)).length;
  const { json: { id } } = await send("POST", "/api/campaigns", { name: "done", team_id: 3 });
  assert.equal(await jobs(id), 0);
  const done = (await send("PATCH", `/api/campaigns/${id}`, { status: "completed" })).json;
  assert.ok(done.completed_at);
  assert.equal((await send("PATCH", `/api/campaigns/${id}`, { description: "and described" })).json.completed_at, done.completed_at);
  assert.equal(await jobs(id), 1);
  assert.equal((await send("PATCH", `/api/campaigns/${id}`, { status: "Active" })).json.completed_at, null);
  await send("PUT", "/api/retrospectives/settings", { auto_schedule: false });
  const { json: { id: second } } = await send("POST", "/api/campaigns", { name: "done too", status: "Completed" });
  assert.equal(await jobs(second), 0);
  await send("PUT", "/api/retrospectives/settings", { auto_schedule: true });
});

test("requests are counted by campaign and by retrospective, whoever sends them and however the id is written", async () => {
  const limited = await startCompanies(["North"], { limits: true });
  try {
    const [auth] = limited.admins;
    const ask = (path, json) => limited.request("POST", path, { auth, json });
    const value = { metric: "ROI", value: 1, recorded_at: at(1) };
    const first = await ask("/api/kpis/campaigns/1", value);
    assert.deepEqual([first.status, first.headers.get("x-ratelimit-limit")], [201, "100"]);
    // A hundred fit into a minute; when they are sent over the end of one, some more. Either form alone would have room for its 95.
    const counted = (answers, status) => answers.filter((a) => a.status === status).length;
    const answers = await Promise.all([...Array(190)].map((_, i) => ask(`/api/kpis/campaigns/${i % 2 ? "1" : "001"}`, value)));
    assert.deepEqual([counted(answers, 201) >= 99, counted(answers, 201) + counted(answers, 429)], [true, 190]);
    assert.ok(answers.find((a) => a.status === 429).headers.get("retry-after"));
    assert.equal((await ask("/api/kpis/campaigns/2", value)).status, 201, "another campaign has its own count");
    assert.equal((await limited.request("GET", "/api/kpis/campaigns/1", { auth })).status, 200, "reading is not counted");
    const { json: { id } } = await ask("/api/retrospectives", { task_id: 1, scheduled_time: "2030-01-01T00:00:00Z" });
    const insights = await Promise.all([...Array(30)].map(() => ask(`/api/retrospectives/${id}/insights/`, { summary: "x" })));
    assert.deepEqual([counted(insights, 201) >= 10, counted(insights, 429) >= 1, counted(insights, 201) + counted(insights, 429)], [true, true, 30]);
  } finally {
    await limited.stop();
  }
});

test("a recalculation finds nothing to do, whichever door the values came through", async () => {
  const store = await newStore();
  try {
    await command(["user", "add", ...store.args, "--username", "root", "--role", "ADMIN", "--company", "North", "--password-stdin"], { input: `${PASSWORD}\n` });
    const lone = await startServer({ store });
    const put = async (path, json, method = "POST") => {
      const answer = await lone.request(method, path, { auth: basic("root", PASSWORD), json });
      assert.ok(answer.status < 300, answer.text);
      return answer.json;
    };
    const values = [...Array(200)].map((_, i) => ({ metric: ["ROI", "Clicks", "Spend"][i % 3], value: i, source: `s${i % 4}`, recorded_at: new Date(Date.UTC(2024, 2, 28 + (i % 9), i % 24)).toISOString() }));
    await put("/api/kpis/campaigns/1", values);
    await put("/api/kpis/campaigns/1", values.slice(50, 120).map((v) => ({ ...v, value: v.value * 2 })));
    const theirs = await put("/api/kpis/campaign-spend/values", { value: 7, at: at(1), dimensions: { campaign: "1" } });
    await put(`/api/kpis/campaign-spend/values/${theirs.id}`, { value: 8, at: at(2) }, "PUT");
    await lone.stop();
    const { code, stdout, stderr } = await command(["recalculate", ...store.args]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /, 0 days were wrong/);
  } finally {
    await store.remove();
  }
});

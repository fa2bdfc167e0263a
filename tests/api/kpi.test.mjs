// KPIs of the kpi-management contract: the documented requests, merging, lists, thresholds, deletion, companies apart.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";

let server, admin, other;
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, other] = server.admins;
});
after(() => server.stop());

const send = (method, path, json, auth = admin) => server.request(method, path, { auth, json });
const documented = {
  name: "Quarterly Sales Target",
  description: "Track quarterly sales performance",
  type: "CURRENCY",
  thresholds: { min_value: 0, max_value: 1000000, target_value: 500000, warning_threshold: 0.8, critical_threshold: 0.6 },
  time_config: { start_date: "2024-01-01T00:00:00", end_date: "2024-03-31T23:59:59" },
};

test("the documented KPI comes back with what the server adds", async () => {
  const { status, json } = await send("POST", "/api/kpis", documented);
  assert.equal(status, 201);
  assert.match(json.id, /^kpi-\d{3,}$/);
  assert.equal(json.status, "active");
  assert.equal(json.version, 1);
  for (const key of ["name", "description", "type"]) assert.equal(json[key], documented[key]);
  for (const [key, value] of Object.entries(documented.thresholds)) assert.equal(json.thresholds[key], value);
  for (const key of ["team_id", "owner_id", "created_at", "updated_at"]) assert.ok(key in json, key);
  assert.equal(json.time_config.start_date, "2024-01-01T00:00:00Z");
});

test("PUT merges deeply and counts a version; nothing changed counts none", async () => {
  const { json: made } = await send("POST", "/api/kpis", { ...documented, name: "Merged" });
  const { status, json } = await send("PUT", `/api/kpis/${made.id}`, { thresholds: { target_value: 600000 } });
  assert.equal(status, 200);
  assert.deepEqual(json.thresholds, { ...made.thresholds, target_value: 600000 });
  assert.equal(json.description, documented.description);
  assert.equal(json.version, 2);
  const { json: same } = await send("PUT", `/api/kpis/${made.id}`, { thresholds: { target_value: 600000 } });
  assert.equal(same.version, 2);
  const { json: read } = await send("GET", `/api/kpis/${made.id}`);
  assert.deepEqual(read, same);
});

test("a name is taken once in a company, and free again after deletion", async () => {
  const { json: made } = await send("POST", "/api/kpis", { ...documented, name: "Taken" });
  const again = await send("POST", "/api/kpis", { ...documented, name: "Taken" });
  assert.equal(again.status, 409);
  assert.equal(again.json.code, "KPI_NAME_EXISTS");
  assert.equal((await send("POST", "/api/kpis", { ...documented, name: "Taken" }, other)).status, 201);
  assert.equal((await send("DELETE", `/api/kpis/${made.id}`)).status, 204);
  assert.equal((await send("DELETE", `/api/kpis/${made.id}`)).status, 404);
  const gone = await send("GET", `/api/kpis/${made.id}`);
  assert.equal(gone.status, 404);
  assert.equal(gone.json.code, "KPI_NOT_FOUND");
  assert.equal((await send("POST", "/api/kpis", { ...documented, name: "Taken" })).status, 201);
});

test("all faults are told at once, on their fields", async () => {
  const { status, json } = await send("POST", "/api/kpis", {
    type: "BOGUS", thresholds: { min_value: "x", target_value: null, direction: "up" }, time_config: { start_date: "2024-02-30" },
  });
  assert.equal(status, 400);
  assert.equal(json.code, "INVALID_INPUT");
  assert.deepEqual(Object.keys(json.fields).sort(),
    ["name", "thresholds.direction", "thresholds.min_value", "time_config.start_date", "type"]);
  for (const key of ["detail", "code", "timestamp"]) assert.equal(typeof json[key], "string");
});

test("a fault across fields is told beside those of single ones, but not about a value that could not be read", async () => {
  const told = async (thresholds, rest = {}) => {
    const { status, json } = await send("POST", "/api/kpis", { name: "Mixed", type: "BOGUS", thresholds, ...rest });
    assert.equal(status, 400);
    return Object.keys(json.fields).sort();
  };
  assert.deepEqual(await told({ min_value: 10, max_value: 5, hysteresis: 2 }, { time_config: { start_date: "2024-03-01", end_date: "2024-02-01" } }),
    ["thresholds.hysteresis", "thresholds.min_value", "time_config.end_date", "type"]);
  assert.deepEqual(await told({ min_value: "x", max_value: 5, target_value: 9 }), ["thresholds.min_value", "thresholds.target_value", "type"]);
  assert.deepEqual(await told({ warning_threshold: "x", critical_threshold: 0.9 }), ["thresholds.warning_threshold", "type"]);
  assert.deepEqual(await told({ direction: "range", min_value: "x", max_value: 1 }), ["thresholds.min_value", "type"]);
});

test("thresholds that make no sense together are refused on the field", async () => {
  const cases = [
    [{ min_value: 10, max_value: 5 }, "thresholds.min_value"],
    [{ warning_threshold: 0.5, critical_threshold: 0.7 }, "thresholds.critical_threshold"],
    [{ warning_threshold: -0.1, critical_threshold: -0.2 }, "thresholds.warning_threshold"],
    [{ direction: "range" }, "thresholds.min_value"],
    [{ direction: "lower", warning_threshold: 1.5, critical_threshold: 1.2 }, "thresholds.critical_threshold"],
    [{ hysteresis: 1 }, "thresholds.hysteresis"],
  ];
  for (const [thresholds, field] of cases) {
    const { status, json } = await send("POST", "/api/kpis", { name: "Nonsense", type: "NUMERIC", thresholds });
    assert.equal(status, 400, JSON.stringify(thresholds));
    assert.ok(field in json.fields, `${JSON.stringify(thresholds)}: ${JSON.stringify(json.fields)}`);
  }
  const lower = { direction: "lower", warning_threshold: 1.2, critical_threshold: 1.5 };
  assert.equal((await send("POST", "/api/kpis", { name: "Multiples", type: "numeric", thresholds: lower })).status, 201);
  const reversed = { name: "Reversed", type: "NUMERIC", time_config: { start_date: "2024-03-01", end_date: "2024-02-01" } };
  assert.ok("time_config.end_date" in (await send("POST", "/api/kpis", reversed)).json.fields);
});

test("lists filter, sort, search and page", async () => {
  for (let i = 0; i < 5; i++)
    await send("POST", "/api/kpis", { name: `Listed ${i}`, type: i % 2 ? "COUNT" : "DURATION", team_id: "team-list", description: "Größe ÜBER alles" });
  const names = async (query) => (await send("GET", `/api/kpis?team_id=team-list&${query}`)).json;
  const sorted = await names("sort_by=name&ascending=false");
  assert.deepEqual(sorted.items.map((k) => k.name), ["Listed 4", "Listed 3", "Listed 2", "Listed 1", "Listed 0"]);
  assert.deepEqual({ total: sorted.total, page: sorted.page, pages: sorted.pages }, { total: 5, page: 1, pages: 1 });
  const page = await names("sort_by=name&skip=2&limit=2");
  assert.deepEqual(page.items.map((k) => k.name), ["Listed 2", "Listed 3"]);
  assert.deepEqual({ total: page.total, page: page.page, pages: page.pages }, { total: 5, page: 2, pages: 3 });
  assert.equal((await names("type=count")).total, 2);
  assert.equal((await names("status=inactive")).total, 0);
  assert.equal((await names(`search=${encodeURIComponent("größe über")}`)).total, 5);
  for (const bad of ["limit=0", "limit=1001", "skip=-1", "type=bogus", "sort_by=bogus"])
    assert.equal((await send("GET", `/api/kpis?${bad}`)).status, 400, bad);
});

test("another company sees, changes and deletes nothing", async () => {
  const { json: made } = await send("POST", "/api/kpis", { ...documented, name: "Ours", id: "ours-1" });
  assert.equal(made.id, "ours-1");
  for (const [method, path, body] of [
    ["GET", ""], ["PUT", "", { name: "Theirs" }], ["DELETE", ""], ["GET", "/values"], ["POST", "/values", { value: 1 }], ["GET", "/analytics"],
    ["GET", "/predictions"], ["GET", "/assignments"], ["POST", "/assignments", { type: "TEAM", target_id: "t", role: "OWNER" }],
    ["GET", "/targets"], ["PUT", "/targets", { period: "month", start: "2024-01-01", value: 1 }],
  ])
    assert.equal((await send(method, `/api/kpis/ours-1${path}`, body, other)).status, 404, `${method} ${path}`);
  assert.equal((await send("GET", "/api/kpis?limit=1000", undefined, other)).json.items.filter((k) => k.id === "ours-1").length, 0);
  assert.equal((await send("GET", "/api/kpis/ours-1")).json.name, "Ours");
});

test("If-Match guards a change", async () => {
  const made = await send("POST", "/api/kpis", { ...documented, name: "Guarded" });
  const path = `/api/kpis/${made.json.id}`;
  const read = await server.request("GET", path, { auth: admin });
  const etag = read.headers.get("etag");
  assert.equal((await server.request("GET", path, { auth: admin, headers: { "if-none-match": etag } })).status, 304);
  const change = (match, description) => server.request("PUT", path, { auth: admin, json: { description }, headers: { "if-match": match } });
  assert.equal((await change(etag, "first")).status, 200);
  assert.equal((await change(etag, "second")).status, 412);
  assert.equal((await send("GET", path)).json.description, "first");
});

test("the same Idempotency-Key answers again, with another body 422", async () => {
  const post = (json) => server.request("POST", "/api/kpis", { auth: admin, json, headers: { "idempotency-key": "k-1" } });
  const first = await post({ ...documented, name: "Once" });
  const second = await post({ ...documented, name: "Once" });
  assert.equal(second.status, 201);
  assert.deepEqual(second.json, first.json);
  assert.equal((await post({ ...documented, name: "Twice" })).status, 422);
});

test("changes at the same moment neither close a circle of formulas nor leave one without its KPI", async () => {
  for (let round = 0; round < 6; round++) {
    const id = (name) => `race-${round}-${name}`;
    for (const name of ["base", "a", "b", "c"])
      assert.equal((await send("POST", "/api/kpis", { id: id(name), name: id(name), type: "NUMERIC" })).status, 201);
    const changes = await Promise.all([["a", "b"], ["b", "c"], ["c", "a"]].flatMap(([user, source]) => [1, 2, 3].map((factor) =>
      send("PUT", `/api/kpis/${id(user)}`, { formula: `{${id(source)}} * ${factor}` }))));
    assert.deepEqual([...new Set(changes.map((c) => c.status))].sort(), [200, 400], "one of the three is refused");
    const formulas = await Promise.all(["a", "b", "c"].map(async (name) => (await send("GET", `/api/kpis/${id(name)}`)).json.formula));
    assert.equal(formulas.filter((f) => f === null).length, 1, JSON.stringify(formulas));
    const [removed, used] = await Promise.all([
      send("DELETE", `/api/kpis/${id("base")}`), send("POST", "/api/kpis", { name: id("user"), type: "NUMERIC", formula: `{${id("base")}} * 2` }),
    ]);
    assert.ok((removed.status === 204 && used.status === 400) || (removed.status === 409 && used.status === 201), `${removed.status} ${used.status}`);
    if (used.status === 201) assert.equal((await send("GET", `/api/kpis/${used.json.id}/analytics`)).status, 200);
  }
});

// Employees' KPI assignments of the kpi-assignments contract: every operation, who may do it, and its errors in Spring's style.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";

const BASE = "/api/v1/kpi-management/assignments";
let server, admin, manager, supervisor, hr, employee, outsider;
const people = {};
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, outsider] = server.admins;
  const person = async (name, role, id, more) => (people[id] = await server.person(name, role, { employee_id: id, ...more })).auth;
  manager = await person("manager", "MANAGER", "mgr-001");
  supervisor = await person("supervisor", "SUPERVISOR", "sup-001");
  hr = await person("hr", "HR", "hr-001");
  employee = await person("employee", "EMPLOYEE", "emp-001", { supervisor_id: people["sup-001"].id });
  await person("second", "EMPLOYEE", "emp-002", { supervisor_id: people["sup-001"].id });
  await person("stranger", "EMPLOYEE", "emp-003");
});
after(() => server.stop());

const send = (method, path, json, auth = manager) => server.request(method, `${BASE}${path}`, { auth, json });
let count = 0;
async function newKpi(more = {}) {
  const answer = await server.request("POST", "/api/kpis", { auth: admin, json: { name: `KPI ${++count}`, type: "CURRENCY", currency: "USD", ...more } });
  assert.equal(answer.status, 201, answer.text);
  return answer.json.id;
}
const one = (employeeId, kpi) => `/employee/${employeeId}/kpi/${kpi}`;
async function assign(employeeId, kpi, more = {}, auth = manager) {
  const answer = await send("POST", "", { employeeId, kpiDefinitionId: kpi, ...more }, auth);
  assert.equal(answer.status, 201, answer.text);
  return answer;
}
const today = () => new Date().toISOString().slice(0, 10);
const day = (offset) => new Date(Date.now() + offset * 86400000).toISOString().slice(0, 10);

// The error of Spring's default handler; and, being a superset, what clients of the other contracts read.
function assertSpring(answer, status, reason, path) {
  assert.equal(answer.status, status, answer.text);
  const { json } = answer;
  assert.equal(json.status, status);
  assert.equal(json.error, reason);
  assert.equal(json.path, `${BASE}${path}`);
  assert.equal(typeof json.message, "string");
  assert.ok(json.message.length > 0);
  assert.ok(!Number.isNaN(Date.parse(json.timestamp)));
  for (const key of ["detail", "code", "request_id"]) assert.equal(typeof json[key], "string", key);
}

test("the documented assignment comes back whole, with the scale of its numbers", async () => {
  const kpi = await newKpi({ id: "kpi-doc" });
  const body = `{"employeeId":"emp-001","kpiDefinitionId":"${kpi}","supervisorId":"sup-001","customTargetValue":55000.00,"customTargetUnit":"USD",
    "customTargetComparisonType":"GREATER_THAN_OR_EQUAL","customWeightPercentage":30.0,"customWeightIsFlexible":false,
    "effectiveDate":"2025-01-01","endDate":"2099-12-31"}`;
  const { status, text, json, headers } = await server.request("POST", BASE, { auth: manager, body, type: "application/json" });
  assert.equal(status, 201, text);
  assert.match(headers.get("content-type"), /^application\/json/);
  assert.deepEqual(Object.keys(json), ["employeeId", "kpiDefinitionId", "assignmentId", "supervisorId", "customTargetValue", "customTargetUnit",
    "customTargetComparisonType", "customWeightPercentage", "customWeightIsFlexible", "effectiveDate", "endDate", "assignedBy", "status",
    "createdAt", "updatedAt"]);
  assert.match(text, /"customTargetValue":55000\.00,/);
  assert.match(text, /"customWeightPercentage":30\.0,/);
  assert.match(json.assignmentId, /^assign-\d{3,}$/);
  assert.deepEqual([json.assignedBy, json.status, json.effectiveDate, json.endDate], ["manager", "ACTIVE", "2025-01-01", "2099-12-31"]);
  for (const key of ["createdAt", "updatedAt"]) assert.match(json[key], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const list = await send("GET", "/employee/emp-001");
  assert.equal(list.text, `[${text}]`);
  await send("DELETE", one("emp-001", kpi));
});

test("what was left out is the KPI's own, and the first day is today", async () => {
  const kpi = await newKpi({ thresholds: { target_value: 500, direction: "lower" }, unit: "days", weight_percentage: 12.5, weight_is_flexible: true });
  const { json } = await assign("emp-001", kpi);
  assert.deepEqual(
    [json.customTargetValue, json.customTargetUnit, json.customTargetComparisonType, json.customWeightPercentage, json.customWeightIsFlexible],
    [500, "days", "LESS_THAN_OR_EQUAL", 12.5, true]);
  assert.ok([today(), day(-1)].includes(json.effectiveDate));
  assert.equal(json.endDate, null);
  assert.equal(json.supervisorId, null);
  // They follow the KPI, because they were never the assignment's.
  await server.request("PUT", `/api/kpis/${kpi}`, { auth: admin, json: { thresholds: { target_value: 700 } } });
  const read = (await send("GET", `/kpi/${kpi}`)).json;
  assert.equal(read[0].customTargetValue, 700);
  await send("DELETE", one("emp-001", kpi));
});

test("PUT changes what it names and null takes a custom value back", async () => {
  const kpi = await newKpi({ thresholds: { target_value: 10 } });
  const { json: made } = await assign("emp-001", kpi, { customTargetValue: 55000, customTargetUnit: "EUR", supervisorId: "sup-001" });
  const body = '{"customTargetValue":60000.00,"customWeightPercentage":35.0}';
  const changed = await server.request("PUT", BASE + one("emp-001", kpi), { auth: manager, body, type: "application/json" });
  assert.equal(changed.status, 200, changed.text);
  assert.match(changed.text, /"customTargetValue":60000\.00,/);
  assert.match(changed.text, /"customWeightPercentage":35\.0,/);
  const { customTargetValue, customWeightPercentage, updatedAt, ...rest } = changed.json;
  const { customTargetValue: _v, customWeightPercentage: _w, updatedAt: _u, ...before } = made;
  assert.deepEqual(rest, before);
  const reset = await send("PUT", one("emp-001", kpi), { customTargetValue: null, employeeId: "emp-001", kpiDefinitionId: kpi });
  assert.equal(reset.json.customTargetValue, 10);
  for (const ids of [{ employeeId: "emp-002" }, { kpiDefinitionId: "kpi-doc" }, { employeeId: 1 }])
    assertSpring(await send("PUT", one("emp-001", kpi), { ...ids, customTargetValue: 1 }), 400, "Bad Request", one("emp-001", kpi));
  assert.equal((await send("GET", `/kpi/${kpi}`)).json[0].customTargetValue, 10, "a refused change changes nothing");
  assert.equal((await send("DELETE", one("emp-001", kpi))).status, 204);
});

test("comparison types, EQUAL among them, and what is none", async () => {
  const kpi = await newKpi();
  await assign("emp-001", kpi);
  for (const type of ["GREATER_THAN", "LESS_THAN", "EQUALS", "NOT_EQUAL", "GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL", "RANGE"])
    assert.equal((await send("PUT", one("emp-001", kpi), { customTargetComparisonType: type })).json.customTargetComparisonType, type);
  assert.equal((await send("PUT", one("emp-001", kpi), { customTargetComparisonType: "EQUAL" })).json.customTargetComparisonType, "EQUALS");
  assertSpring(await send("PUT", one("emp-001", kpi), { customTargetComparisonType: "ABOUT" }), 400, "Bad Request", one("emp-001", kpi));
  await send("DELETE", one("emp-001", kpi));
});

test("removal deactivates, a repeat is 404, a second assignment is possible then", async () => {
  const kpi = await newKpi();
  const { json: first } = await assign("emp-001", kpi);
  const twice = await send("POST", "", { employeeId: "emp-001", kpiDefinitionId: kpi });
  assertSpring(twice, 409, "Conflict", "");
  assert.equal(twice.json.code, "ASSIGNMENT_EXISTS");
  const gone = await send("DELETE", one("emp-001", kpi));
  assert.deepEqual([gone.status, gone.text], [204, ""]);
  assertSpring(await send("DELETE", one("emp-001", kpi)), 404, "Not Found", one("emp-001", kpi));
  assertSpring(await send("PUT", one("emp-001", kpi), { customTargetValue: 1 }), 404, "Not Found", one("emp-001", kpi));
  const { json: second } = await assign("emp-001", kpi);
  assert.notEqual(second.assignmentId, first.assignmentId);
  const all = (await send("GET", `/kpi/${kpi}`)).json.map((x) => [x.assignmentId, x.status]);
  assert.deepEqual(all, [[first.assignmentId, "INACTIVE"], [second.assignmentId, "ACTIVE"]]);
  await send("DELETE", one("emp-001", kpi));
});

test("of twenty at once one is made", async () => {
  const kpi = await newKpi();
  const answers = await Promise.all(Array.from({ length: 20 }, () => send("POST", "", { employeeId: "emp-001", kpiDefinitionId: kpi })));
  assert.deepEqual(answers.map((a) => a.status).sort(), [201, ...Array(19).fill(409)]);
  await send("DELETE", one("emp-001", kpi));
});

test("the end's passing completes it; activeOnly leaves out what is over, removed or suspended", async () => {
  const [over, removed, suspended, living] = [await newKpi(), await newKpi(), await newKpi(), await newKpi()];
  const { json } = await assign("emp-002", over, { effectiveDate: "2024-01-01", endDate: "2024-12-31" });
  assert.equal(json.status, "COMPLETED");
  await assign("emp-002", removed);
  await send("DELETE", one("emp-002", removed));
  await assign("emp-002", suspended);
  assert.equal((await send("PUT", one("emp-002", suspended), { status: "SUSPENDED" })).json.status, "SUSPENDED");
  await assign("emp-002", living, { endDate: day(2) });
  const states = async (query) => Object.fromEntries((await send("GET", `/employee/emp-002${query}`)).json.map((x) => [x.kpiDefinitionId, x.status]));
  assert.deepEqual(await states(""), { [living]: "ACTIVE" });
  for (const name of ["activeOnly", "active_only"]) {
    assert.deepEqual(await states(`?${name}=true`), { [living]: "ACTIVE" });
    assert.deepEqual(await states(`?${name}=false`), { [over]: "COMPLETED", [removed]: "INACTIVE", [suspended]: "SUSPENDED", [living]: "ACTIVE" });
    assertSpring(await send("GET", `/employee/emp-002?${name}=perhaps`), 400, "Bad Request", "/employee/emp-002");
  }
  // One that is over stands in nobody's way, and stays on record.
  await assign("emp-002", over);
  assert.deepEqual((await send("GET", `/kpi/${over}`)).json.map((x) => x.status), ["COMPLETED", "ACTIVE"]);
  for (const kpi of [over, suspended, living]) assert.equal((await send("DELETE", one("emp-002", kpi))).status, 204);
});

test("filters in snake and camel case; effective_date is what is in force on that day", async () => {
  const [a, b] = [await newKpi(), await newKpi()];
  await assign("emp-001", a, { supervisorId: "sup-001", effectiveDate: "2025-01-01", endDate: "2025-06-30" });
  await assign("emp-002", a, { supervisorId: "mgr-001", effectiveDate: "2025-06-30" });
  await assign("emp-002", b, { effectiveDate: "2025-07-01", endDate: "2025-07-01" });
  const found = async (query) => (await send("GET", `?${query}`)).json
    .filter((x) => [a, b].includes(x.kpiDefinitionId)).map((x) => `${x.employeeId}/${x.kpiDefinitionId === a ? "a" : "b"}`).sort();
  for (const [snake, camel] of [["employee_id", "employeeId"], ["supervisor_id", "supervisorId"], ["kpi_id", "kpiId"], ["effective_date", "effectiveDate"]]) {
    for (const [value, expected] of {
      employee_id: [["emp-002", ["emp-002/a", "emp-002/b"]], ["nobody", []]],
      supervisor_id: [["sup-001", ["emp-001/a"]], ["mgr-001", ["emp-002/a"]]],
      kpi_id: [[b, ["emp-002/b"]]],
      effective_date: [["2024-12-31", []], ["2025-01-01", ["emp-001/a"]], ["2025-06-30", ["emp-001/a", "emp-002/a"]], ["2025-07-01", ["emp-002/a", "emp-002/b"]], ["2025-07-02", ["emp-002/a"]]],
    }[snake]) {
      assert.deepEqual(await found(`${snake}=${value}`), expected, `${snake}=${value}`);
      assert.deepEqual(await found(`${camel}=${value}`), expected, `${camel}=${value}`);
    }
  }
  assert.deepEqual(await found("employee_id=emp-002&kpiId=" + a), ["emp-002/a"]);
  for (const bad of ["2025-02-30", "yesterday", "2025-1-1"])
    assertSpring(await send("GET", `?effective_date=${bad}`), 400, "Bad Request", "");
  assert.ok(Array.isArray((await send("GET", "?unknown=1")).json));
  await send("DELETE", one("emp-001", a));
  await send("DELETE", one("emp-002", a));
  await send("DELETE", one("emp-002", b));
});

test("bulk answers whole objects by employee, [] for who has none, 400 without the parameter", async () => {
  const kpi = await newKpi();
  const { json } = await assign("emp-001", kpi, { customTargetValue: 7 });
  for (const name of ["employee_ids", "employeeIds"]) {
    const answer = await send("GET", `/bulk?${name}=emp-001,emp-003,%20nobody%20,`);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, { "emp-001": [json], "emp-003": [], nobody: [] });
  }
  // Asking twice for one is no reason for a member twice, which readers of JSON take differently.
  assert.equal((await send("GET", "/bulk?employee_ids=emp-001,emp-001")).text.match(/"emp-001":/g).length, 1);
  for (const query of ["", "?employee_ids=", "?employee_ids=%20,,"]) assertSpring(await send("GET", `/bulk${query}`), 400, "Bad Request", "/bulk");
  const many = Array.from({ length: 501 }, (_, i) => `e${i}`).join(",");
  assertSpring(await send("GET", `/bulk?employee_ids=${many}`), 400, "Bad Request", "/bulk");
  await send("DELETE", one("emp-001", kpi));
});

test("more than 100 % in all is accepted with a warning", async () => {
  const kpis = [await newKpi(), await newKpi(), await newKpi()];
  assert.equal((await assign("emp-003", kpis[0], { customWeightPercentage: 60.5 })).json.warnings, undefined);
  assert.equal((await assign("emp-003", kpis[1], { customWeightPercentage: 39.5 })).json.warnings, undefined, "exactly 100 is fine");
  const over = (await assign("emp-003", kpis[2], { customWeightPercentage: 0.01 })).json;
  assert.equal(over.warnings.length, 1);
  assert.match(over.warnings[0], /100\.01 %/);
  assert.equal((await send("PUT", one("emp-003", kpis[2]), { customWeightPercentage: 0 })).json.warnings, undefined);
  assert.match((await send("PUT", one("emp-003", kpis[2]), { customWeightPercentage: 100 })).json.warnings[0], /200 %/);
  for (const bad of [100.01, -1, "many"])
    assertSpring(await send("PUT", one("emp-003", kpis[2]), { customWeightPercentage: bad }), 400, "Bad Request", one("emp-003", kpis[2]));
  for (const kpi of kpis) await send("DELETE", one("emp-003", kpi));
});

test("what the body names and is not there is 400 on its field, in the path 404", async () => {
  const kpi = await newKpi();
  const faulty = async (body) => {
    const answer = await send("POST", "", body);
    assertSpring(answer, 400, "Bad Request", "");
    return Object.keys(answer.json.details).sort();
  };
  assert.deepEqual(await faulty({ employeeId: "nobody", kpiDefinitionId: kpi }), ["employeeId"]);
  assert.deepEqual(await faulty({ employeeId: "emp-001", kpiDefinitionId: "nothing" }), ["kpiDefinitionId"]);
  assert.deepEqual(await faulty({ employeeId: "emp-001", kpiDefinitionId: kpi, supervisorId: "nobody" }), ["supervisorId"]);
  assert.deepEqual(await faulty({ customTargetValue: "x", effectiveDate: "2025-02-30" }), ["customTargetValue", "effectiveDate", "employeeId", "kpiDefinitionId"]);
  assert.deepEqual(await faulty({ employeeId: "emp-001", kpiDefinitionId: kpi, effectiveDate: "2025-02-01", endDate: "2025-01-31" }), ["endDate"]);
  assert.deepEqual(await faulty({ employeeId: null, kpiDefinitionId: null }), ["employeeId", "kpiDefinitionId"]);
  assert.deepEqual(await faulty({ employeeId: 5, kpiDefinitionId: [] }), ["employeeId", "kpiDefinitionId"]);
  for (const path of [one("nobody", kpi), one("emp-001", "nothing"), one("emp-001", kpi)]) {
    assertSpring(await send("PUT", path, { customTargetValue: 1 }), 404, "Not Found", path);
    assertSpring(await send("DELETE", path), 404, "Not Found", path);
  }
  assertSpring(await send("GET", "/employee/nobody"), 404, "Not Found", "/employee/nobody");
  assertSpring(await send("GET", "/kpi/nothing"), 404, "Not Found", "/kpi/nothing");
  assert.equal((await send("GET", `/kpi/${kpi}`)).json.length, 0, "nothing was half made");
});

test("without credentials there is a Basic challenge, and every method has its answer", async () => {
  const anonymous = await server.request("GET", BASE);
  assertSpring(anonymous, 401, "Unauthorized", "");
  assert.match(anonymous.headers.get("www-authenticate"), /^Basic realm=/);
  assert.equal((await server.request("GET", BASE, { auth: "Basic bm9ib2R5OndyaXRlcg==" })).status, 401);
  const wrong = await send("PATCH", "", {});
  assert.equal(wrong.status, 405);
  assert.deepEqual(wrong.headers.get("allow").split(/, */).filter((m) => m !== "HEAD" && m !== "OPTIONS").sort(), ["GET", "POST"]);
  assertSpring(await server.request("POST", BASE, { auth: manager, body: "x", type: "text/plain" }), 415, "Unsupported Media Type", "");
  assertSpring(await server.request("POST", BASE, { auth: manager, body: "{", type: "application/json" }), 400, "Bad Request", "");
  assert.equal((await server.request("GET", `${BASE}/`, { auth: manager })).status, 200, "both forms of the path");
});

test("each role does what it may and nothing more", async () => {
  const kpi = await newKpi();
  await assign("emp-001", kpi, { supervisorId: "sup-001" });
  await assign("emp-003", kpi);
  const reads = [["", admin, 200], ["", manager, 200], ["", hr, 200], ["", supervisor, 200], ["", employee, 403],
    [`/kpi/${kpi}`, employee, 403], [`/kpi/${kpi}`, hr, 200], ["/bulk?employee_ids=emp-001", employee, 403], ["/bulk?employee_ids=emp-001", supervisor, 200],
    ["/employee/emp-001", employee, 200], ["/employee/emp-002", employee, 403], ["/employee/nobody", employee, 403],
    ["/employee/emp-001", supervisor, 200], ["/employee/emp-003", supervisor, 403], ["/employee/emp-003", hr, 200], ["/employee/emp-003", admin, 200]];
  for (const [path, auth, status] of reads) assert.equal((await send("GET", path, undefined, auth)).status, status, `${path} ${status}`);
  assertSpring(await send("GET", "", undefined, employee), 403, "Forbidden", "");
  const writes = [["POST", "", { employeeId: "emp-002", kpiDefinitionId: kpi }], ["PUT", one("emp-001", kpi), { customTargetValue: 1 }], ["DELETE", one("emp-001", kpi)]];
  for (const auth of [hr, employee])
    for (const [method, path, body] of writes) assertSpring(await send(method, path, body, auth), 403, "Forbidden", path);
  const own = (await send("GET", "/employee/emp-001", undefined, employee)).json;
  assert.ok(own.length > 0 && own.every((x) => x.employeeId === "emp-001"));
  for (const employeeId of ["emp-001", "emp-003"]) await send("DELETE", one(employeeId, kpi));
});

test("a supervisor sees and assigns the own team only", async () => {
  const [kpi, fresh] = [await newKpi(), await newKpi()];
  await assign("emp-001", kpi);
  await assign("emp-003", kpi);
  const seen = (path) => send("GET", path, undefined, supervisor).then((a) => a.json.filter((x) => x.kpiDefinitionId === kpi).map((x) => x.employeeId));
  assert.deepEqual(await seen(""), ["emp-001"]);
  assert.deepEqual(await seen(`/kpi/${kpi}`), ["emp-001"]);
  const bulk = (await send("GET", "/bulk?employee_ids=emp-001,emp-003", undefined, supervisor)).json;
  assert.deepEqual([bulk["emp-001"].length, bulk["emp-003"]], [1, []]);
  // Any KPI of the company can be given to the team, also one that nobody of it has yet; to others none.
  const given = await assign("emp-002", fresh, {}, supervisor);
  assert.equal(given.json.assignedBy, "supervisor");
  assertSpring(await send("POST", "", { employeeId: "emp-003", kpiDefinitionId: fresh }, supervisor), 403, "Forbidden", "");
  assert.equal((await send("PUT", one("emp-002", fresh), { customTargetValue: 2 }, supervisor)).status, 200);
  for (const method of ["PUT", "DELETE"])
    assert.equal((await send(method, one("emp-003", kpi), method === "PUT" ? { customTargetValue: 2 } : undefined, supervisor)).status, 403);
  const below = (method, id, json) => server.request(method, `/api/kpis/${id}/assignments`, { auth: supervisor, json });
  assert.equal((await below("POST", kpi, { type: "TEAM", target_id: "another-team", role: "VIEWER" })).status, 403);
  assert.equal((await below("POST", kpi, { type: "BUSINESS_UNIT", target_id: "all", role: "VIEWER" })).status, 403);
  assert.equal((await send("DELETE", one("emp-002", fresh), undefined, supervisor)).status, 204);
  for (const employeeId of ["emp-001", "emp-003"]) await send("DELETE", one(employeeId, kpi));
});

test("a supervisor sees the KPIs of the own teams and assigns them to these teams", async () => {
  const team = (id, lead_id) => server.request("POST", "/api/v1/teams", { auth: admin, json: { id, name: id, lead_id } });
  assert.equal((await team("team-led", people["sup-001"].id)).status, 201);
  assert.equal((await team("team-other", people["mgr-001"].id)).status, 201);
  const [led, other] = [await newKpi({ team_id: "team-led" }), await newKpi({ team_id: "team-other" })];
  const as = (auth, method, path, json) => server.request(method, `/api/kpis/${path}`, { auth, json }).then((a) => a.status);
  assert.equal(await as(supervisor, "GET", led), 200);
  assert.equal(await as(supervisor, "GET", other), 404);
  assert.equal(await as(employee, "GET", led), 404);
  assert.equal(await as(supervisor, "POST", `${led}/assignments`, { type: "TEAM", target_id: "team-led", role: "VIEWER" }), 201);
  assert.equal(await as(supervisor, "POST", `${led}/assignments`, { type: "TEAM", target_id: "team-other", role: "VIEWER" }), 403);
});

test("who assigns gives no right that they do not have, least of all to themselves", async () => {
  const kpi = await newKpi();
  const path = `/api/kpis/${kpi}`;
  const as = (auth, method, more, json) => server.request(method, `${path}${more}`, { auth, json });
  const user = (target_id, permissions, role = "VIEWER") => ({ type: "USER", target_id, role, permissions });
  for (const right of ["can_edit", "can_delete", "can_approve"])
    assert.equal((await as(supervisor, "POST", "/assignments", user("sup-001", { [right]: true }))).status, 403, right);
  assert.equal((await as(supervisor, "POST", "/assignments", user("emp-001", undefined, "OWNER"))).status, 403, "nor by a role that means them");
  assert.equal((await as(supervisor, "POST", "/assignments", user("emp-001", { can_view: true, can_assign: true }))).status, 201);
  const { json: { items: [given] } } = await as(admin, "GET", "/assignments");
  assert.deepEqual([given.permissions.can_assign, given.permissions.can_edit], [true, false]);
  // The employee may pass the KPI on now, and may not raise the own rights with that.
  assert.equal((await as(employee, "PUT", `/assignments/${given.id}`, { permissions: { can_delete: true } })).status, 403);
  assert.equal((await as(employee, "PUT", `/assignments/${given.id}`, { notifications: { preference: "DAILY" } })).status, 200);
  assert.equal((await as(employee, "POST", "/assignments", user("emp-002", { can_assign: true }))).status, 201);
  assert.equal((await as(employee, "DELETE", "")).status, 403);
  assert.equal((await as(manager, "PUT", `/assignments/${given.id}`, { permissions: { can_edit: true } })).status, 200, "a manager may");
  assert.equal((await as(employee, "PUT", `/assignments/${given.id}`, { role: "CONTRIBUTOR" })).status, 200, "what was given stays");
});

test("another company's people and KPIs are not there", async () => {
  const kpi = await newKpi();
  await assign("emp-001", kpi);
  assert.deepEqual((await send("GET", "", undefined, outsider)).json, []);
  assert.equal((await send("GET", "/employee/emp-001", undefined, outsider)).status, 404);
  assert.equal((await send("GET", `/kpi/${kpi}`, undefined, outsider)).status, 404);
  assert.deepEqual((await send("GET", "/bulk?employee_ids=emp-001", undefined, outsider)).json, { "emp-001": [] });
  assert.equal((await send("PUT", one("emp-001", kpi), { customTargetValue: 1 }, outsider)).status, 404);
  assert.equal((await send("DELETE", one("emp-001", kpi), undefined, outsider)).status, 404);
  assert.equal((await send("POST", "", { employeeId: "emp-001", kpiDefinitionId: kpi }, outsider)).status, 400);
  await send("DELETE", one("emp-001", kpi));
});

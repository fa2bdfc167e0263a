// Input that nobody means well with: the documented error or exactly what was sent, never 500, never a part of it stored.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";
import { rows } from "./support/database.mjs";
import { naughty } from "./support/naughty.mjs";

let server, admin;
before(async () => {
  server = await startCompanies(["North"]);
  [admin] = server.admins;
  // A verified password is remembered; without it the first requests would all wait for their own check of it.
  assert.equal((await send("GET", "/api/kpis")).status, 200);
  // Some of what is understood below are subscriptions of others' servers, to which no test writes.
  assert.equal((await send("POST", "/api/v1/jobs/queues/webhook/pause")).status, 200);
});
after(() => server.stop());

const refused = new Set(); // request ids of what was answered with an error
async function sent(answer) {
  const { status, text, headers } = await answer;
  assert.ok(status < 500, `${status} ${text.slice(0, 500)}`);
  if (status >= 400) refused.add(headers.get("x-request-id"));
  return answer;
}
const send = (method, path, json, more = {}) => sent(server.request(method, path, { auth: admin, json, ...more }));
const raw = (method, path, body, type = "application/json") => sent(server.request(method, path, { auth: admin, body, type }));
const isBlank = (s) => s.trim() === "" || /^[\p{White_Space}]*$/u.test(s);
const enc = encodeURIComponent;

async function each(list, work) {
  const left = [...list];
  let index = 0;
  await Promise.all(Array.from({ length: 16 }, async () => {
    for (let x = left.shift(); x !== undefined; x = left.shift()) await work(x, index++);
  }));
}

test("five hundred naughty strings come back exactly, are found again, or are refused", async () => {
  assert.ok(naughty.length >= 500, `${naughty.length}`);
  let kept = 0;
  await each(naughty, async (text, i) => {
    const label = JSON.stringify(text);
    const made = await send("POST", "/api/kpis", { name: text, description: text, unit: text, type: "NUMERIC", team_id: `team ${i}` });
    if (made.status !== 201) {
      assert.ok([400, 409].includes(made.status), `${label}: ${made.text}`);
      const fields = Object.keys(made.json.fields ?? {});
      const allowed = [...(isBlank(text) || text.includes("\0") || [...text].length > 255 ? ["name"] : []), ...(text.includes("\0") ? ["description"] : []),
        ...(text.includes("\0") || [...text].length > 32 ? ["unit"] : [])];
      assert.ok(fields.length > 0 && fields.every((f) => allowed.includes(f)), `${label}: ${made.text}`);
      return;
    }
    kept++;
    const path = `/api/kpis/${made.json.id}`;
    for (const { json } of [made, await send("GET", path)])
      assert.deepEqual([json.name, json.description, json.unit], [text, text, text], label);
    const found = await send("GET", `/api/kpis?search=${enc(text)}&team_id=${enc(`team ${i}`)}`);
    assert.deepEqual([found.status, found.json.items?.map((k) => k.id)], [200, [made.json.id]], `${label} is found by itself`);
  });
  assert.ok(kept > 400, `${kept} kept`);
});

test("as notes and dimensions of values too, and as filters", async () => {
  const { json: { id } } = await send("POST", "/api/kpis", { name: "Values of all kinds", type: "NUMERIC" });
  await each(naughty, async (text, i) => {
    const label = JSON.stringify(text);
    const dimensions = { [text]: text };
    const at = new Date(Date.UTC(2023, 0, 1 + i)).toISOString();
    const made = await send("POST", `/api/kpis/${id}/values`, { value: 1, at, note: text, dimensions });
    if (made.status !== 201) {
      assert.equal(made.status, 400, `${label}: ${made.text}`);
      assert.ok(text.includes("\0") || [...text].length > 64 || isBlank(text), `${label}: ${made.text}`);
      return;
    }
    const { json } = await send("GET", `/api/kpis/${id}/values/${made.json.id}`);
    assert.deepEqual([json.note, json.dimensions], [text, dimensions], label);
    const slice = await send("GET", `/api/kpis/${id}/values?dimensions=${enc(JSON.stringify(dimensions))}`);
    assert.equal(slice.json.total, 1, label);
    assert.deepEqual(slice.json.items[0].dimensions, dimensions);
  });
});

test("as ids and parameters they find nothing and break nothing", async () => {
  const ids = ["/api/kpis/", "/api/v1/kpi-management/assignments/employee/", "/api/webhooks/", "/api/v1/users/", "/api/kpis/x/values/", "/api/v1/teams/"];
  const parameters = ["search", "type", "team_id", "sort_by", "skip", "limit", "ascending", "status", "unknown"];
  await each(naughty, async (text, i) => {
    const label = JSON.stringify(text);
    // A client resolves these two itself.
    if (text !== "." && text !== "..") {
      const path = ids[i % ids.length] + enc(text);
      const { status } = await send("GET", path);
      // "campaigns" and the like are paths of their own, a blank segment is the list.
      assert.ok([400, 404, 200, 405].includes(status), `${path}: ${status}`);
    }
    for (const name of [0, 1, 2].map((n) => parameters[(i + 3 * n) % parameters.length])) {
      const { status } = await send("GET", `/api/kpis?limit=5&${name}=${enc(text)}`);
      assert.ok([200, 400].includes(status), `${name}=${label}: ${status}`);
      if (["team_id", "unknown"].includes(name) && !text.includes("\0")) assert.equal(status, 200, `${name}=${label}`);
    }
    if (i % 4 > 0) return;
    const bulk = await send("GET", `/api/v1/kpi-management/assignments/bulk?employee_ids=x,${enc(text)}`);
    assert.ok([200, 400].includes(bulk.status), label);
  });
});

// ---- wrong types ----

const WRONG = ["null", "true", "0", "-1", "1.5", "1e400", "-1e400", "1e-400", "99999999999999999999999999", "9223372036854775808", `${"9".repeat(400)}`, `0.${"1".repeat(400)}`,
  '""', '" "', '"x"', '"0"', `"${"x".repeat(70000)}"`, '"\\u0000"', '"2024-02-30"', '"0000-00-00"', '"9999-12-31T23:59:59Z"', '"-1-01-01"', "[]", "{}", "[[]]", "[null]", '{"x":{}}', '{"":""}'];

function properties(schema, all) {
  const s = schema.$ref ? all[schema.$ref.split("/").at(-1)] : schema;
  return s.properties ?? s.oneOf?.map((one) => properties(one, all)).find(Boolean) ?? {};
}
const exampleOf = (schema) => schema.examples?.[0] ?? schema.example ?? (schema.properties
  ? Object.fromEntries(Object.entries(schema.properties).map(([name, p]) => [name, exampleOf(p)])) : undefined);

// The object as JSON text with one member, named by its path, replaced by a raw text.
function replaced(object, path, text) {
  const mark = "\u0001mark\u0001";
  const copy = structuredClone(object);
  let at = copy;
  for (const step of path.slice(0, -1)) at = at[step] ??= {};
  at[path.at(-1)] = mark;
  return JSON.stringify(copy).replace(JSON.stringify(mark), () => text);
}

test("a wrong type in any field of any resource is refused or understood, and a refusal names a field", async () => {
  const described = (await send("GET", "/api/v1/openapi.json")).json;
  const all = described.components.schemas;
  const { json: kpi } = await send("POST", "/api/kpis", { name: "Target of all", type: "NUMERIC", id: "all" });
  await send("POST", "/api/kpis/all/values", { value: 1, at: "2024-01-01T00:00:00Z" });
  const { json: given } = await send("POST", "/api/kpis/all/assignments", { type: "TEAM", target_id: "t", role: "VIEWER" });
  const { json: hook } = await send("POST", "/api/webhooks", { url: "https://example.com/", events: ["*"], secret: "long-enough" });
  await send("POST", "/api/v1/teams", { id: "team-1", name: "T" });
  const ids = { kpi_id: kpi.id, value_id: "1704067200000000", assignment_id: given.id, webhook_id: hook.id, team_id: "team-1", user_id: "999999", id: "999999", company_id: "1", role_id: "1", key_id: "1",
    employeeId: "emp-001", kpiDefinitionId: kpi.id };
  const requests = [];
  for (const [path, item] of Object.entries(described.paths)) {
    for (const method of ["post", "put", "patch"]) {
      const schema = item[method]?.requestBody?.content["application/json"]?.schema;
      if (!schema || /auth\/token|_auth|setup|logout/.test(path)) continue;
      const fields = properties(schema, all);
      const base = Object.fromEntries(Object.entries(fields).map(([name, p]) => [name, exampleOf(p)]).filter(([name, v]) => v !== undefined && !/^(id|password|version)$/.test(name)));
      const url = path.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? "x");
      for (const [name, p] of Object.entries(fields)) {
        const paths = [[name], ...Object.keys(p.properties ?? {}).map((inner) => [name, inner])];
        for (const field of paths) for (const text of WRONG) requests.push({ method: method.toUpperCase(), url, body: replaced(base, field, text), field: field.join(".") });
      }
    }
  }
  assert.ok(requests.length > 3000, `${requests.length} requests`);
  // A third of them, another one from field to field: over all fields each wrong text is seen many times.
  await each(requests.filter((_, i) => (i + Math.floor(i / WRONG.length)) % 3 === 0), async ({ method, url, body, field }) => {
    const answer = await raw(method, url, body);
    if (answer.status === 400) {
      assert.ok(Object.keys(answer.json.fields ?? answer.json.details ?? {}).length > 0, `${method} ${url} ${field}: ${answer.text}`);
      assert.match(answer.json.code, /^INVALID_INPUT$|_EXISTS$/, `${method} ${url} ${field}: ${answer.text}`);
    }
    assert.ok([200, 201, 400, 403, 404, 409].includes(answer.status), `${method} ${url} ${field}: ${answer.status}`);
  });
});

test("bodies that are no UTF-8, no scalar values, too deep, too long or of another kind", async () => {
  const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === "string" ? Buffer.from(p) : Buffer.from(p))));
  const bad = [bytes('{"name":"', [0xff], '","type":"COUNT"}'), bytes('{"name":"', [0xc0, 0xaf], '","type":"COUNT"}'), bytes('{"name":"', [0xed, 0xa0, 0x80], '","type":"COUNT"}'),
    bytes('{"name":"', [0xf4, 0x90, 0x80, 0x80], '","type":"COUNT"}'), bytes('{"name":"a', [0], 'b","type":"COUNT"}'), '{"name":"\\ud800","type":"COUNT"}', '{"name":"\\udc00x","type":"COUNT"}',
    '{"name":"\\ud800\\ud800","type":"COUNT"}', `${"[".repeat(100000)}`, `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`, "", " ", "nul", "NaN", '{"name":NaN}', "{'name':1}", '{"name":"x",}', "\ufeff{}", "[", "]"];
  for (const path of ["/api/kpis", "/api/v1/kpi-management/assignments", "/api/webhooks", "/api/v1/teams"])
    for (const body of bad) assert.equal((await raw("POST", path, body)).status, 400, `${path} ${body.toString().slice(0, 40)}`);
  for (const body of ["5", '"text"', "null", "true", "[]", "[{}]"]) assert.equal((await raw("POST", "/api/kpis", body)).status, 400, body);
  const large = await raw("POST", "/api/kpis", `{"name":"${"x".repeat(17 << 20)}"}`).catch((e) => e);
  assert.ok(large.status === 413 || large.cause, "over the limit: 413, or the connection is closed on a client that goes on sending");
  for (const query of ["%ff", "%c0%af", "%ed%a0%80", "%", "%zz", "a%00b"]) {
    assert.ok([200, 400].includes((await send("GET", `/api/kpis?search=${query}`)).status), query);
    assert.ok([400, 404].includes((await send("GET", `/api/kpis/${query}`)).status), query);
  }
  const many = Array.from({ length: 150 }, (_, i) => `p${i}=1`).join("&");
  assert.equal((await send("GET", `/api/kpis?${many}`)).status, 400);
});

test("all documents of the JSON suite as values, where JSON and CSV arrive at one place", async () => {
  const { json: { id } } = await send("POST", "/api/kpis", { name: "Suite", type: "NUMERIC" });
  const directory = new URL("inputs/json/", import.meta.url);
  await each((await readdir(directory)).filter((f) => f.endsWith(".json")), async (file) => {
    const body = await readFile(new URL(file, directory));
    for (const [method, path] of [["POST", "values"], ["PUT", "targets"]]) {
      const answer = await raw(method, `/api/kpis/${id}/${path}`, body);
      assert.ok([400, 413].includes(answer.status), `${path} ${file}: ${answer.status}`);
      if (file.startsWith("y_")) assert.doesNotMatch(answer.text, /JSON parse error/, file);
    }
    await raw("POST", `/api/kpis/${id}/values`, body, "text/csv");
  });
  assert.equal((await send("GET", `/api/kpis/${id}/targets`)).json.total, 0);
});

test("dates that do not exist, reversed ones, numbers that no column holds", async () => {
  const { json: { id } } = await send("POST", "/api/kpis", { name: "Dates", type: "NUMERIC" });
  const values = `/api/kpis/${id}/values`;
  for (const at of ["2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-01-32", "2024-01-01T24:00:01Z", "2024-01-01T25:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:00+99:00", "01.01.2024", "", " ", "now", 1e300, true, null, {}])
    if (at !== null) assert.equal((await send("POST", values, { value: 1, at })).status, 400, JSON.stringify(at));
  for (const value of ["1e400", "-1e400", "99999999999999999999", '"NaN"', '"Infinity"', "true", "null", '""', '"1,5"', "[]", "{}", '"0x10"'])
    assert.equal((await raw("POST", values, `{"value":${value},"at":"2024-01-01"}`)).status, 400, value);
  for (const query of ["from=2024-02-30", "to=x", "from=2024-02-01&to=2024-01-01", "interval=hour", "limit=0", "limit=10001", "limit=1e3", "skip=-1", "skip=99999999999999999999", "dimensions=x", "dimensions=[]", "dimensions=", "descending=x"])
    assert.equal((await send("GET", `${values}?${query}`)).status, 400, query);
  for (const query of ["from=2024-01-02&to=2024-01-01", "interval=century", "from=0", "to="]) assert.equal((await send("GET", `/api/kpis/${id}/analytics?${query}`)).status, 400, query);
  for (const query of ["nonsense=1", "from=0001-01-01&to=9999-12-31", "skip=2147483647"]) assert.equal((await send("GET", `${values}?${query}`)).status, 200, query);
  assert.equal((await send("POST", `${values}?strict=1`, { value: 1, at: "2024-01-01" })).status, 201);
  assert.equal((await send("POST", "/api/kpis?strict=1", { name: "Strict", type: "COUNT", colour: "red" })).status, 400);
  assert.equal((await send("POST", "/api/kpis", { name: "Lenient", type: "COUNT", colour: "red" })).status, 201);
  assert.equal((await send("GET", values)).json.total, 1);
});

test("afterwards the server is well and nothing refused has left a trace", async () => {
  assert.equal((await send("GET", "/healthz")).status, 200);
  assert.ok(refused.size > 1000, `${refused.size} refused`);
  const events = await rows(server.store, "SELECT request_id FROM event");
  const left = events.filter((e) => refused.has(e.request_id));
  assert.deepEqual(left, []);
  assert.doesNotMatch(server.log, /runtime error|AddressSanitizer|"level":"error"/);
});

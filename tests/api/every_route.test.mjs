// What holds for every operation, taken from the server's own description: who may come in, methods, slash forms, bodies of every kind,
// hostile parameters, other companies' objects, HEAD, entity tags, and that answers are what the description says.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { basic, command, newStore, startServer } from "./support/server.mjs";

const ADMIN = basic("admin", "admin123");
const STRANGER = basic("stranger", "stranger-of-another-company");
const METHODS = ["get", "post", "put", "patch", "delete"];
const JSON_DOCUMENTS = new URL("inputs/json/", import.meta.url);
// Operations whose work is to end the caller's access, or that only a browser with a token may finish.
const ENDS_ACCESS = /logout|setup/;

let server;
let store;
let described;
let operations = [];

const answersJson = (op) => Object.entries(op.responses).find(([status]) => status.startsWith("2"))?.[1].content?.["application/json"];
// An event stream has no end to wait for; its addresses are tested in live.test.mjs. A WebSocket's is also asked without a handshake here.
const isRead = (o) => o.method === "get" && (!o.op.responses["200"]?.content?.["text/event-stream"] || "101" in o.op.responses);
const isOpen = (op) => op.security?.length === 0;
const jsonBody = (op) => op.requestBody?.content?.["application/json"];
const fill = (path, op, value) => path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(
  value ?? op.parameters.find((p) => p.in === "path" && p.name === name).example));
const name = (o) => `${o.method.toUpperCase()} ${o.path}`;
const send = (o, options = {}, value = undefined, query = "") =>
  server.request(o.method.toUpperCase(), fill(o.path, o.op, value) + query, options);

// Several at a time: most of a test's time is waiting.
async function each(list, check) {
  const left = [...list];
  const failures = [];
  const work = async () => {
    for (let o = left.shift(); o !== undefined; o = left.shift()) {
      try {
        await check(o);
      } catch (error) {
        failures.push(`${o.path ? name(o) : JSON.stringify(o)}: ${error.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  assert.deepEqual(failures, []);
}

function isErrorBody(answer, status) {
  assert.equal(answer.status, status, answer.text);
  for (const key of ["error", "message", "detail", "code", "status", "details", "timestamp", "path", "request_id"]) {
    assert.ok(key in (answer.json ?? {}), `no ${key} in ${answer.text}`);
  }
  assert.equal(answer.json.status, status);
  assert.match(answer.json.code, /^([A-Z][A-Z0-9_]+|token_not_valid)$/);
}

describe("every operation", () => {
  before(async () => {
    store = await newStore();
    await (await startServer({ store, args: ["--demo"] })).stop();
    const added = await command(["user", "add", ...store.args, "--username", "stranger", "--role", "ADMIN", "--company", "Elsewhere",
      "--password-stdin"], { input: "stranger-of-another-company\n" });
    assert.equal(added.code, 0, added.stderr);
    server = await startServer({ store, args: ["--demo"] });
    described = (await server.request("GET", "/api/v1/openapi.json")).json;
    for (const [path, item] of Object.entries(described.paths)) {
      for (const method of METHODS) if (item[method]) operations.push({ path, method, op: item[method], item });
    }
    assert.equal((await server.request("GET", "/api/kpis", { auth: STRANGER })).status, 200);
    assert.equal((await server.request("GET", "/api/kpis", { auth: ADMIN })).status, 200);
  });
  after(async () => {
    await server?.stop();
    await store?.remove();
  });

  it("names its permissions and is closed to those without a login", async () => {
    await each(operations, async (o) => {
      assert.ok(o.op["x-permissions"].length > 0);
      assert.equal(isOpen(o.op), o.op["x-permissions"].includes("ANYONE"));
      if (isOpen(o.op)) return;
      for (const auth of [undefined, "Bearer not.a.token", "Basic !!!", "Nonsense x"]) {
        const answer = await send(o, { auth, ...(jsonBody(o.op) ? { json: {} } : {}) });
        isErrorBody(answer, 401);
        const challenge = o.op["x-contract"] === "kpi-assignments" ? /^Basic realm=/ : /^Bearer realm=/;
        assert.match(answer.headers.get("www-authenticate"), challenge);
      }
    });
  });

  it("tells other methods which ones there are, and OPTIONS likewise", async () => {
    await each(Object.entries(described.paths), async ([path, item]) => {
      const o = { path, op: Object.values(item)[0] };
      const allowed = METHODS.filter((m) => item[m]).flatMap((m) => (m === "get" ? ["GET", "HEAD"] : [m.toUpperCase()]));
      const allow = [...allowed, "OPTIONS"].join(", ");
      for (const method of METHODS.filter((m) => !item[m])) {
        const answer = await server.request(method.toUpperCase(), fill(path, o.op), { auth: ADMIN });
        isErrorBody(answer, 405);
        assert.equal(answer.headers.get("allow"), allow, path);
        assert.equal(answer.json.detail.replace(/\.$/, ""), `Method "${method.toUpperCase()}" not allowed`);
      }
      const options = await server.request("OPTIONS", fill(path, o.op));
      assert.equal(options.status, 204);
      assert.equal(options.headers.get("allow"), allow);
    });
  });

  it("is found with and without a slash at its end", async () => {
    await each(operations.filter((o) => isRead(o) && o.path !== "/"), async (o) => {
      const plain = await send(o, { auth: ADMIN });
      const slashed = await server.request("GET", `${fill(o.path, o.op)}/`, { auth: ADMIN });
      assert.equal(slashed.status, plain.status);
      const doubled = await server.request("GET", `${fill(o.path, o.op)}//`, { auth: ADMIN });
      assert.ok([400, 404].includes(doubled.status), `${doubled.status} with two slashes`);
    });
  });

  it("answers HEAD as it answers GET, without the body", async () => {
    await each(operations.filter((o) => isRead(o) && !/healthz?$/.test(o.path)), async (o) => {
      const got = await send(o, { auth: ADMIN, headers: { "accept-encoding": "identity" } });
      const head = await server.request("HEAD", fill(o.path, o.op), { auth: ADMIN, headers: { "accept-encoding": "identity" } });
      assert.equal(head.status, got.status);
      assert.equal(head.text, "");
      assert.equal(head.headers.get("content-type"), got.headers.get("content-type"));
      if (got.status === 200) assert.equal(head.headers.get("etag"), got.headers.get("etag"));
    });
  });

  it("answers 304 to a reader who has the same already", async () => {
    await each(operations.filter(isRead), async (o) => {
      const got = await send(o, { auth: ADMIN, headers: { "accept-encoding": "identity" } });
      const tag = got.headers.get("etag");
      if (got.status !== 200 || !tag) return;
      const again = await send(o, { auth: ADMIN, headers: { "if-none-match": tag, "accept-encoding": "identity" } });
      assert.equal(again.status, 304);
      assert.equal(again.text, "");
    });
  });

  it("answers what the description says", async () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(ajv);
    ajv.addFormat("int64", true);
    ajv.addSchema({ $id: "sextant", components: described.components });
    let checked = 0;
    await each(operations.filter((o) => o.method === "get" && answersJson(o.op)), async (o) => {
      const answer = await send(o, { auth: ADMIN }, undefined, o.path.endsWith("/bulk") ? "?employee_ids=mgr-001" : "");
      if (answer.status !== 200) return;
      const schema = JSON.parse(JSON.stringify(answersJson(o.op).schema).replaceAll('"#/components', '"sextant#/components'));
      const valid = ajv.compile(schema);
      assert.ok(valid(answer.json), `${JSON.stringify(valid.errors?.slice(0, 3))} in ${answer.text.slice(0, 300)}`);
      checked++;
    });
    assert.ok(checked >= 10, `only ${checked} answers could be checked`);
  });

  it("keeps another company's objects to itself", async () => {
    // The example of a role is a built-in one, whose id is the same in every company; users.test.mjs asks for a company's own.
    const targets = operations.filter((o) => o.path.includes("{") && !isOpen(o.op) && !o.path.endsWith("/{role_id}"));
    assert.ok(targets.length > 10);
    await each(targets, async (o) => {
      const answer = await send(o, { auth: STRANGER, ...(jsonBody(o.op) ? { json: {} } : {}) });
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
    });
    await each(operations.filter((o) => isRead(o) && !o.path.includes("{") && !isOpen(o.op)), async (o) => {
      const answer = await send(o, { auth: STRANGER });
      assert.doesNotMatch(answer.text, /kpi-001|emp-001|"manager"/, "shows the demo company");
    });
    const mine = await server.request("GET", "/api/kpis/kpi-001", { auth: ADMIN });
    assert.equal(mine.status, 200, "the stranger's requests changed nothing");
  });

  it("refuses every unreadable body with 400 and reads every readable one", async () => {
    const files = await readdir(JSON_DOCUMENTS);
    const documents = await Promise.all(files.filter((f) => f.endsWith(".json")).map(async (f) => [f, await readFile(new URL(f, JSON_DOCUMENTS))]));
    const some = documents.filter((_, i) => i % 12 === 0);
    const takers = operations.filter((o) => jsonBody(o.op) && !ENDS_ACCESS.test(o.path) && !o.op.requestBody.content["text/csv"]);
    await each(takers, async (o) => {
      for (const [file, body] of takers.indexOf(o) === 0 || o.path === "/api/kpis" ? documents : some) {
        const answer = await send(o, { auth: ADMIN, body, type: "application/json" });
        assert.ok(answer.status < 500, `${file}: ${answer.status} ${answer.text}`);
        if (file.startsWith("n_") && file !== "n_empty.json") {
          assert.ok(file === "n_members_above_limit.json" ? [400, 413].includes(answer.status) : answer.status === 400,
            `${file}: ${answer.status} ${answer.text.slice(0, 200)}`);
        } else if (answer.json) {
          assert.doesNotMatch(answer.text, /JSON parse error/, file);
        }
      }
    });
  });

  it("takes JSON alone where it takes JSON", async () => {
    await each(operations.filter((o) => jsonBody(o.op)), async (o) => {
      const types = Object.keys(o.op.requestBody.content);
      if (types.includes("text/csv")) return;
      const answer = await send(o, { auth: ADMIN, body: "<a/>", type: "application/xml" });
      isErrorBody(answer, 415);
    });
  });

  it("names unknown members when it is asked to be strict", async () => {
    const strict = operations.filter((o) => o.op.parameters.some((p) => p.name === "strict") && !o.path.includes("{"));
    assert.ok(strict.length > 0);
    await each(strict, async (o) => {
      const answer = await send(o, { auth: ADMIN, json: { no_such_member: 1 } }, undefined, "?strict=1");
      isErrorBody(answer, 400);
      assert.ok("no_such_member" in answer.json.details, answer.text);
    });
  });

  it("refuses a change of a version that is gone", async () => {
    const guarded = operations.filter((o) => o.op.parameters.some((p) => p.name === "If-Match"));
    assert.ok(guarded.length > 0);
    await each(guarded, async (o) => {
      const found = o.item.get ? await send({ ...o, method: "get" }, { auth: ADMIN }) : undefined;
      const answer = await send(o, { auth: ADMIN, headers: { "if-match": '"999999"' }, ...(jsonBody(o.op) ? { json: {} } : {}) });
      assert.ok(found?.status === 200 ? answer.status === 412 : answer.status >= 400 && answer.status < 500,
        `${answer.status} ${answer.text}`);
    });
  });

  it("survives hostile path parameters", async () => {
    const values = ["%00", "%ff", "..", "%2e%2e%2f", "%F0%9F%92%A9", "'", "\"", "%27%20OR%201=1--", "-1", "0", "1e400", "99999999999999999999",
      "%0d%0aX:1", "a".repeat(3000), "{id}", "%", "%2", "null", "%20"];
    await each(operations.filter((o) => o.path.includes("{") && !ENDS_ACCESS.test(o.path)), async (o) => {
      for (const value of values) {
        const path = o.path.replace(/\{\w+\}/g, value);
        const answer = await server.request(o.method.toUpperCase(), path, { auth: ADMIN, ...(jsonBody(o.op) ? { json: {} } : {}) });
        assert.ok(answer.status < 500, `${value}: ${answer.status} ${answer.text}`);
      }
    });
  });

  it("survives hostile query parameters and ignores unknown ones", async () => {
    const values = ["", "%00", "%ff", "%", "-1", "0", "1e400", "99999999999999999999", "NaN", "[]", "%7B%7D", "%F0%9F%92%A9", "'", "2024-02-30",
      "a".repeat(2000), "1,2,,3", "true", "last", ":", "-", "__gte"];
    await each(operations.filter(isRead), async (o) => {
      for (const parameter of o.op.parameters.filter((p) => p.in === "query")) {
        for (const value of values) {
          const answer = await send(o, { auth: ADMIN }, undefined, `?${parameter.name}=${value}`);
          assert.ok(answer.status < 500, `${parameter.name}=${value}: ${answer.status} ${answer.text}`);
        }
      }
      const required = o.op.parameters.filter((p) => p.in === "query" && p.required).map((p) => `${p.name}=x&`).join("");
      const plain = await send(o, { auth: ADMIN }, undefined, `?${required}`);
      const unknown = await send(o, { auth: ADMIN }, undefined, `?${required}no_such_parameter=1&utm_source=x`);
      assert.equal(unknown.status, plain.status);
    });
  });

  it("refuses a key that was used with another request", async () => {
    const creating = operations.filter((o) => o.method === "post" && o.op.responses["422"]);
    assert.ok(creating.length > 0);
    const key = randomUUID();
    const first = await server.request("POST", "/api/kpis", { auth: ADMIN, json: { name: `Keyed ${key}`, type: "COUNT" }, headers: { "idempotency-key": key } });
    assert.equal(first.status, 201, first.text);
    const again = await server.request("POST", "/api/kpis/", { auth: ADMIN, json: { name: `Keyed ${key}`, type: "COUNT" }, headers: { "idempotency-key": key } });
    assert.deepEqual([again.status, again.text], [201, first.text]);
    await each(creating.filter((o) => !ENDS_ACCESS.test(o.path)), async (o) => {
      const answer = await send(o, { auth: ADMIN, json: { name: "other" }, headers: { "idempotency-key": key } });
      isErrorBody(answer, 422);
    });
    // Keys are an actor's own.
    const other = await server.request("POST", "/api/kpis", { auth: STRANGER, json: { name: "Mine", type: "COUNT" }, headers: { "idempotency-key": key } });
    assert.equal(other.status, 201, other.text);
  });
});

describe("what is refused before it is read", () => {
  it("has every key of an error too", async () => {
    const one = await startServer();
    try {
      const long = (n) => "x".repeat(n);
      isErrorBody(await one.request("GET", `/api/kpis?search=${long(4100)}`), 414);
      isErrorBody(await one.request("GET", `/api/v1/users?search=${long(4100)}`), 414);
      isErrorBody(await one.request("GET", "/api/kpis", { headers: { "x-long": long(4600) } }), 431);
      isErrorBody(await one.request("GET", "/api/kpis", { headers: Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`x-${i}`, "1"])) }), 431);
      isErrorBody(await one.request("POST", "/api/auth/token", { body: Buffer.alloc(17 << 20, 32), type: "application/json" }), 413);
      isErrorBody(await one.request("GET", "/api/kpis", { headers: { authorization: "Basic \u00ff\u00fe" } }), 401);
    } finally {
      await one.stop();
    }
  });
});

describe("unknown paths", () => {
  it("are 404 in the words of their contract", async () => {
    const one = await startServer();
    try {
      for (const path of ["/api/kpis/x/y/z", "/api/v1/nowhere", "/api/nowhere", "/api/retrospectives/x/y/z", "/nowhere", "//", "/api/v1/kpi-management/x"]) {
        isErrorBody(await one.request("GET", path, { auth: ADMIN }), 404);
      }
    } finally {
      await one.stop();
    }
  });
});

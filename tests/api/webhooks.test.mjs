// Webhook subscriptions: the documented one, changing and deleting it, its secret that nobody sees again, targets that are refused.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";
import { rows, tables } from "./support/database.mjs";

let server, admin, other;
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, other] = server.admins;
  // The subscriptions are of others' servers, to which no test writes.
  assert.equal((await server.request("POST", "/api/v1/jobs/queues/webhook/pause", { auth: admin })).status, 200);
});
after(() => server.stop());

const send = (method, path, json, auth = admin) => server.request(method, `/api/webhooks${path}`, { auth, json });
const documented = { url: "https://your-domain.com/webhook", events: ["kpi.created", "kpi.updated", "threshold.breached"], secret: "your_webhook_secret" };

test("the documented subscription is made, read, listed, changed and deleted", async () => {
  const made = await send("POST", "", documented);
  assert.equal(made.status, 201, made.text);
  assert.match(made.json.id, /^wh-\d{3,}$/);
  assert.equal(made.headers.get("location"), `/api/webhooks/${made.json.id}`);
  assert.deepEqual([made.json.url, made.json.events, made.json.status, made.json.version], [documented.url, documented.events, "active", 1]);
  assert.deepEqual((await send("GET", `/${made.json.id}`)).json, made.json);
  const list = (await send("GET", "")).json;
  assert.deepEqual([list.items, list.total, list.page, list.pages], [[made.json], 1, 1, 1]);
  const changed = await send("PUT", `/${made.json.id}`, { events: ["threshold.*"], status: "paused" });
  assert.deepEqual([changed.status, changed.json.url, changed.json.events, changed.json.status, changed.json.version],
    [200, documented.url, ["threshold.*"], "paused", 2]);
  assert.equal((await send("DELETE", `/${made.json.id}`)).status, 204);
  assert.equal((await send("DELETE", `/${made.json.id}`)).status, 404);
  const gone = await send("GET", `/${made.json.id}`);
  assert.deepEqual([gone.status, gone.json.code], [404, "WEBHOOK_NOT_FOUND"]);
});

test("the secret is in no answer and, in clear, nowhere in the store or the log", async () => {
  const secrets = ["first-secret-7391", "second-secret-5104", "refused-secret-2230"];
  const answers = [];
  const keep = async (...request) => { const answer = await send(...request); answers.push(answer); return answer; };
  const { json: { id } } = await keep("POST", "", { ...documented, secret: secrets[0] });
  await keep("PUT", `/${id}`, { secret: secrets[1], description: "changed" });
  await keep("PUT", `/${id}`, { secret: secrets[2], events: [] });
  await keep("GET", `/${id}`);
  await keep("GET", "");
  await keep("GET", `?search=${secrets[1]}`);
  const post = () => server.request("POST", "/api/webhooks", { auth: admin, json: { ...documented, secret: secrets[0] }, headers: { "idempotency-key": "w-1" } });
  answers.push(await post(), await post());
  await keep("DELETE", `/${id}`);
  for (const { text, json } of answers) {
    for (const secret of secrets) assert.ok(!text.includes(secret), text);
    assert.ok(!("secret" in (json ?? {})));
  }
  for (const table of await tables(server.store)) {
    const text = JSON.stringify(await rows(server.store, `SELECT * FROM ${table}`));
    for (const secret of secrets) assert.ok(!text.includes(secret), `table ${table}`);
  }
  for (const secret of secrets) assert.ok(!server.log.includes(secret));
  const events = await rows(server.store, `SELECT type, old_values, new_values FROM event WHERE object_type = 'webhook' AND object_id = '${id}' ORDER BY seq`);
  assert.deepEqual(events.map((e) => e.type), ["webhook.created", "webhook.updated", "webhook.deleted"]);
  // A change of nothing but the secret is a change all the same, and can be seen to be one.
  const { json: { id: second } } = await send("POST", "", documented);
  assert.equal((await send("PUT", `/${second}`, { secret: secrets[1] })).json.version, 2);
});

test("targets on this machine and in private networks are refused, however they are written", async () => {
  const hosts = ["127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "017700000001", "0", "0.0.0.0", "localhost", "localhost.",
    "LOCALHOST", "a.localhost", "a.b.localhost.", "127.0.0.1.", "10.0.0.1", "10.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.257",
    "169.254.169.254", "0xa9fea9fe", "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[fe80::1]", "[fc00::1]", "[fd12:3456::1]", "[ff02::1]", "[64:ff9b::7f00:1]",
    "[0:0:0:0:0:0:0:1]", "[2002:7f00:1::]", "[::ffff:169.254.169.254]", "[fe80::1%25eth0]", "[fe80::1%eth0]"];
  for (const host of hosts) {
    for (const url of [`http://${host}/`, `https://${host}:8443/hook`]) {
      const answer = await send("POST", "", { ...documented, url });
      assert.equal(answer.status, 400, `${url}: ${answer.text}`);
      assert.deepEqual(Object.keys(answer.json.fields), ["url"], url);
    }
  }
  const { json: { id } } = await send("POST", "", documented);
  assert.equal((await send("PUT", `/${id}`, { url: "http://127.1/" })).status, 400);
  assert.equal((await send("GET", `/${id}`)).json.url, documented.url);
});

test("public targets are accepted", async () => {
  for (const host of ["example.com", "example.com.", "8.8.8.8", "172.32.0.1", "11.0.0.1", "[2606:4700::1111]", "xn--bcher-kva.example", "mylocalhost.example", "localhost.example"])
    assert.equal((await send("POST", "", { ...documented, url: `https://${host}:8443/hook?x=1` })).status, 201, host);
});

test("what is no URL, event list or secret is refused on its field", async () => {
  const urls = ["", "x", "ftp://example.com/", "//example.com/", "http://", "http:///path", "https://user:pass@example.com/", "http://%31%32%37.0.0.1/", "http://a..b/", "http://.example/", "http://[::1]x/", "http://exa%6dple.com/", "http://example.com:0/", "http://example.com/ x",
    "http://example.com/\n", "http://exa\\mple.com", "http://[::1", "http://[zz]/", "javascript:alert(1)", "http://:80/", "http://example.com:99999/", "http://example.com:+80/",
    "http://example.com:port/", "http://bücher.example/", `http://example.com/${"x".repeat(2000)}`, 5, null, {}, []];
  for (const url of urls) {
    const answer = await send("POST", "", { ...documented, url });
    assert.equal(answer.status, 400, JSON.stringify(url));
    assert.deepEqual(Object.keys(answer.json.fields), ["url"], JSON.stringify(url));
  }
  const events = [[], {}, "kpi.created", null, 5, [5], [null], [""], ["kpi"], ["kpi."], [".created"], ["KPI.CREATED"], ["kpi created"], ["*.created"], ["kpi.cr*"],
    [["kpi.created"]], Array(51).fill("kpi.created"), [`kpi.${"x".repeat(100)}`]];
  for (const list of events) {
    const answer = await send("POST", "", { ...documented, events: list });
    assert.equal(answer.status, 400, JSON.stringify(list));
    assert.ok(Object.keys(answer.json.fields).every((f) => f.startsWith("events")), answer.text);
  }
  for (const list of [["*"], ["kpi.*"], ["threshold.breached", "assignment.updated", "kpi.values_recorded"]])
    assert.equal((await send("POST", "", { ...documented, events: list })).status, 201, JSON.stringify(list));
  for (const secret of ["", "short", null, 12345678, "x".repeat(256)]) {
    const answer = await send("POST", "", { ...documented, secret });
    assert.deepEqual([answer.status, Object.keys(answer.json.fields)], [400, ["secret"]], JSON.stringify(secret));
  }
  assert.deepEqual(Object.keys((await send("POST", "", {})).json.fields).sort(), ["events", "secret", "url"]);
  // Whatever is faulty is told at once: rules behind the fields' own checks beside them, and beside each other.
  for (const secret of ["short", documented.secret]) {
    const faulty = { url: "http://10.0.0.1/", events: ["kpi.created", "KPI"], secret };
    const expected = ["events[1]", ...(secret === "short" ? ["secret"] : []), "url"];
    assert.deepEqual(Object.keys((await send("POST", "", faulty)).json.fields).sort(), expected);
    const { json: { id } } = await send("POST", "", documented);
    assert.deepEqual(Object.keys((await send("PUT", `/${id}`, faulty)).json.fields).sort(), expected);
  }
  assert.deepEqual(Object.keys((await send("POST", "", { ...documented, url: "x", events: [] })).json.fields).sort(), ["events", "url"]);
});

test("only who may manage webhooks does, and companies are apart", async () => {
  const { json: { id } } = await send("POST", "", documented);
  const { auth } = await server.person("plain", "MANAGER");
  for (const [method, path, body] of [["GET", ""], ["POST", "", documented], ["GET", `/${id}`], ["PUT", `/${id}`, {}], ["DELETE", `/${id}`]]) {
    assert.equal((await send(method, path, body, auth)).status, 403, `${method} ${path}`);
    if (path) assert.equal((await send(method, path, body, other)).status, 404, `${method} ${path}`);
  }
  assert.equal((await send("GET", "", undefined, other)).json.total, 0);
  assert.equal((await server.request("GET", "/api/webhooks")).status, 401);
  assert.equal((await send("GET", `/${id}`)).status, 200);
});

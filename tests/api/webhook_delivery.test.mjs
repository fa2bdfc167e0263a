// Webhook deliveries, received by real servers and verified with the libraries that subscribers use: signatures, order, retries, pauses,
// replays, rotation, and receivers that do everything they should not.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

import { startCompanies } from "./support/company.mjs";
import { startReceiver } from "./support/receiver.mjs";
import { onPostgres, startServer } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes ok!").toString("base64")}`;
const PRIVATE = ["--allow-private-webhooks"];

let server, admin, other;
const receivers = [];
before(async () => {
  server = await startCompanies(["North", "South"], { args: PRIVATE });
  [admin, other] = server.admins;
});
after(async () => {
  for (const receiver of receivers) await receiver.close();
  await server.stop();
});

const ask = async (method, path, json, { on = server, auth = admin } = {}) => on.request(method, path, { auth, json });
const must = async (status, ...args) => {
  const answer = await ask(...args);
  assert.equal(answer.status, status, `${args[0]} ${args[1]}: ${answer.text}`);
  return answer.json;
};
const receive = async (behave) => {
  const receiver = await startReceiver(behave);
  receivers.push(receiver);
  return receiver;
};
const subscribe = async (receiver, events = ["*"], more = {}, options) =>
  must(201, "POST", "/api/webhooks", { url: receiver.url ?? receiver, events, secret: SECRET, ...more }, options);
const unsubscribe = (hook, options) => must(204, "DELETE", `/api/webhooks/${hook.id}`, undefined, options);
let serial = 0;
const makeKpi = (options) => must(201, "POST", "/api/kpis", { name: `KPI ${++serial}`, type: "NUMERIC", thresholds: { target_value: 100 } }, options);
const standard = (delivery, secret = SECRET) => new StandardWebhook(secret).verify(delivery.body, delivery.headers);
const svix = (delivery, secret = SECRET) => new SvixWebhook(secret).verify(delivery.body, {
  "svix-id": delivery.headers["webhook-id"], "svix-timestamp": delivery.headers["webhook-timestamp"], "svix-signature": delivery.headers["webhook-signature"],
});

test("a delivery verifies with the libraries of subscribers, and nothing else does", async () => {
  const receiver = await receive();
  const hook = await subscribe(receiver, ["kpi.*"]);
  const kpi = await makeKpi();
  const [delivery] = await receiver.count(1);
  assert.equal(delivery.method, "POST");
  assert.deepEqual(Object.keys(delivery.json), ["type", "timestamp", "data"]);
  assert.equal(delivery.json.type, "kpi.created");
  assert.match(delivery.json.timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual([delivery.json.data.id, delivery.json.data.object_type, delivery.json.data.object.name, delivery.json.data.previous, delivery.json.data.actor.name],
    [kpi.id, "kpi", kpi.name, null, "admin0"]);
  assert.equal(delivery.headers["content-type"], "application/json");
  assert.equal(delivery.headers["x-webhook-event"], "kpi.created");
  assert.match(delivery.headers["user-agent"], /^Sextant/);
  assert.match(delivery.headers["webhook-id"], /^[^.]+$/);
  for (const verify of [standard, svix]) {
    assert.deepEqual(verify(delivery), delivery.json);
    assert.throws(() => verify({ ...delivery, body: delivery.body.replace("kpi.created", "kpi.deleted") }), "another body");
    assert.throws(() => verify(delivery, `whsec_${Buffer.from("another secret").toString("base64")}`), "another secret");
    const past = String(Math.floor(Date.now() / 1000) - 3600);
    assert.throws(() => verify({ ...delivery, headers: { ...delivery.headers, "webhook-timestamp": past } }), "an old timestamp");
    assert.throws(() => verify({ ...delivery, headers: { ...delivery.headers, "webhook-id": "msg_other" } }), "another id");
  }
  const key = Buffer.from(SECRET.slice(6), "base64");
  assert.equal(delivery.headers["x-webhook-signature"], `sha256=${createHmac("sha256", key).update(delivery.body).digest("hex")}`);
  await unsubscribe(hook);
});

test("the document's samples tell genuine deliveries from others", async () => {
  const text = await readFile(new URL("../../docs/webhooks.md", import.meta.url), "utf8");
  const sample = (language) => new RegExp(`^\\x60{3}${language}\\n([^]*?)^\\x60{3}`, "m").exec(text)[1];
  const receiver = await receive();
  const hook = await subscribe(receiver, ["kpi.created"], { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" });
  await makeKpi();
  const [delivery] = await receiver.count(1);
  const inJs = new Function("Webhook", "rawBody", "request", `${sample("js").replace(/^import.*$/m, "")}; return event;`);
  const inPython = (d) => JSON.parse(execFileSync("python3", ["-c", `${sample("python")}
import sys
d = json.load(sys.stdin)
try:
    print(json.dumps(verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", d["headers"], d["body"].encode())))
except ValueError:
    print("null")
`], { input: JSON.stringify(d), encoding: "utf8" }));
  const tampered = { ...delivery, body: delivery.body.replace("created", "deleted") };
  assert.deepEqual(inJs(StandardWebhook, delivery.body, delivery), delivery.json);
  assert.deepEqual(inPython(delivery), delivery.json);
  assert.throws(() => inJs(StandardWebhook, tampered.body, tampered));
  assert.equal(inPython(tampered), null);
  await unsubscribe(hook);
});

test("a secret in no form of the specification signs with its bytes", async () => {
  const receiver = await receive();
  const hook = await subscribe(receiver, ["kpi.created"], { secret: "your_webhook_secret" });
  await makeKpi();
  const [delivery] = await receiver.count(1);
  new StandardWebhook(Buffer.from("your_webhook_secret"), { format: "raw" }).verify(delivery.body, delivery.headers);
  assert.equal(delivery.headers["x-webhook-signature"], `sha256=${createHmac("sha256", "your_webhook_secret").update(delivery.body).digest("hex")}`);
  await unsubscribe(hook);
});

test("patterns choose; sessions, secrets and other companies stay untold", async () => {
  const some = await receive(), all = await receive(), foreign = await receive();
  const hooks = [await subscribe(some, ["kpi.updated", "threshold.*"]), await subscribe(all, ["*"])];
  const hook = await subscribe(foreign, ["*"], {}, { auth: other });
  await must(200, "POST", "/api/auth/token", { username: "admin0", password: "correct-horse-7" });
  const kpi = await makeKpi();
  await must(200, "PUT", `/api/kpis/${kpi.id}`, { description: "changed" });
  await must(201, "POST", `/api/kpis/${kpi.id}/values`, { value: 1 });
  await must(201, "POST", "/api/webhooks", { url: "https://example.com/x", events: ["lead.created"], secret: "not-to-be-told" });
  await must(204, "DELETE", `/api/kpis/${kpi.id}`);
  await all.until((d) => d.some((x) => x.json.type === "kpi.deleted"));
  const types = all.deliveries.map((d) => d.json.type);
  assert.deepEqual(types.filter((t) => t.startsWith("kpi.") || t.startsWith("threshold.")),
    ["kpi.created", "kpi.updated", "threshold.breached", "kpi.values_recorded", "kpi.deleted"]);
  assert.ok(types.includes("webhook.created"));
  assert.ok(!types.some((t) => t.startsWith("session")), types.join());
  assert.ok(!all.deliveries.some((d) => d.body.includes("not-to-be-told")));
  await some.until((d) => d.length >= 2);
  assert.deepEqual(some.deliveries.map((d) => d.json.type), ["kpi.updated", "threshold.breached"]);
  const deleted = all.deliveries.find((d) => d.json.type === "kpi.deleted").json.data;
  assert.deepEqual([deleted.object, deleted.previous.id], [null, kpi.id]);
  assert.ok(!foreign.deliveries.some((d) => d.body.includes(kpi.id)));
  for (const h of hooks) await unsubscribe(h);
  await unsubscribe(hook, { auth: other });
});

test("what fails is sent again with the same id, and what follows waits for it", async () => {
  let refusals = 2;
  const receiver = await receive((_, response) => { response.statusCode = refusals-- > 0 ? 500 : 200; response.end("hm"); });
  const hook = await subscribe(receiver, ["kpi.created"]);
  const made = [];
  for (let i = 0; i < 4; i++) made.push((await makeKpi()).id);
  await receiver.count(6);
  assert.deepEqual(receiver.deliveries.map((d) => d.json.data.id), [made[0], made[0], ...made]);
  assert.equal(new Set(receiver.deliveries.slice(0, 3).map((d) => d.headers["webhook-id"])).size, 1);
  receiver.deliveries.forEach((d) => standard(d));
  const list = await until(async () => {
    const answer = await must(200, "GET", `/api/webhooks/${hook.id}/deliveries`);
    return answer.items.length === 4 && answer.items.every((d) => d.state === "delivered") && answer;
  });
  assert.deepEqual([list.total, list.page, list.pages], [4, 1, 1]);
  const first = list.items.at(-1);
  assert.deepEqual([first.attempts, first.event_type, first.reason], [3, "kpi.created", "event"]);
  const one = await must(200, "GET", `/api/webhooks/${hook.id}/deliveries/${first.id}`);
  assert.deepEqual(one.payload, receiver.deliveries[0].json);
  assert.deepEqual(one.history.map((t) => [t.attempt, t.status, t.fault, t.answer]), [[3, 200, null, "hm"], [2, 500, "STATUS_500", "hm"], [1, 500, "STATUS_500", "hm"]]);
  assert.equal(one.history[0].request.headers["webhook-id"], first.message_id);
  assert.equal(one.history[0].request.url, receiver.url);
  assert.equal(one.history[0].request.address, "127.0.0.1");
  assert.ok(one.history[0].duration_ms > 0);
  const now = await must(200, "GET", `/api/webhooks/${hook.id}`);
  assert.deepEqual([now.failures, now.failing_since, now.last_result], [0, null, "200"]);
  assert.equal((await must(200, "GET", `/api/webhooks/${hook.id}/deliveries?state=pending`)).total, 0);
  assert.equal((await must(200, "GET", `/api/webhooks/${hook.id}/deliveries?event_type=kpi.created&limit=1&skip=1`)).items.length, 1);
  assert.equal((await ask("GET", `/api/webhooks/${hook.id}/deliveries`, undefined, { auth: other })).status, 404);
  assert.equal((await ask("GET", `/api/webhooks/${hook.id}/deliveries/${first.id}`, undefined, { auth: other })).status, 404);
  await unsubscribe(hook);
});

test("events about access go only where an administrator has said that they go", async () => {
  const { auth } = await server.person("program", "INTEGRATION");
  const [mine, theirs] = [await receive(), await receive()];
  const hook = await subscribe(theirs);
  const own = await subscribe(mine, ["*"], {}, { auth });
  assert.deepEqual([hook.access_events, own.access_events], [true, false]);
  let people = 0;
  const happens = async () => { await server.person(`somebody${++people}`, "EMPLOYEE"); return (await makeKpi()).id; };
  const arrives = (receiver, id) => receiver.until((all) => all.some((d) => d.json.data.id === id));
  const types = (receiver) => [...new Set(receiver.deliveries.map((d) => d.json.type))];
  const from = new Date().toISOString();
  const first = await happens();
  await arrives(theirs, first);
  await arrives(mine, first);
  assert.deepEqual(types(mine), ["kpi.created"]);
  assert.ok(types(theirs).includes("user.created") && types(theirs).includes("webhook.created"));

  for (const pattern of ["user.*", "role.updated", "api_key.*", "company.*", "team.*", "webhook.paused", "job.*", "job_schedule.*", "queue.*"]) {
    const refused = [await ask("POST", "/api/webhooks", { url: mine.url, secret: SECRET, events: ["*", pattern] }, { auth }), await ask("PUT", `/api/webhooks/${own.id}`, { events: ["*", pattern] }, { auth })];
    for (const { status, json } of refused) {
      assert.deepEqual([status, Object.keys(json.fields)], [400, ["events[1]"]], pattern);
      assert.match(JSON.stringify(json.fields), /administrator/);
    }
  }
  const range = { from, to: new Date(Date.now() + 3_600_000).toISOString() };
  assert.deepEqual(await must(202, "POST", `/api/webhooks/${own.id}/replay`, range, { auth }), { deliveries: 1 });
  const narrow = await ask("POST", `/api/webhooks/${own.id}/replay`, { ...range, events: ["user.*"] }, { auth });
  assert.deepEqual([narrow.status, Object.keys(narrow.json.fields)], [400, ["events"]]);

  const [{ id: told }] = await until(async () => {
    const { items } = await must(200, "GET", `/api/webhooks/${hook.id}/deliveries?event_type=user.created`, undefined, { auth });
    return items.length && items;
  });
  const log = `/api/webhooks/${hook.id}/deliveries/${told}`;
  const shown = await must(200, "GET", log, undefined, { auth });
  assert.deepEqual([shown.payload, shown.history[0].answer, shown.history[0].status], [null, null, 200]);
  assert.equal((await must(200, "GET", log)).payload.type, "user.created");

  // A replay that waits is not carried off to another place.
  await must(200, "PUT", `/api/webhooks/${hook.id}`, { status: "paused" });
  await must(202, "POST", `${log}/replay`, undefined, { auth });
  assert.equal((await must(200, "PUT", `/api/webhooks/${hook.id}`, { description: "looked at" }, { auth })).access_events, true);
  const taken = await must(200, "PUT", `/api/webhooks/${hook.id}`, { url: mine.url, status: "active" }, { auth });
  assert.equal(taken.access_events, false);
  const refused = await ask("POST", `${log}/replay`, undefined, { auth });
  assert.deepEqual([refused.status, refused.json.code], [403, "INSUFFICIENT_PERMISSIONS"], refused.text);
  await arrives(mine, await happens());
  assert.deepEqual(await must(202, "POST", `/api/webhooks/${hook.id}/replay`, { ...range, events: ["kpi.created"] }, { auth }), { deliveries: 2 });
  await until(async () => (await must(200, "GET", `/api/webhooks/${hook.id}/deliveries?reason=replay&state=delivered`)).total === 2);
  assert.deepEqual(types(mine), ["kpi.created"]);
  assert.equal((await must(200, "GET", `/api/webhooks/${hook.id}/deliveries?reason=replay&state=pending`)).total, 1);

  for (const change of [{ secret: SECRET }, { events: ["*"] }, { url: mine.url }, { status: "active" }]) {
    assert.equal((await must(200, "PUT", `/api/webhooks/${hook.id}`, { url: theirs.url })).access_events, true);
    assert.equal((await must(200, "PUT", `/api/webhooks/${hook.id}`, change, { auth })).access_events, false, Object.keys(change)[0]);
  }
  await must(200, "PUT", `/api/webhooks/${hook.id}`, { url: theirs.url });
  await must(200, "POST", `/api/webhooks/${hook.id}/rotate-secret`, {}, { auth });
  assert.equal((await must(200, "GET", `/api/webhooks/${hook.id}`)).access_events, false);
  for (const h of [hook, own]) await unsubscribe(h);
});

test("Retry-After is heeded", async () => {
  let refusals = 1;
  const receiver = await receive((_, response) => {
    if (refusals-- > 0) response.writeHead(503, { "retry-after": "3" });
    response.end();
  });
  const hook = await subscribe(receiver, ["kpi.created"]);
  await makeKpi();
  await receiver.count(2);
  assert.ok(receiver.deliveries[1].at - receiver.deliveries[0].at >= 2500);
  await unsubscribe(hook);
});

test("redirects are not followed, wherever they point", async () => {
  for (const location of ["http://169.254.169.254/latest/meta-data/", "http://[::1]:1/", "/elsewhere"]) {
    const receiver = await receive((_, response) => { response.writeHead(301, { location }); response.end(); });
    const hook = await subscribe(receiver, ["kpi.created"], { status: "paused" });
    const answer = await must(200, "POST", `/api/webhooks/${hook.id}/test`);
    assert.deepEqual([answer.delivered, answer.status, answer.fault], [false, 301, "REDIRECT"]);
    assert.match(answer.answer, /not followed/);
    assert.equal(receiver.deliveries.length, 1);
    await unsubscribe(hook);
  }
});

test("410 removes the subscription, with an event that says why", async () => {
  const gone = await receive((_, response) => { response.statusCode = 410; response.end(); });
  const watching = await receive();
  const watcher = await subscribe(watching, ["webhook.deleted"]);
  const hook = await subscribe(gone, ["kpi.created"]);
  await makeKpi();
  await watching.until((d) => d.some((x) => x.json.data.id === hook.id));
  assert.match(watching.deliveries.at(-1).json.data.object.reason, /410/);
  assert.equal((await ask("GET", `/api/webhooks/${hook.id}`)).status, 404);
  assert.equal(gone.deliveries.length, 1);
  await unsubscribe(watcher);
});

test("receivers that hang, drip or stream without end hold back nobody else", async () => {
  let over = 0; // of those that hang or drip: the server has given one up, after fifteen seconds
  const stuck = await receive((_, response) => {
    const kind = stuck.deliveries.length % 3;
    if (kind !== 2) response.on("close", () => { over++; });
    if (kind === 0) return;
    response.writeHead(200);
    const chunk = kind === 1 ? "." : "x".repeat(1 << 16);
    const drip = setInterval(() => response.write(chunk), kind === 1 ? 200 : 1);
    response.on("close", () => clearInterval(drip));
  });
  const healthy = await receive();
  const hooks = [];
  for (let i = 0; i < 20; i++) hooks.push(await subscribe(stuck, ["kpi.created"]));
  hooks.push(await subscribe(healthy, ["kpi.created"]));
  await makeKpi();
  await stuck.count(20);
  await healthy.count(1);
  await makeKpi();
  await healthy.count(2);
  assert.equal(over, 0, "while the others still hang");
  assert.equal((await ask("GET", "/api/kpis")).status, 200);
  for (const hook of hooks) await unsubscribe(hook);
});

test("an answer is read to its limit and kept to a smaller one", async () => {
  const receiver = await receive((_, response) => {
    const more = () => { while (response.write("y".repeat(1 << 16))); };
    response.on("drain", more);
    more();
  });
  const hook = await subscribe(receiver, ["kpi.created"]);
  const answer = await must(200, "POST", `/api/webhooks/${hook.id}/test`);
  assert.deepEqual([answer.delivered, answer.status, answer.answer.length], [true, 200, 2048]);
  assert.equal(receiver.deliveries[0].json.type, "webhook.test");
  standard(receiver.deliveries[0]);
  const [logged] = (await must(200, "GET", `/api/webhooks/${hook.id}/deliveries`)).items;
  assert.deepEqual([logged.id, logged.reason, logged.state, logged.event_id], [answer.delivery_id, "test", "delivered", null]);
  await unsubscribe(hook);
});

test("a paused subscription goes on where it stood when it is active again", async () => {
  const receiver = await receive();
  const hook = await subscribe(receiver, ["kpi.created"]);
  const first = await makeKpi();
  await receiver.count(1);
  await must(200, "PUT", `/api/webhooks/${hook.id}`, { status: "paused" });
  const missed = [(await makeKpi()).id, (await makeKpi()).id];
  await sleep(300);
  assert.equal(receiver.deliveries.length, 1);
  await must(200, "PUT", `/api/webhooks/${hook.id}`, { status: "active" });
  await receiver.count(3);
  assert.deepEqual(receiver.deliveries.map((d) => d.json.data.id), [first.id, ...missed]);
  await unsubscribe(hook);
});

test("deliveries are replayed one by one and by a time range", async () => {
  const receiver = await receive();
  const hook = await subscribe(receiver, ["kpi.*"]);
  const made = [await makeKpi(), await makeKpi()];
  const from = made[0].created_at;
  await must(200, "PUT", `/api/kpis/${made[0].id}`, { description: "changed" });
  await receiver.count(3);
  const [last] = await until(async () => {
    const { items } = await must(200, "GET", `/api/webhooks/${hook.id}/deliveries`);
    return items.length === 3 && items.every((d) => d.state === "delivered") && items;
  });
  const again = await must(202, "POST", `/api/webhooks/${hook.id}/deliveries/${last.id}/replay`);
  assert.deepEqual([again.reason, again.state, again.message_id, again.webhook_id], ["replay", "pending", last.message_id, hook.id]);
  assert.notEqual(again.id, last.id);
  await receiver.count(4);
  const [, , original, replayed] = receiver.deliveries;
  assert.equal(replayed.body, original.body);
  assert.equal(replayed.headers["webhook-id"], original.headers["webhook-id"]);
  standard(replayed);
  const to = new Date(Date.now() + 1000).toISOString();
  assert.deepEqual(await must(202, "POST", `/api/webhooks/${hook.id}/replay`, { from, to, events: ["kpi.created"] }), { deliveries: 2 });
  await receiver.count(6);
  assert.deepEqual(receiver.deliveries.slice(4).map((d) => d.headers["webhook-id"]), receiver.deliveries.slice(0, 2).map((d) => d.headers["webhook-id"]));
  for (const [json, field] of [[{ to }, "from"], [{ from: "soon", to }, "from"], [{ from: to, to: from }, "to"], [{ from, to, events: ["KPI"] }, "events"]]) {
    const answer = await ask("POST", `/api/webhooks/${hook.id}/replay`, json);
    assert.deepEqual([answer.status, Object.keys(answer.json.fields ?? {})], [400, [field]], answer.text);
  }
  assert.equal((await ask("POST", `/api/webhooks/${hook.id}/deliveries/nothing/replay`)).status, 404);
  await unsubscribe(hook);
});

test("a rotated secret is overlapped by the old one for as long as was asked", async () => {
  const receiver = await receive();
  const hook = await subscribe(receiver, ["kpi.created"]);
  const rotated = await ask("POST", `/api/webhooks/${hook.id}/rotate-secret`, {});
  assert.equal(rotated.status, 200, rotated.text);
  const { secret, previous_secret_until } = rotated.json;
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.ok(Math.abs(Date.parse(previous_secret_until) - Date.now() - 24 * 3600_000) < 60_000);
  assert.match(rotated.headers.get("cache-control") ?? "", /no-store/);
  await makeKpi();
  const [both] = await receiver.count(1);
  assert.equal(both.headers["webhook-signature"].split(" ").length, 2);
  for (const s of [secret, SECRET]) { standard(both, s); svix(both, s); }
  const given = await must(200, "POST", `/api/webhooks/${hook.id}/rotate-secret`, { secret: "a-given-secret", overlap_hours: 0 });
  assert.equal(given.secret, "a-given-secret");
  await makeKpi();
  const [, alone] = await receiver.count(2);
  new StandardWebhook(Buffer.from("a-given-secret"), { format: "raw" }).verify(alone.body, alone.headers);
  assert.throws(() => standard(alone, secret));
  for (const json of [{ secret: "short" }, { secret: 5 }, { overlap_hours: -1 }, { overlap_hours: 1.5 }])
    assert.equal((await ask("POST", `/api/webhooks/${hook.id}/rotate-secret`, json)).status, 400, JSON.stringify(json));
  assert.ok(!(await ask("GET", `/api/webhooks/${hook.id}`)).text.includes("secret"));
  await unsubscribe(hook);
});

test("without the operator's leave nothing private is connected to, however it is named", async () => {
  const strict = await startCompanies(["North"]);
  try {
    const receiver = await receive();
    const port = new URL(receiver.url).port;
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0x7f.1"])
      assert.equal((await ask("POST", "/api/webhooks", { url: `http://${host}/`, events: ["*"], secret: SECRET }, { on: strict, auth: strict.admins[0] })).status, 400, host);
    assert.equal(receiver.deliveries.length, 0);
  } finally {
    await strict.stop();
  }
});

test("a kill at any moment loses nothing, mixes up nothing, and repeats under the same id", async () => {
  const crashing = await startCompanies(["North"], { args: PRIVATE });
  let on = crashing;
  const auth = crashing.admins[0];
  const receiver = await receive((_, response) => setTimeout(() => response.end(), 20));
  const hook = await subscribe(receiver, ["kpi.created"], {}, { on, auth });
  const made = [];
  try {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5; i++) made.push((await makeKpi({ on, auth })).id);
      if (round === 0) await receiver.count(1); // in the middle of sending, then right behind a commit
      await on.kill();
      on = await startServer({ store: crashing.store, args: PRIVATE });
    }
    await receiver.until((all) => new Set(all.map((d) => d.json.data.id)).size === made.length, 150_000); // each dead server's lease has its time
    const seen = [...new Set(receiver.deliveries.map((d) => d.json.data.id))];
    assert.deepEqual(seen, made, "in order, repeats aside");
    const ids = new Map();
    for (const d of receiver.deliveries) {
      assert.equal(ids.get(d.json.data.id) ?? d.headers["webhook-id"], d.headers["webhook-id"]);
      ids.set(d.json.data.id, d.headers["webhook-id"]);
    }
    assert.equal(new Set(ids.values()).size, made.length);
    await until(async () => (await must(200, "GET", `/api/webhooks/${hook.id}/deliveries?state=delivered`, undefined, { on, auth })).total === made.length);
  } finally {
    await on.stop();
    await crashing.store.remove();
  }
});

const onSqlite = { skip: onPostgres ? "there it waits for the dead server's leases; tests/unit/queue holds the order on both" : false };
test("after a kill endpoints that hang hold back none that was in flight beside them", onSqlite, async () => {
  const crashing = await startCompanies(["North"], { args: PRIVATE });
  let on = crashing;
  const auth = crashing.admins[0];
  let over = 0; // of those that hang at the second server
  const stuck = await receive((_, response) => { if (stuck.deliveries.length > 20) response.on("close", () => { over++; }); });
  const healthy = await receive((_, response) => { if (healthy.deliveries.length > 1) response.end(); });
  try {
    for (let i = 0; i < 20; i++) await subscribe(stuck, ["kpi.created"], {}, { on, auth });
    await subscribe(healthy, ["kpi.created"], {}, { on, auth });
    await makeKpi({ on, auth });
    await stuck.count(20);
    await healthy.count(1);
    await on.kill();
    on = await startServer({ store: crashing.store, args: PRIVATE });
    await stuck.count(40);
    await healthy.count(2);
    assert.equal(over, 0, "all at once again, not one behind the other's end");
    assert.equal(healthy.deliveries[1].headers["webhook-id"], healthy.deliveries[0].headers["webhook-id"]);
  } finally {
    await on.stop();
    await crashing.store.remove();
  }
});

test("two servers on one database send each event once, in order", { skip: onPostgres ? false : "one process owns an SQLite file" }, async () => {
  const first = await startCompanies(["North"], { args: PRIVATE });
  const second = await startServer({ store: first.store, args: PRIVATE });
  const auth = first.admins[0];
  const receiver = await receive();
  const hook = await subscribe(receiver, ["kpi.created"], {}, { on: first, auth });
  try {
    const made = [];
    for (let i = 0; i < 20; i++) made.push((await makeKpi({ on: i % 2 ? first : second, auth })).id);
    await receiver.count(made.length);
    await sleep(500);
    assert.deepEqual(receiver.deliveries.map((d) => d.json.data.id), made);
    const mended = await must(200, "GET", `/api/webhooks/${hook.id}`, undefined, { on: second, auth });
    assert.equal(mended.failures, 0);
  } finally {
    await second.stop();
    await first.stop();
  }
});

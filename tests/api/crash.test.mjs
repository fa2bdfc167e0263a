// The server is killed in the middle of many writers' work, several times on one store. What was acknowledged is there, nothing is
// there by half, every change has its event, the day figures are those of the values, and a retried request is done once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { rows, settled } from "./support/database.mjs";
import { command, logIn, newStore, startServer } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const WRITERS = 24;
const ROUNDS = 4;
const KPIS = 5;
const BATCH = 7;

let store, auth;
before(async () => {
  store = await newStore();
  const added = await command(["user", "add", ...store.args, "--username", "ada", "--role", "ADMIN", "--company", "North", "--password-stdin"],
    { input: "correct-horse-7\n" });
  assert.equal(added.code, 0, added.stderr);
});
after(() => store.remove());

// All writers at work; what one of them finds wrong is told when they are waited for.
function workers(server) {
  const all = Promise.all(Array.from({ length: WRITERS }, (_, n) => write(server, n)));
  all.catch(() => {});
  return all;
}

// There is work to be lost, and nobody knows where in it the writers are.
async function underWay() {
  const before = acknowledged.length;
  await until(() => acknowledged.length > before + WRITERS);
  await sleep(Math.random() * 900);
}

// What is known of each value: its text once it was acknowledged; while a request that would change it is unanswered, also that text.
const known = new Map();
const unsure = new Map();
const acknowledged = []; // request ids
let batches = []; // of requests without answer: keys that stand or fall together
let retries = []; // creations without answer
let serial = 0;
let clock = Date.UTC(2020, 0, 1);

class Killed extends Error {}

// One request; throws Killed when the server died before it answered.
async function ask(server, method, path, options) {
  let answer;
  try {
    answer = await server.request(method, path, { auth, ...options });
  } catch {
    throw new Killed();
  }
  assert.ok(answer.status < 500 || answer.status === 503, `${method} ${path}: ${answer.status} ${answer.text}`);
  // An answer given a second time changed nothing: its change has the event of the request that was answered by nobody.
  if (answer.status < 300 && !answer.headers.has("idempotent-replayed")) acknowledged.push(answer.headers.get("x-request-id"));
  return answer;
}

const keyOf = (kpi, at) => `${kpi} ${at * 1000}`;

async function enter(server, kpi) {
  const values = Array.from({ length: BATCH }, () => ({ value: ++serial, at: new Date((clock += 3_700_000)).toISOString() }));
  const keys = values.map((v) => keyOf(kpi, Date.parse(v.at)));
  values.forEach((v, i) => unsure.set(keys[i], [undefined, v.value]));
  batches.push(keys);
  const answer = await ask(server, "POST", `/api/kpis/${kpi}/values`, { json: values });
  assert.equal(answer.status, 201, answer.text);
  batches = batches.filter((b) => b !== keys);
  values.forEach((v, i) => { unsure.delete(keys[i]); known.set(keys[i], v.value); });
  return keys;
}

async function correct(server, key) {
  const [kpi, at] = key.split(" ");
  const value = ++serial;
  unsure.set(key, [known.get(key), value]);
  const answer = await ask(server, "PUT", `/api/kpis/${kpi}/values/${at}`, { json: { value } });
  assert.equal(answer.status, 200, answer.text);
  unsure.delete(key);
  known.set(key, value);
}

async function remove(server, key) {
  const [kpi, at] = key.split(" ");
  unsure.set(key, [known.get(key), undefined]);
  const answer = await ask(server, "DELETE", `/api/kpis/${kpi}/values/${at}`);
  assert.equal(answer.status, 204, answer.text);
  unsure.delete(key);
  known.delete(key);
}

async function create(server) {
  const request = { key: `key-${++serial}`, json: { name: `Made ${serial}`, type: "COUNT" } };
  retries.push(request);
  const answer = await ask(server, "POST", "/api/kpis", { json: request.json, headers: { "idempotency-key": request.key } });
  assert.equal(answer.status, 201, answer.text);
  retries = retries.filter((r) => r !== request);
  known.set(`kpi ${request.json.name}`, answer.json.id);
}

async function write(server, n) {
  try {
    for (let i = n; ; i++) {
      const keys = await enter(server, `kpi-${i % KPIS}`);
      await correct(server, keys[1]);
      await remove(server, keys[2]);
      if (n % 8 === 0) await create(server);
    }
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
}

async function checkStore() {
  const found = new Map((await rows(store, "SELECT kpi_id, CAST(at AS TEXT) AS at, value FROM kpi_value")).map((r) => [`${r.kpi_id} ${r.at}`, r.value]));
  for (const [key, value] of known) {
    if (key.startsWith("kpi ") || unsure.has(key)) continue;
    assert.equal(found.get(key), value, `the acknowledged value ${key} is there`);
  }
  for (const [key, value] of found) {
    const possible = unsure.get(key) ?? [known.get(key)];
    assert.ok(possible.includes(value), `${key} is ${value}, of ${possible}`);
  }
  for (const keys of batches) assert.ok([0, BATCH].includes(keys.filter((k) => found.has(k)).length), "a bulk is there or not there");
  const names = new Map((await rows(store, "SELECT name, id FROM kpi")).map((r) => [r.name, r.id]));
  const creations = new Map((await rows(store, "SELECT object_id, COUNT(*) AS n FROM event WHERE type = 'kpi.created' GROUP BY object_id")).map((r) => [r.object_id, Number(r.n)]));
  for (const [key, id] of known) {
    if (!key.startsWith("kpi ")) continue;
    assert.equal(names.get(key.slice(4)), id);
    assert.equal(creations.get(id), 1, `${key} was made once, whoever got the answer`);
  }
  const events = new Map((await rows(store, "SELECT request_id, COUNT(*) AS n FROM event WHERE type NOT LIKE 'threshold.%' GROUP BY request_id")).map((r) => [r.request_id, r.n]));
  for (const id of acknowledged) assert.equal(events.get(id), 1, `the change of request ${id} has one event`);
  // What turned out is what is known from here on.
  for (const key of unsure.keys()) found.has(key) ? known.set(key, found.get(key)) : known.delete(key);
  unsure.clear();
  batches = [];
  return acknowledged.length;
}

test("kill -9 loses nothing acknowledged and leaves nothing half", async (t) => {
  let total = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServer({ store });
    auth ??= await logIn(server, "ada", "correct-horse-7");
    if (round === 0)
      for (let i = 0; i < KPIS; i++) await ask(server, "POST", "/api/kpis", { json: { id: `kpi-${i}`, name: `KPI ${i}`, type: "COUNT", thresholds: { target_value: 1000 } } });
    for (const { key, json } of retries.splice(0)) {
      const answer = await ask(server, "POST", "/api/kpis", { json, headers: { "idempotency-key": key } });
      assert.equal(answer.status, 201, `a retry is done once: ${answer.text}`);
      known.set(`kpi ${json.name}`, answer.json.id);
    }
    const writers = workers(server);
    await underWay();
    await server.kill("SIGKILL");
    await writers;
    await settled(store);
    total = await checkStore();
    const recalculated = await command(["recalculate", ...store.args]);
    assert.equal(recalculated.code, 0, recalculated.stderr);
    assert.match(recalculated.stdout, /, 0 days were wrong/);
    assert.equal((await command(["check", ...store.args])).code, 0);
  }
  t.diagnostic(`${total} acknowledged writes in ${ROUNDS} rounds`);
});

test("a stop with SIGTERM in the middle of the work loses nothing either", async () => {
  const server = await startServer({ store });
  const writers = workers(server);
  await underWay();
  await server.stop();
  await writers;
  await settled(store);
  await checkStore();
  assert.match((await command(["recalculate", ...store.args])).stdout, /, 0 days were wrong/);
});

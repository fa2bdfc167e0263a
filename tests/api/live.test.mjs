// The live room against the real binary: who may connect and by which ways, what is told to whom, what happens when the permission
// changes, and that nothing is left out or told twice.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { basic, command, logIn, newStore, onPostgres, startServer } from "./support/server.mjs";
import { openEvents, openSocket } from "./support/streams.mjs";
import { PASSWORD, startCompanies } from "./support/company.mjs";
import { rows, settled } from "./support/database.mjs";
import { until } from "./support/until.mjs";

const EVENTS = "/api/ws/events";
const token = (auth) => auth.replace(/^Bearer /, "");

async function createKpi(server, auth, name, more = {}) {
  const answer = await server.request("POST", "/api/kpis", { auth, json: { name, type: "NUMERIC", ...more } });
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

const record = async (server, auth, id, value) => {
  const answer = await server.request("POST", `/api/kpis/${id}/values`, { auth, json: { value } });
  assert.ok(answer.status < 300, answer.text);
};

// So many messages, and not one more.
async function arrived(box, count) {
  await until(() => box.messages.length >= count || box.ended).catch(() => {});
  const seqs = box.messages.map((m) => m.seq);
  assert.deepEqual([seqs.length, new Set(seqs).size, box.ended], [count, count, null], `${JSON.stringify(box.messages.at(-1))}`);
}

const holds = (message, value) => message.data?.values?.some((v) => v.value === value) ?? false;

describe("streams", () => {
  let server;
  let admin;
  let stranger;
  before(async () => {
    server = await startCompanies(["Here", "Elsewhere"]);
    admin = await logIn(server, "admin0", PASSWORD);
    stranger = await logIn(server, "admin1", PASSWORD);
  });
  after(() => server?.stop());

  it("take the token by each way a client can send it", async () => {
    const plain = token(admin);
    const ways = {
      header: { auth: admin },
      basic: { auth: server.admins[0] },
      query: { query: `?token=${plain}` },
      subprotocol: { protocols: ["bearer", plain] },
      message: { first: { token: plain } },
      "typed message": { first: { type: "auth", token: plain } },
    };
    for (const [name, way] of Object.entries(ways)) {
      const s = await openSocket(server, `${EVENTS}${way.query ?? ""}`, way);
      if (way.first) s.send(way.first);
      if (way.protocols) assert.equal(s.ws.protocol, "bearer");
      s.send({ subscribe: ["kpi:*"] });
      await s.next((m) => m.type === "subscribed").catch((e) => assert.fail(`${name}: ${e.message}`));
      await s.close();
    }
    const e = await openEvents(server, `/api/v1/events/stream?token=${plain}`);
    e.close();
  });

  it("close with 4401 what has no valid token, behind the handshake", async () => {
    for (const options of [{ auth: "Bearer x.y.z" }, { protocols: ["bearer", "nonsense"] }, { auth: basic("admin0", "wrong") }]) {
      const s = await openSocket(server, EVENTS, options);
      assert.equal((await s.end_of()).code, 4401);
    }
    for (const first of ["{\"token\":\"x.y.z\"}", "{\"token\":7}", "{}", "no json", "[]"]) {
      const s = await openSocket(server, EVENTS);
      s.send(first);
      assert.equal((await s.end_of()).code, 4401, first);
    }
    for (const auth of [undefined, "Bearer x.y.z"]) {
      const answer = await server.request("GET", "/api/v1/events/stream", { auth });
      assert.equal(answer.status, 401, "an event stream has a status");
    }
    const unheard = await server.request("GET", "/api/v1/events/stream?topics=kpi:none", { auth: admin });
    assert.equal(unheard.status, 404);
    const wrong = await server.request("GET", "/api/v1/events/stream?topics=KPI:1", { auth: admin });
    assert.equal(wrong.status, 400);
    const plain = await server.request("GET", EVENTS, { auth: admin });
    assert.equal(plain.status, 426);
  });

  it("are refused for kinds that there are none of", async () => {
    for (const topic of ["nosuch:1", "nosuch:*", "kpis:*", "event:*", "queue:*", "sessions:*"]) {
      const answer = await server.request("GET", `/api/v1/events/stream?topics=kpi:*,${topic}`, { auth: admin });
      assert.deepEqual([answer.status, answer.text.includes(topic)], [404, true], `${topic}: ${answer.text}`);
      const s = await openSocket(server, `${EVENTS}?topics=${topic}`, { auth: admin });
      assert.equal((await s.end_of()).code, 4404, topic);
    }
    const s = await openSocket(server, EVENTS, { auth: admin });
    s.send({ subscribe: ["nosuch:*"] });
    const refused = await s.next();
    assert.deepEqual([refused.type, refused.data.topic, refused.data.code], ["error", "nosuch:*", "NOT_FOUND"]);
    await s.close();
  });

  it("tell administrators of what is no resource", async () => {
    const s = await openSocket(server, `${EVENTS}?topics=session:*,campaign_metric:*`, { auth: admin });
    await logIn(server, "admin0", PASSWORD);
    assert.equal((await s.next()).object_type, "session");
    const metric = await server.request("POST", "/api/campaigns/metrics", { auth: admin, json: { name: "Footfall", signed: true } });
    assert.ok(metric.status < 300, metric.text);
    assert.equal((await s.next()).object_type, "campaign_metric");
    await s.close();
    const nobody = await server.person("nobody", "EMPLOYEE");
    for (const topic of ["session:*", "campaign_metric:*"])
      assert.equal((await server.request("GET", `/api/v1/events/stream?topics=${topic}`, { auth: nobody.auth })).status, 404, topic);
  });

  it("do not take a password that a browser lends to a page of another host", async () => {
    const auth = server.admins[0];
    const strange = await openSocket(server, EVENTS, { auth, headers: { origin: "https://elsewhere.example" } });
    assert.equal((await strange.end_of()).code, 4403);
    for (const options of [{ auth, headers: { origin: server.url } }, { auth: admin, headers: { origin: "https://elsewhere.example" } }]) {
      const s = await openSocket(server, EVENTS, options);
      s.send({ type: "ping" });
      assert.equal((await s.next()).type, "pong");
      await s.close();
    }
  });

  it("close with 4401 when no token comes in time", async () => {
    const began = Date.now();
    const s = await openSocket(server, EVENTS);
    assert.equal((await s.end_of()).code, 4401);
    assert.ok(Date.now() - began >= 4500, `after ${Date.now() - began} ms`);
  });

  it("tell an event to those of the company who follow the object, in the documented form", async () => {
    const kpi = await createKpi(server, admin, "Told");
    const other = await createKpi(server, admin, "Not asked for");
    const mine = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: admin });
    const theirs = await openSocket(server, `${EVENTS}?topics=*`, { auth: stranger });
    const stream = await openEvents(server, "/api/v1/events/stream", { auth: admin });
    await record(server, admin, other.id, 1);
    await record(server, admin, kpi.id, 5);
    const told = await mine.next();
    assert.deepEqual(Object.keys(told), ["type", "timestamp", "seq", "object_type", "object_id", "data"]);
    assert.equal(told.type, "kpi.values_recorded");
    assert.equal(told.object_id, kpi.id);
    assert.match(told.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$/);
    const sent = await stream.next((m) => m.object_id === kpi.id);
    assert.deepEqual({ ...sent, id: undefined, event: undefined }, { ...told, id: undefined, event: undefined });
    assert.equal(sent.id, String(told.seq));
    mine.send({ type: "ping" });
    assert.equal((await mine.next()).type, "pong", "nothing but the one event came");
    theirs.send({ type: "ping" });
    assert.equal((await theirs.next()).type, "pong", "another company's event was told");
    for (const s of [mine, theirs]) await s.close();
    stream.close();
  });

  it("keep another company's objects to itself", async () => {
    const kpi = await createKpi(server, admin, "Ours");
    const s = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: stranger });
    assert.equal((await s.end_of()).code, 4404);
    const t = await openSocket(server, EVENTS, { auth: stranger });
    t.send({ subscribe: [`kpi:${kpi.id}`] });
    const refused = await t.next();
    assert.deepEqual([refused.type, refused.data.code], ["error", "NOT_FOUND"]);
    await t.close();
    assert.equal((await server.request("GET", `/api/v1/events/stream?topics=kpi:${kpi.id}`, { auth: stranger })).status, 404);
  });

  it("answer what they do not understand with an error, and cut who talks too much", async () => {
    const s = await openSocket(server, EVENTS, { auth: admin });
    for (const slip of ["{", "[]", "7", "{\"type\":\"nonsense\"}", "{\"subscribe\":[7]}", "{\"subscribe\":[\"no such:thing\"]}", "{\"subscribe\":[\"kpi:*\"],\"since\":\"x\"}"]) {
      s.send(slip);
      assert.equal((await s.next()).type, "error", slip);
    }
    s.send({ subscribe: Array.from({ length: 40 }, (_, i) => `kpi:none-${i}`) });
    for (let i = 0; i < 40; i++) await s.next((m) => m.type === "error");
    // Twenty are allowed in a second; so many take no server that long.
    for (let i = 0; i < 1000; i++) s.send({ type: "ping" });
    assert.equal((await s.end_of()).code, 1008);
    const large = await openSocket(server, EVENTS, { auth: admin });
    large.send({ subscribe: ["x".repeat(20_000)] });
    assert.equal((await large.end_of()).code, 1009);
  });

  it("change their topics on demand", async () => {
    const kpi = await createKpi(server, admin, "Changing");
    const s = await openSocket(server, EVENTS, { auth: admin });
    s.send({ subscribe: [`kpi:${kpi.id}`] });
    await s.next((m) => m.type === "subscribed");
    await record(server, admin, kpi.id, 1);
    await s.next((m) => m.type === "kpi.values_recorded");
    s.send({ unsubscribe: [`kpi:${kpi.id}`] });
    await s.next((m) => m.type === "unsubscribed");
    await record(server, admin, kpi.id, 2);
    s.send({ type: "ping" });
    assert.equal((await s.next()).type, "pong", "told although nothing is subscribed");
    // What was committed a moment before may still be on its way, and is told then.
    s.send({ subscribe: ["kpi:*"] });
    await s.next((m) => m.type === "subscribed");
    await record(server, admin, kpi.id, 3);
    await s.next((m) => holds(m, 3));
    await s.close();
  });

  it("say so when a number is gone, and go on", async () => {
    const kpi = await createKpi(server, admin, "Resync");
    for (const since of [0, 999_999_999]) {
      const s = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}&since=${since}`, { auth: admin });
      const first = await s.next();
      assert.deepEqual([first.type, first.data.since], ["resync", since]);
      await record(server, admin, kpi.id, since % 1000);
      assert.equal((await s.next()).type, "kpi.values_recorded");
      await s.close();
    }
    const stream = await openEvents(server, `/api/v1/events/stream?topics=kpi:${kpi.id}`, { auth: admin, headers: { "last-event-id": "rubbish" } });
    assert.equal((await stream.next()).event, "resync");
    stream.close();
  });

  it("tell who sees only some objects of those alone", async () => {
    const ann = await server.person("ann", "EMPLOYEE", { employee_id: "emp-ann" });
    const seen = await createKpi(server, admin, "Ann's own", { owner_id: "emp-ann" });
    const unseen = await createKpi(server, admin, "Not Ann's");
    const s = await openSocket(server, `${EVENTS}?topics=kpi:*,*`, { auth: ann.auth });
    await record(server, admin, unseen.id, 1);
    await record(server, admin, seen.id, 2);
    const first = await s.next();
    assert.equal(first.object_id, seen.id);
    // Given to her, and taken away again.
    const given = await server.request("PUT", `/api/kpis/${unseen.id}`, { auth: admin, json: { owner_id: "emp-ann" } });
    assert.equal(given.status, 200, given.text);
    assert.equal((await s.next((m) => m.object_id === unseen.id)).type, "kpi.updated");
    await server.request("PUT", `/api/kpis/${unseen.id}`, { auth: admin, json: { owner_id: "adm" } }).then(async (a) => {
      if (a.status !== 200) await server.request("PUT", `/api/kpis/${unseen.id}`, { auth: admin, json: { owner_id: null } });
    });
    await record(server, admin, unseen.id, 3);
    await record(server, admin, seen.id, 4);
    const next = await s.next();
    assert.equal(next.object_id, seen.id, JSON.stringify(next));
    await s.close();
  });

  it("end with the login, the role, the person and the object", async () => {
    const bob = await server.person("bob", "ANALYST");
    const kpi = await createKpi(server, admin, "Bob's");
    const open = (auth) => openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth });

    const first = await logIn(server, "bob", PASSWORD);
    const second = await logIn(server, "bob", PASSWORD);
    const [left, stays] = [await open(first), await open(second)];
    await server.request("POST", "/api/v1/logout", { auth: first, json: {} });
    assert.equal((await left.end_of()).code, 4401);
    await record(server, admin, kpi.id, 1);
    await stays.next((m) => m.type === "kpi.values_recorded");

    const change = async (json) => {
      const answer = await server.request("PUT", `/api/v1/users/${bob.id}`, { auth: admin, json });
      assert.equal(answer.status, 200, answer.text);
    };
    await change({ role: "EMPLOYEE" });
    assert.equal((await stays.end_of()).code, 4403);
    await change({ role: "ANALYST" });

    const byPassword = await open(basic("bob", PASSWORD));
    const session = await open(second);
    await change({ password: "another-horse-8" });
    assert.equal((await byPassword.end_of()).code, 4401);
    assert.equal((await session.end_of()).code, 4401);

    const third = await open(await logIn(server, "bob", "another-horse-8"));
    const stream = await openEvents(server, `/api/v1/events/stream?topics=kpi:${kpi.id}`, { auth: basic("bob", "another-horse-8") });
    await change({ active: false });
    assert.equal((await third.end_of()).code, 4401);
    assert.equal((await stream.end_of()).status, 401, "an EventSource that connects again is refused");

    const gone = await open(admin);
    assert.equal((await server.request("DELETE", `/api/kpis/${kpi.id}`, { auth: admin })).status, 204);
    assert.equal((await gone.next()).type, "kpi.deleted");
    assert.equal((await gone.end_of()).code, 4404);
  });

  it("never tell anything that was committed behind a revocation", async () => {
    const carol = await server.person("carol", "ANALYST");
    const kpi = await createKpi(server, admin, "Carol's");
    for (let round = 0; round < 5; round++) {
      const auth = await logIn(server, "carol", PASSWORD);
      const s = await openSocket(server, `${EVENTS}?topics=kpi:*`, { auth });
      const writes = Promise.all(Array.from({ length: 5 }, (_, i) => record(server, admin, kpi.id, i)));
      const off = await server.request("PUT", `/api/v1/users/${carol.id}`, { auth: admin, json: { active: false } });
      assert.equal(off.status, 200, off.text);
      await writes;
      await record(server, admin, kpi.id, 1000 + round);
      assert.equal((await s.end_of()).code, 4401);
      assert.ok(!s.messages.some((m) => holds(m, 1000 + round)), "told although revoked before");
      await server.request("PUT", `/api/v1/users/${carol.id}`, { auth: admin, json: { active: true } });
    }
  });

  it("replay without a gap or a repeat while others write", async () => {
    const kpi = await createKpi(server, admin, "Replayed");
    const all = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: admin });
    let writing = true;
    let count = 0;
    const writers = Array.from({ length: 4 }, async (_, w) => {
      for (let i = 0; writing; i++, count++) await record(server, admin, kpi.id, w * 1_000_000 + i);
    });
    const collected = [];
    for (let round = 0; round < 12; round++) {
      const since = collected.length ? `&since=${collected.at(-1).seq}` : "";
      const kind = round % 2 ? openSocket : openEvents;
      const path = round % 2 ? EVENTS : "/api/v1/events/stream";
      const s = collected.length ? await kind(server, `${path}?topics=kpi:${kpi.id}${since}`, { auth: admin }) : await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: admin });
      const most = 20 + round * 5;
      for (let i = 0; i < most; i++) collected.push(await s.next());
      await s.close();
    }
    writing = false;
    await Promise.all(writers);
    const last = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}&since=${collected.at(-1).seq}`, { auth: admin });
    const newest = await until(() => all.messages.length === count && all.messages.at(-1));
    while (collected.at(-1).seq !== newest.seq) collected.push(await last.next());
    const from = all.messages.findIndex((m) => m.seq === collected[0].seq);
    assert.deepEqual(collected.map((m) => m.seq), all.messages.slice(from).map((m) => m.seq));
    assert.equal(new Set(collected.map((m) => m.seq)).size, collected.length);
    for (const s of [all, last]) await s.close();
  });

  it("replay a long past in pages", async () => {
    const kpi = await createKpi(server, admin, "Long past");
    const start = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: admin });
    await record(server, admin, kpi.id, 0);
    const first = await start.next();
    for (let i = 0; i < 30; i++) await Promise.all(Array.from({ length: 20 }, (_, k) => record(server, admin, kpi.id, i * 20 + k)));
    await arrived(start, 601);
    const s = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}&since=${first.seq}`, { auth: admin });
    await arrived(s, 600);
    assert.deepEqual(s.messages.map((m) => m.seq), start.messages.slice(1).map((m) => m.seq));
    for (const one of [s, start]) await one.close();
  });

  it("cut a reader that takes nothing, while others go on", async () => {
    const kpi = await createKpi(server, admin, "Slow");
    const quick = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: admin });
    const slow = await openSocket(server, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: admin });
    slow.ws._socket.pause();
    const COUNT = 200;
    for (let i = 0; i < COUNT; i++) {
      const answer = await server.request("PUT", `/api/kpis/${kpi.id}`, { auth: admin, json: { description: `${i}${"\u{1f422}".repeat(3900)}` } });
      assert.equal(answer.status, 200, answer.text);
      // What an older transaction has held back comes at once: always less than may wait for a reader.
      if (i % 10 === 9) await until(() => quick.messages.length > i);
    }
    assert.deepEqual([quick.messages.length, quick.ended], [COUNT, null]);
    slow.ws._socket.resume();
    const end = await slow.end_of();
    assert.ok([1013, 1006].includes(end.code), `${end.code}`);
    await quick.close();
  });
});

describe("limits of streams", () => {
  let server;
  before(async () => { server = await startCompanies(["Here"], { limits: true }); });
  after(() => server?.stop());

  it("allow a user five at once on all streams together", async () => {
    const auth = await logIn(server, "admin0", PASSWORD);
    const open = [];
    for (let i = 0; i < 4; i++) open.push(await openSocket(server, `${EVENTS}?topics=*`, { auth }));
    const events = await openEvents(server, "/api/v1/events/stream", { auth });
    await assert.rejects(openSocket(server, EVENTS, { auth }), (e) => e.status === 429);
    const again = await server.request("GET", "/api/v1/events/stream", { auth });
    assert.equal(again.status, 429);
    assert.ok(Number(again.headers.get("retry-after")) > 0);
    const late = await openSocket(server, EVENTS);
    late.send({ token: token(auth) });
    assert.equal((await late.end_of()).code, 4429);
    await open[0].close();
    await until(() => openSocket(server, EVENTS, { auth }).then((s) => { open.push(s); return true; }, () => false));
    events.close();
    for (const s of open.slice(1)) await s.close();
  });
});

describe("streams whose token expires", () => {
  it("end with 4401, whatever was to be told", async () => {
    const server = await startCompanies(["Here"], { args: ["--access-token-seconds", "2"] });
    try {
      const auth = await logIn(server, "admin0", PASSWORD);
      const s = await openSocket(server, `${EVENTS}?topics=*`, { auth });
      const stays = await openSocket(server, `${EVENTS}?topics=*`, { auth: server.admins[0] });
      assert.equal((await s.end_of()).code, 4401);
      stays.send({ type: "ping" });
      assert.equal((await stays.next((m) => m.type === "pong")).type, "pong", "a password does not expire");
      await stays.close();
    } finally {
      await server.stop();
    }
  });
});

describe("streams of a server that stops", () => {
  it("are closed with 1001, and go on where they were with the next one", async () => {
    const store = await newStore();
    const added = await command(["user", "add", ...store.args, "--username", "admin0", "--role", "ADMIN", "--company", "Here", "--password-stdin"], { input: `${PASSWORD}\n` });
    assert.equal(added.code, 0, added.stderr);
    const auth = basic("admin0", PASSWORD);
    let server = await startServer({ store });
    try {
      const s = await openSocket(server, `${EVENTS}?topics=kpi:*`, { auth });
      const kpi = await createKpi(server, auth, "Survivor");
      const first = await s.next();
      await server.stop();
      assert.deepEqual(await s.end_of(), { code: 1001, reason: "restart" });
      server = await startServer({ store });
      await record(server, auth, kpi.id, 1);
      const again = await openSocket(server, `${EVENTS}?topics=kpi:*&since=${first.seq}`, { auth });
      assert.equal((await again.next()).type, "kpi.values_recorded");
      // Killed between the commit and the telling: the event is in the table.
      const writes = Array.from({ length: 20 }, (_, i) => record(server, auth, kpi.id, i + 2).catch(() => {}));
      const seen = await again.next();
      await server.kill();
      await Promise.all(writes);
      await again.end_of();
      await settled(store);
      server = await startServer({ store });
      const last = again.messages.at(-1) ?? seen;
      const third = await openSocket(server, `${EVENTS}?topics=kpi:*&since=${last.seq}`, { auth });
      await record(server, auth, kpi.id, 999);
      await third.next((m) => holds(m, 999));
      const seqs = [first, ...again.messages, ...third.messages].map((m) => m.seq);
      assert.equal(new Set(seqs).size, seqs.length, "told twice");
      const events = await server.request("GET", "/api/v1/events?object_type=kpi&limit=200", { auth });
      assert.equal(events.status, 200, events.text);
      const table = events.json.data.map((e) => e.seq).reverse();
      assert.deepEqual([...seqs].sort((a, b) => a - b), table, "all that was committed was told");
    } finally {
      await server.stop();
      await store.remove();
    }
  });
});

describe("while an older transaction runs", { skip: !onPostgres && "SQLite has one writer" }, () => {
  it("streams and topics begin when they are opened, not before", async () => {
    const server = await startCompanies(["Here"]);
    const url = server.store.args[server.store.args.indexOf("--database") + 1];
    const older = spawn("psql", ["-X", "-q", "-A", "-t", "-d", url], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      const auth = server.admins[0];
      older.stdin.write("BEGIN; SELECT pg_current_xact_id();\n");
      await once(older.stdout, "data");
      const [one, two] = [await createKpi(server, auth, "One"), await createKpi(server, auth, "Two")];
      const s = await openSocket(server, `${EVENTS}?topics=kpi:${one.id}`, { auth });
      await record(server, auth, two.id, 1);
      s.send({ subscribe: [`kpi:${two.id}`] });
      await s.next((m) => m.type === "subscribed");
      const [{ seq }] = await rows(server.store, "SELECT MIN(seq) AS seq FROM event WHERE type = 'kpi.created'");
      const again = await openSocket(server, `${EVENTS}?topics=kpi:*&since=${seq}`, { auth });
      const lost = await openSocket(server, `${EVENTS}?topics=kpi:*&since=999999999`, { auth });
      await lost.next((m) => m.type === "resync");
      await record(server, auth, one.id, 2);
      await record(server, auth, two.id, 3);
      older.stdin.end("ROLLBACK;\n");
      const told = async (x, n) => { for (let i = 0, list = []; ; i++) { if (i === n) return list; const m = await x.next(); list.push(`${m.object_id} ${m.type.slice(4)}`); } };
      assert.deepEqual(await told(s, 2), [`${one.id} values_recorded`, `${two.id} values_recorded`]);
      assert.deepEqual(await told(again, 4), [`${two.id} created`, `${two.id} values_recorded`, `${one.id} values_recorded`, `${two.id} values_recorded`]);
      assert.deepEqual(await told(lost, 2), [`${one.id} values_recorded`, `${two.id} values_recorded`]);
      for (const x of [s, again, lost]) await x.close();
    } finally {
      older.kill();
      await server.stop();
    }
  });
});

describe("two nodes", { skip: !onPostgres && "several nodes share a PostgreSQL" }, () => {
  it("tell each other's events", async () => {
    const one = await startCompanies(["Here"]);
    const two = await startServer({ store: one.store });
    try {
      const auth = one.admins[0];
      const kpi = await createKpi(one, auth, "Crossing");
      const at = [];
      for (const node of [one, two]) at.push(await openSocket(node, `${EVENTS}?topics=kpi:${kpi.id}`, { auth }));
      const writers = [one, two].map(async (node, n) => { for (let i = 0; i < 50; i++) await record(node, auth, kpi.id, n * 100 + i); });
      await Promise.all(writers);
      await until(() => at.every((s) => s.messages.length === 100));
      assert.deepEqual(at[0].messages, at[1].messages, "in the same order on both");
      // A login that ends on one node ends the streams of the other.
      const session = await logIn(one, "admin0", PASSWORD);
      const s = await openSocket(two, `${EVENTS}?topics=kpi:${kpi.id}`, { auth: session });
      await one.request("POST", "/api/v1/logout", { auth: session, json: {} });
      assert.equal((await s.end_of()).code, 4401);
      for (const x of at) await x.close();
    } finally {
      await two.stop();
      await one.stop();
    }
  });
});

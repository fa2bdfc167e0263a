// The job queue over HTTP: whose jobs are seen, run now, cancel, retry, pausing a queue and a schedule, what the audit trail and webhooks are told
// of that, and that a change and its job go together. The first company's administrator is the platform's too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";
import { change, rows } from "./support/database.mjs";
import { startReceiver } from "./support/receiver.mjs";
import { until } from "./support/until.mjs";

let server, admin, other;
before(async () => {
  server = await startCompanies(["North", "South"], { args: ["--allow-private-webhooks"] });
  [admin, other] = server.admins;
});
after(() => server.stop());

const send = (method, path, auth = admin) => server.request(method, `/api/v1/jobs${path}`, { auth });

/** Asks until the answer is as it should be; the queue works behind the answers. */
const answered = (ask, fits) => until(async () => {
  const answer = await ask();
  return fits(answer) && answer;
});

test("a new company gets its schedules, in its time zone, without anybody asking", async () => {
  const { json } = await answered(() => send("GET", "/schedules"), (a) => a.json.data.length > 0);
  await answered(() => send("GET", "/schedules", other), (a) => a.json.data.length > 0);
  const judge = json.data.find((s) => s.name === "kpi.judge");
  assert.deepEqual([judge.kind, judge.cron, judge.paused, judge.last_at], ["kpi.judge", "5 0 * * *", false, null]);
  assert.ok(Date.parse(judge.next_at) > Date.now());
});

test("a schedule runs now when it is told to, and its job is in the history of its company alone", async () => {
  const made = await send("POST", "/schedules/kpi.judge/run");
  assert.equal(made.status, 200, made.text);
  assert.deepEqual([made.json.data.kind, made.json.data.queue, made.json.data.key], ["kpi.judge", "kpi", "kpi.judge"]);
  const { id } = made.json.data;
  const done = await answered(() => send("GET", `/${id}`), (a) => a.json.data.state === "done");
  assert.deepEqual(done.json.data.result, { kpis_changed: 0, assignments_completed: 0 });
  assert.equal(done.json.data.attempt, 1);
  const list = await send("GET", "?state=done&kind=kpi.judge&queue=kpi");
  assert.ok(list.json.data.some((j) => j.id === id));
  assert.equal((await send("GET", "?state=dead")).json.total, 0);
  assert.equal((await send("GET", "?state=nothing")).status, 400);
  assert.equal((await send("GET", `/${id}`, other)).status, 404);
  for (const action of ["cancel", "retry"]) {
    assert.equal((await send("POST", `/${id}/${action}`, other)).status, 404);
    const over = await send("POST", `/${id}/${action}`);
    assert.deepEqual([over.status, over.json.code], [409, action === "cancel" ? "JOB_OVER" : "JOB_NOT_FAILED"]);
  }
  assert.equal((await send("GET", "/999999")).json.code, "JOB_NOT_FOUND");
  assert.equal((await send("POST", "/schedules/nothing/run")).json.code, "SCHEDULE_NOT_FOUND");
});

test("the installation's jobs and the queues are not a company's", async () => {
  for (const path of ["/queues", "?installation=true", "/schedules?installation=true"])
    assert.equal((await send("GET", path, other)).status, 403, path);
  assert.equal((await send("POST", "/queues/kpi/pause", other)).status, 403);
  assert.equal((await send("POST", "/schedules/upkeep.jobs/run?installation=true", other)).status, 403);
  assert.equal((await send("POST", "/schedules/upkeep.jobs/run", other)).status, 404);
});

test("nobody but administrators sees jobs", async () => {
  assert.equal((await send("GET", "", null)).status, 401);
  const { auth } = await server.person("clerk", "EMPLOYEE");
  for (const [method, path] of [["GET", ""], ["GET", "/schedules"], ["GET", "/queues"], ["POST", "/schedules/kpi.judge/run"]])
    assert.equal((await send(method, path, auth)).status, 403, path);
});

test("a paused schedule is shown as paused, and goes on when resumed", async () => {
  const paused = await send("POST", "/schedules/kpi.judge/pause");
  assert.deepEqual([paused.status, paused.json.data.paused], [200, true]);
  assert.equal((await send("GET", "/schedules?paused=true")).json.total, 1);
  assert.equal((await send("GET", "/schedules", other)).json.data[0].paused, false);
  const resumed = await send("POST", "/schedules/kpi.judge/resume");
  assert.deepEqual([resumed.json.data.paused, resumed.json.data.next_at], [false, paused.json.data.next_at]);
});

/** Events of jobs, schedules and queues behind the seq given, oldest first. */
const told = (since) => rows(server.store, `SELECT company_id, seq, type, object_type, object_id, actor_name, old_values, new_values FROM event
  WHERE object_type IN ('job', 'job_schedule', 'queue') AND seq > ${since} ORDER BY seq`);
const newest = async () => (await rows(server.store, "SELECT COALESCE(MAX(seq), 0) AS seq FROM event"))[0].seq;
const queue = async (name) => (await send("GET", "/queues")).json.data.find((q) => q.name === name);
const state = (id, wanted) => answered(() => send("GET", `/${id}`), (a) => a.json.data.state === wanted);
const never = () => {};

test("a paused queue keeps its due jobs, and runs them when it goes on; both are told once, of the installation", async () => {
  const since = await newest();
  for (const repeated of [false, true]) {
    const paused = await send("POST", "/queues/kpi/pause");
    assert.deepEqual([paused.status, paused.json.data.name, paused.json.data.paused], [200, "kpi", true], `repeated: ${repeated}`);
  }
  const { id } = (await send("POST", "/schedules/kpi.judge/run")).json.data;
  const { id: beside } = (await send("POST", "/schedules/upkeep.answers/run?installation=true")).json.data;
  await answered(() => send("GET", `/${beside}?installation=true`), (a) => a.json.data.state === "done"); // rounds go on meanwhile
  const waiting = (await send("GET", `/${id}`)).json.data;
  assert.deepEqual([waiting.state, waiting.attempt], ["waiting", 0]);
  const figures = await queue("kpi");
  assert.deepEqual([figures.paused, figures.due, figures.running], [true, 1, 0]);
  assert.equal((await send("POST", "/queues/kpi/resume")).json.data.paused, false);
  assert.equal((await state(id, "done")).json.data.attempt, 1);
  const events = (await told(since)).filter((e) => e.object_type === "queue");
  assert.deepEqual(events.map((e) => [e.company_id, e.type, e.object_id, e.actor_name, JSON.parse(e.new_values).paused]),
    [[0, "queue.paused", "kpi", "admin0", true], [0, "queue.resumed", "kpi", "admin0", false]]);
});

test("a waiting job is cancelled by its number, and only once", async () => {
  await send("POST", "/queues/kpi/pause");
  const { id } = (await send("POST", "/schedules/kpi.judge/run")).json.data;
  const since = await newest();
  const cancelled = await send("POST", `/${id}/cancel`);
  assert.deepEqual([cancelled.status, cancelled.json.data.state], [200, "cancelled"]);
  const again = await send("POST", `/${id}/cancel`);
  assert.deepEqual([again.status, again.json.code], [409, "JOB_OVER"]);
  await send("POST", "/queues/kpi/resume");
  const events = (await told(since)).filter((e) => e.object_type === "job");
  assert.deepEqual(events.map((e) => [e.type, e.object_id, e.actor_name, JSON.parse(e.old_values).state, JSON.parse(e.new_values).state]),
    [["job.cancelled", String(id), "admin0", "waiting", "cancelled"]]);
});

test("a dead job is tried again with all its attempts; one of a key that waits already makes it a conflict", async () => {
  await send("POST", "/queues/kpi/pause");
  const { id } = (await send("POST", "/schedules/kpi.judge/run")).json.data;
  await change(server.store, `UPDATE job SET state = 'dead', attempt = 10, finished_at = run_at, error = 'Failed.' WHERE id = ${id}`);
  assert.equal((await send("GET", "?state=dead")).json.total, 1);
  const { id: twin } = (await send("POST", "/schedules/kpi.judge/run")).json.data;
  assert.notEqual(twin, id);
  const refused = await send("POST", `/${id}/retry`);
  assert.deepEqual([refused.status, refused.json.code], [409, "JOB_WAITS_ALREADY"]);
  await send("POST", `/${twin}/cancel`);
  const since = await newest();
  const retried = await send("POST", `/${id}/retry`);
  assert.deepEqual([retried.status, retried.json.data.state, retried.json.data.attempt, retried.json.data.finished_at], [200, "waiting", 0, null]);
  assert.deepEqual((await told(since)).map((e) => [e.type, e.object_id, JSON.parse(e.old_values).attempt, JSON.parse(e.new_values).attempt]),
    [["job.retried", String(id), 10, 0]]);
  await send("POST", "/queues/kpi/resume");
  const done = (await state(id, "done")).json.data;
  assert.deepEqual([done.attempt, done.error], [1, null]);
});

test("a running job is asked to stop and ends as cancelled", async (t) => {
  const slow = await startReceiver(never);
  t.after(() => slow.close());
  const hook = await server.request("POST", "/api/webhooks", { auth: admin, json: { url: slow.url, events: ["kpi.created"], secret: "a-secret-that-is-long-enough" } });
  assert.equal(hook.status, 201, hook.text);
  await server.request("POST", "/api/kpis", { auth: admin, json: { name: "Slow", type: "NUMERIC", thresholds: { target_value: 1 } } });
  await slow.count(1);
  const job = (await send("GET", "?kind=webhook.deliver&state=running")).json.data[0];
  const since = await newest();
  assert.deepEqual([(await send("POST", `/${job.id}/retry`)).json.code, (await send("POST", `/${job.id}/cancel`, other)).status], ["JOB_NOT_FAILED", 404]);
  for (let i = 0; i < 2; i++) {
    const asked = await send("POST", `/${job.id}/cancel`);
    assert.ok(asked.status === 200 ? asked.json.data.state === "cancelled" || asked.json.data.cancel_asked : i === 1 && asked.status === 409, asked.text);
  }
  await state(job.id, "cancelled");
  assert.deepEqual((await told(since)).map((e) => [e.type, e.object_id]), [["job.cancelled", String(job.id)]]);
  assert.equal((await server.request("DELETE", `/api/webhooks/${hook.json.id}`, { auth: admin })).status, 204);
});

test("what a company does with its jobs is told to its webhooks alone, and what is done to the installation to none", async (t) => {
  const receivers = [];
  for (const auth of [admin, other]) {
    const receiver = await startReceiver();
    receivers.push(receiver);
    const hook = await server.request("POST", "/api/webhooks", { auth, json: { url: receiver.url, events: ["*"], secret: "a-secret-that-is-long-enough" } });
    assert.equal(hook.status, 201, hook.text);
    t.after(async () => { await server.request("DELETE", `/api/webhooks/${hook.json.id}`, { auth }); await receiver.close(); });
  }
  for (const path of ["/schedules/upkeep.answers/pause?installation=true", "/schedules/upkeep.answers/resume?installation=true",
    "/schedules/upkeep.answers/run?installation=true", "/queues/kpi/pause", "/queues/kpi/resume", "/schedules/kpi.judge/pause", "/schedules/kpi.judge/resume"])
    await send("POST", path);
  await send("POST", "/schedules/kpi.judge/run", other);
  const steered = (receiver) => receiver.deliveries.map((d) => d.json.type).filter((type) => /^(job|queue)/.test(type));
  await receivers[0].until((all) => all.some((d) => d.json.type === "job_schedule.resumed"));
  await receivers[1].until((all) => all.some((d) => d.json.type === "job_schedule.run"));
  assert.deepEqual(steered(receivers[0]), ["job_schedule.paused", "job_schedule.resumed"]);
  assert.deepEqual(steered(receivers[1]), ["job_schedule.run"]);
  const trail = async (auth) => (await server.request("GET", "/api/v1/events?object_type=queue", { auth })).json.total;
  assert.deepEqual([await trail(admin), await trail(other)], [0, 0]);
});

test("a company's administrator touches neither the installation's jobs nor another company's", async () => {
  const { id } = (await send("POST", "/schedules/upkeep.answers/run?installation=true")).json.data;
  const { id: norths } = (await send("POST", "/schedules/kpi.judge/run")).json.data;
  const since = await newest();
  for (const number of [id, norths])
    for (const [method, path] of [["GET", `/${number}`], ["POST", `/${number}/cancel`], ["POST", `/${number}/retry`]]) {
      assert.equal((await send(method, path, other)).status, 404, path);
      assert.equal((await send(method, `${path}?installation=true`, other)).status, 403, path);
    }
  assert.equal((await send("GET", `/${id}`)).status, 404); // without ?installation=true also the platform's sees the own company only
  for (const path of ["/queues/kpi/pause", "/queues/kpi/resume", "/schedules/upkeep.answers/pause?installation=true"])
    assert.equal((await send("POST", path, other)).status, 403, path);
  assert.equal((await send("GET", "?limit=100", other)).json.data.some((j) => j.queue === "upkeep" || j.id === norths), false);
  assert.deepEqual(await told(since), []);
});

test("numbers and names that are none", async () => {
  for (const id of ["0", "-1", "abc", "1.5", "9223372036854775807", "9223372036854775808", "%00", "1%20OR%201=1"])
    for (const [method, action] of [["GET", ""], ["POST", "/cancel"], ["POST", "/retry"]]) {
      const answer = await send(method, `/${id}${action}`);
      assert.ok([400, 404].includes(answer.status), `${id}${action}: ${answer.status} ${answer.text}`);
    }
  for (const path of ["/queues/nothing/pause", "/queues/nothing/resume"]) {
    const answer = await send("POST", path);
    assert.deepEqual([answer.status, answer.json.code], [404, "QUEUE_NOT_FOUND"]);
  }
  for (const action of ["run", "pause", "resume"])
    assert.equal((await send("POST", `/schedules/nothing/${action}`)).json.code, "SCHEDULE_NOT_FOUND");
  assert.equal((await send("GET", "?installation=perhaps")).status, 400);
});

test("a job and the change that wants it are one: a refused change leaves none behind", async () => {
  const wanted = async () => (await rows(server.store, "SELECT COUNT(*) AS n FROM job WHERE kind = 'retrospective.schedule'"))[0].n;
  const complete = (budget) => server.request("POST", "/api/campaigns", { auth: admin, json: { name: "Over", status: "Completed", budget } });
  assert.equal((await complete(-1)).status, 400);
  assert.equal(await wanted(), 0);
  assert.equal((await complete(1)).status, 201);
  assert.equal(await wanted(), 1);
});

// The job queue over HTTP: whose jobs are seen, run now, cancel, retry, pausing a queue and a schedule, and that a change and its job go together.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";
import { rows } from "./support/database.mjs";

let server, admin, other;
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, other] = server.admins;
});
after(() => server.stop());

const send = (method, path, auth = admin) => server.request(method, `/api/v1/jobs${path}`, { auth });

/** Asks until the answer is as it should be; the queue works behind the answers. */
async function until(ask, fits) {
  for (let i = 0; ; i++) {
    const answer = await ask();
    if (fits(answer)) return answer;
    assert.ok(i < 400, `not in time: ${answer.text}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test("a new company gets its schedules, in its time zone, without anybody asking", async () => {
  const { json } = await until(() => send("GET", "/schedules"), (a) => a.json.data.length > 0);
  const judge = json.data.find((s) => s.name === "kpi.judge");
  assert.deepEqual([judge.kind, judge.cron, judge.paused, judge.last_at], ["kpi.judge", "5 0 * * *", false, null]);
  assert.ok(Date.parse(judge.next_at) > Date.now());
});

test("a schedule runs now when it is told to, and its job is in the history of its company alone", async () => {
  const made = await send("POST", "/schedules/kpi.judge/run");
  assert.equal(made.status, 200, made.text);
  assert.deepEqual([made.json.data.kind, made.json.data.queue, made.json.data.key], ["kpi.judge", "kpi", "kpi.judge"]);
  const { id } = made.json.data;
  const done = await until(() => send("GET", `/${id}`), (a) => a.json.data.state === "done");
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

test("a job and the change that wants it are one: a refused change leaves none behind", async () => {
  const count = async () => (await rows(server.store, "SELECT COUNT(*) AS n FROM job"))[0].n;
  const before = await count();
  const campaign = await server.request("POST", "/api/v1/campaigns", { auth: admin, json: { name: "" } });
  assert.ok(campaign.status >= 400);
  assert.equal(await count(), before);
});

// The retrospective's WebSocket as the contract describes it: the documented events with the documented data, the document's own
// JavaScript, what more is told, and who is there.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { PASSWORD, startCompanies } from "./support/company.mjs";
import { logIn, onPostgres, startServer } from "./support/server.mjs";
import { openEvents, openSocket } from "./support/streams.mjs";

const at = (id, more = "") => `/api/ws/retrospectives/${id}${more}`;

describe("the socket of a retrospective", () => {
  let server, admin, manager, stranger;
  let nextTask = 123;
  before(async () => {
    server = await startCompanies(["Here", "Elsewhere"]);
    admin = server.admins[0];
    stranger = server.admins[1];
    manager = await server.person("max", "MANAGER");
  });
  after(() => server?.stop());

  const send = async (method, path, json, auth = admin) => {
    const answer = await server.request(method, path, { auth, json });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  };
  const schedule = (more = {}) => send("POST", "/api/retrospectives/", { task_id: nextTask++, scheduled_time: "2030-06-15T10:00:00Z", status: "Scheduled", ...more });
  const insight = { type: "Underperforming Creative", summary: "Creative A shows 15% lower CTR compared to Creative B", severity: "Medium",
    action_suggestion: "Consider pausing Creative A and scaling Creative B", generated_by: "ai_rule_001" };
  const values = (task) => [{ campaign_id: task, metric: "ROI", value: 2.45, source: "Facebook", channel: "Paid Social", recorded_at: "2024-06-15T09:00:00Z" }];

  // The document's steps; what the server answered to each.
  async function workflow(retro) {
    return {
      kpis: await send("POST", `/api/kpis/campaigns/${retro.task_id}`, values(retro.task_id)),
      insight: await send("POST", `/api/retrospectives/${retro.id}/insights/`, { retrospective_task_id: retro.id, ...insight }),
      approved: await send("PATCH", `/api/retrospectives/${retro.id}/report/approve`, { approval_notes: "Insights validated" }),
    };
  }

  it("tells the three documented events, with the data that GET shows", async () => {
    const [retro, other] = [await schedule(), await schedule()];
    const s = await openSocket(server, at(retro.id), { auth: admin });
    const elsewhere = await openSocket(server, at(other.id), { auth: admin });
    const done = await workflow(retro);
    const kpi = await s.next((m) => m.event_type === "kpiUpdated");
    assert.deepEqual(Object.keys(kpi), ["event_type", "data", "timestamp", "seq"]);
    assert.deepEqual(kpi.data, done.kpis);
    const generated = await s.next((m) => m.event_type === "insightGenerated");
    assert.deepEqual(generated.data, done.insight);
    const approved = await s.next((m) => m.event_type === "reportApproved");
    assert.deepEqual(approved.data, done.approved);
    assert.ok(kpi.seq < generated.seq && generated.seq < approved.seq);
    elsewhere.send({ type: "ping" });
    assert.equal((await elsewhere.next()).event_type, "pong", "another retrospective's events were told");

    const again = await openSocket(server, at(retro.id, `?since=${kpi.seq}`), { auth: admin });
    await again.next((m) => m.event_type === "reportApproved");
    assert.deepEqual(again.messages, s.messages.filter((m) => m.seq > kpi.seq), "the same is replayed");
    for (const x of [s, elsewhere, again]) await x.close();
  });

  it("runs the document's JavaScript", async () => {
    for (const [sample, names] of [
      ["collaboration.mjs", ["updateKPIDisplay", "addInsightToUI", "showApprovalNotification"]],
      ["dashboard.mjs", ["updateKPICards", "addInsightCard", "showApprovalBanner"]],
    ]) {
      const retro = await schedule();
      const token = (await logIn(server, "max", PASSWORD)).slice(7);
      const child = spawn(process.execPath, [new URL(`samples/${sample}`, import.meta.url).pathname, server.url, token, retro.id], { stdio: ["ignore", "pipe", "inherit"] });
      const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async () => JSON.parse((await said.next()).value);
      try {
        assert.equal((await next())[0], "connected");
        const done = await workflow(retro);
        assert.deepEqual(await next(), [names[0], done.kpis]);
        assert.deepEqual(await next(), [names[1], done.insight]);
        assert.deepEqual(await next(), [names[2], done.approved]);
      } finally {
        child.kill();
      }
    }
  });

  it("tells changes of the retrospective and its actions", async () => {
    const retro = await schedule();
    const s = await openSocket(server, at(retro.id), { auth: admin });
    const action = await send("POST", `/api/retrospectives/${retro.id}/actions`, { title: "Pause creative A" });
    assert.equal((await s.next((m) => m.event_type === "actionUpdated")).data.id, action.id);
    const changed = await send("PUT", `/api/retrospectives/${retro.id}`, { notes: "Creative A tired after a week" });
    assert.deepEqual((await s.next((m) => m.event_type === "retrospectiveUpdated")).data, changed);
    await s.close();
  });

  it("gives the same as server-sent events to who asks for them", async () => {
    const retro = await schedule();
    const s = await openEvents(server, at(retro.id), { auth: admin });
    const [kpi] = await send("POST", `/api/kpis/campaigns/${retro.task_id}`, values(retro.task_id));
    const told = await s.next((m) => m.event_type === "kpiUpdated");
    assert.deepEqual([told.data, told.id], [[kpi], String(told.seq)]);
    s.close();
  });

  it("is closed to who may not see the retrospective", async () => {
    const retro = await schedule();
    const employee = await server.person(`eve${retro.id}`, "EMPLOYEE");
    for (const auth of [stranger, employee.auth]) assert.equal((await (await openSocket(server, at(retro.id), { auth })).end_of()).code, 4404);
    for (const id of ["999999", "x", "0", "-1", "%00"]) {
      const s = await openSocket(server, at(id), { auth: admin }).catch((e) => ({ end_of: () => ({ code: e.status }) }));
      assert.ok([4404, 400, 404].includes((await s.end_of()).code), id);
    }
    const late = await openSocket(server, at(retro.id));
    late.send({ token: (await logIn(server, `eve${retro.id}`, PASSWORD)).slice(7) });
    assert.equal((await late.end_of()).code, 4404);
  });

  it("shows who is there", async () => {
    const retro = await schedule();
    const users = (m) => m.data.users.map((u) => u.username).sort();
    const one = await openSocket(server, at(retro.id), { auth: admin });
    one.send({ type: "ping" });
    await one.next((m) => m.event_type === "pong");
    const two = await openSocket(server, at(retro.id), { auth: manager.auth });
    for (const s of [one, two]) assert.deepEqual(users(await s.next((m) => m.event_type === "presenceChanged")), ["admin0", "max"]);
    const twice = await openSocket(server, at(retro.id), { auth: manager.auth });
    await twice.next((m) => m.event_type === "presenceChanged");
    await two.close();
    await twice.close();
    assert.deepEqual(users(await one.next((m) => m.event_type === "presenceChanged")), ["admin0"]);
    assert.equal(one.messages.filter((m) => m.event_type === "presenceChanged").length, 2, "a second window is no second person");
    await one.close();
  });

  it("shows who is there on another node", { skip: !onPostgres && "several nodes share a PostgreSQL" }, async () => {
    const retro = await schedule();
    const second = await startServer({ store: server.store });
    try {
      const here = await openSocket(server, at(retro.id), { auth: admin });
      const there = await openSocket(second, at(retro.id), { auth: manager.auth });
      for (const s of [here, there]) {
        const told = await s.next((m) => m.event_type === "presenceChanged");
        assert.deepEqual(told.data.users.map((u) => u.username).sort(), ["admin0", "max"]);
      }
      await send("POST", `/api/kpis/campaigns/${retro.task_id}`, values(retro.task_id));
      const [a, b] = [await here.next((m) => m.event_type === "kpiUpdated"), await there.next((m) => m.event_type === "kpiUpdated")];
      assert.deepEqual(a, b);
      await there.close();
      assert.deepEqual((await here.next((m) => m.event_type === "presenceChanged")).data.users.map((u) => u.username), ["admin0"]);
      await here.close();
    } finally {
      await second.stop();
    }
  });
});

// The retrospectives contract by its document: each body as it is printed there and what it is answered; transitions, who may say what for
// whom, the approval, and actions that are carried over until they are done.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { PASSWORD, startCompanies } from "./support/company.mjs";
import { change, rows } from "./support/database.mjs";
import { logIn } from "./support/server.mjs";
import { until } from "./support/until.mjs";

let server, admin, other, analyst, manager, employee;
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, other] = server.admins;
  analyst = await server.person("ana", "ANALYST");
  manager = await server.person("max", "MANAGER");
  employee = await server.person("eve", "EMPLOYEE");
});
after(() => server.stop());

const send = (method, path, json, auth = admin, headers = {}) => server.request(method, path, { auth, json, headers });
const retros = (method, path, json, auth) => send(method, `/api/retrospectives/${path}`, json, auth);
const eventsOf = async (type, id) =>
  (await rows(server.store, `SELECT type, new_values FROM event WHERE object_type = '${type}' AND object_id = '${id}' AND company_id = 1 ORDER BY seq`));
let nextTask = 1000;
async function schedule(more = {}, auth = admin) {
  const answer = await retros("POST", "", { task_id: nextTask++, scheduled_time: "2030-06-15T10:00:00Z", ...more }, auth);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}
const errorOf = ({ status, json }) => [status, json.error, json.message];

const scheduled = (caller) => ({ task_id: 123, created_by: caller, scheduled_time: "2024-06-15T10:00:00Z", status: "Scheduled", team_id: 789 });
const insight = {
  type: "Underperforming Creative", summary: "Creative A shows 15% lower CTR compared to Creative B", severity: "Medium",
  action_suggestion: "Consider pausing Creative A and scaling Creative B", generated_by: "ai_rule_001",
};

test("the document's four steps, in its order", async () => {
  const made = await retros("POST", "", scheduled(manager.id), manager.auth);
  assert.equal(made.status, 201, made.text);
  const { id } = made.json;
  assert.equal(made.headers.get("location"), `/api/retrospectives/${id}/`);
  for (const [name, value] of Object.entries(scheduled(manager.id))) assert.equal(made.json[name], value, name);

  const recorded_at = "2024-06-15T09:00:00Z";
  const values = [
    { campaign_id: 123, metric: "ROI", value: 2.45, source: "Facebook", channel: "Paid Social", recorded_at },
    { campaign_id: 123, metric: "CTR", value: 0.023, source: "Google", channel: "Search", recorded_at },
  ];
  const submitted = await send("POST", "/api/kpis/campaigns/123", values, analyst.auth);
  assert.equal(submitted.status, 201, submitted.text);
  assert.deepEqual(submitted.json.map(({ id: _, ...value }) => value), values);
  const [first] = submitted.json;
  const read = await send("GET", "/api/kpis/campaigns/123", undefined, analyst.auth);
  assert.deepEqual([read.status, read.json], [200, submitted.json]);
  assert.deepEqual(Object.keys(first).sort(), ["campaign_id", "channel", "id", "metric", "recorded_at", "source", "value"]);

  const found = await retros("POST", `${id}/insights/`, { retrospective_task_id: id, ...insight }, analyst.auth);
  assert.equal(found.status, 201, found.text);
  for (const [name, value] of Object.entries({ retrospective_task_id: id, ...insight })) assert.equal(found.json[name], value, name);
  assert.deepEqual((await retros("GET", `${id}/insights/`)).json, [found.json]);

  const approval = { approved_by: manager.id, approval_notes: "Insights validated, recommendations approved" };
  const approved = await retros("PATCH", `${id}/report/approve`, approval, manager.auth);
  assert.equal(approved.status, 200, approved.text);
  assert.deepEqual([approved.json.status, approved.json.approved_by, approved.json.approval_notes],
    ["Reported", manager.id, approval.approval_notes]);
  assert.ok(approved.json.approved_at && approved.json.started_at && approved.json.completed_at);

  const events = await eventsOf("retrospective", id);
  assert.deepEqual(events.map((e) => e.type), ["retrospective.created", "retrospective.updated", "retrospective.insight_generated",
    "retrospective.updated", "retrospective.report_approved"]);
  assert.deepEqual(JSON.parse(events[2].new_values), found.json);
  assert.deepEqual(JSON.parse(events[4].new_values), approved.json);
  const [updated] = (await eventsOf("campaign", 123)).filter((e) => e.type === "campaign.kpi_updated");
  assert.deepEqual(JSON.parse(updated.new_values), submitted.json);
});

test("the document's Python samples, run as they are printed", async () => {
  const token = (await logIn(server, "max", PASSWORD)).replace("Bearer ", "");
  const sample = new URL("samples/integration.py", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)("python3", [sample, server.url, token, "2468"]);
  const [scheduledOne, submitted] = JSON.parse(stdout);
  assert.deepEqual([scheduledOne.status, scheduledOne.body.task_id, scheduledOne.body.created_by, scheduledOne.body.status, scheduledOne.body.team_id],
    [201, 2468, manager.id, "Scheduled", 789]);
  assert.deepEqual([submitted.status, submitted.body.length, submitted.body[0].value, submitted.body[0].source], [201, 1, 2.45, "Facebook"]);
  assert.deepEqual((await send("GET", "/api/kpis/campaigns/2468")).json, submitted.body);
});

test("errors have the document's bodies", async () => {
  assert.deepEqual(errorOf(await retros("GET", "99456")), [404, "Retrospective not found", "Retrospective with ID 99456 does not exist"]);
  for (const [method, path, body] of [["PUT", "99456", {}], ["POST", "99456/insights/", insight], ["GET", "99456/insights/"],
    ["PATCH", "99456/report/approve", {}], ["GET", "99456/actions/"], ["POST", "99456/actions/", { title: "x" }]]) {
    assert.deepEqual(errorOf(await retros(method, path, body)),
      [404, "Retrospective not found", "Retrospective with ID 99456 does not exist"], `${method} ${path}`);
  }
  const { id } = await schedule();
  assert.deepEqual(errorOf(await retros("PATCH", `${id}/report/approve`, { approved_by: analyst.id }, analyst.auth)),
    [403, "Insufficient permissions", "User does not have permission to approve reports"]);
  for (const body of [{ value: -1 }, [{ value: -1 }]]) {
    const answer = await send("POST", "/api/kpis/campaigns/123", body);
    assert.deepEqual([answer.status, answer.json.error], [400, "Validation failed"]);
    assert.deepEqual([answer.json.details.metric, answer.json.details.value], [["This field is required"], ["Must be a positive number"]]);
  }
  assert.deepEqual(errorOf(await send("GET", "/api/kpis/campaigns/99123")), [404, "Campaign not found", "Campaign with ID 99123 does not exist"]);
});

test("lists filter by team and status, in any case of it", async () => {
  const a = await schedule({ team_id: 801 }), b = await schedule({ team_id: 801, status: "in progress" }), c = await schedule({ team_id: 802 });
  const ids = async (query) => (await retros("GET", query)).json.map((r) => r.id);
  assert.equal(b.status, "In Progress");
  assert.deepEqual(await ids("?team=801"), [a.id, b.id]);
  assert.deepEqual(await ids("?team=801&status=In Progress"), [b.id]);
  assert.deepEqual(await ids("?team=801&status=in%20progress"), [b.id]);
  assert.deepEqual(await ids("?team=802&status=SCHEDULED"), [c.id]);
  assert.deepEqual(await ids("?team=803"), []);
  const bad = await retros("GET", "?team=seven&status=Finished");
  assert.deepEqual([bad.status, Object.keys(bad.json.details).sort()], [400, ["status", "team"]]);
});

test("a retrospective goes the legal ways and no other, and is Reported by approval alone", async () => {
  const legal = { Scheduled: ["In Progress", "Cancelled"], "In Progress": ["Completed", "Cancelled"], Completed: ["In Progress", "Cancelled"], Cancelled: [], Reported: [] };
  const reach = {
    Scheduled: async () => (await schedule()).id,
    "In Progress": async () => (await schedule({ status: "In Progress" })).id,
    Completed: async () => { const id = await reach["In Progress"](); await retros("PUT", id, { status: "COMPLETED" }); return id; },
    Cancelled: async () => { const id = await reach.Scheduled(); await retros("PUT", id, { status: "cancelled" }); return id; },
    Reported: async () => { const id = await reach.Scheduled(); await retros("PATCH", `${id}/report/approve`, {}); return id; },
  };
  for (const [from, allowed] of Object.entries(legal)) {
    for (const to of Object.keys(legal)) {
      const id = await reach[from]();
      assert.equal((await retros("GET", id)).json.status, from);
      const answer = await retros("PUT", id, { status: to });
      if (to === from || allowed.includes(to)) assert.deepEqual([answer.status, answer.json.status], [200, to], `${from} → ${to}`);
      else assert.deepEqual([answer.status, answer.json.code], [409, "ILLEGAL_TRANSITION"], `${from} → ${to}: ${answer.text}`);
    }
  }
  for (const status of ["Completed", "Reported", "Cancelled", "Done"]) {
    const answer = await retros("POST", "", { task_id: 1, scheduled_time: "2030-01-01T00:00:00Z", status });
    assert.deepEqual([answer.status, Object.keys(answer.json.details)], [400, ["status"]], status);
  }
});

test("PUT changes what is given; a reported retrospective and its campaign stay", async () => {
  const made = await schedule({ team_id: 5, notes: "before" });
  const changed = await retros("PUT", made.id, { decisions: "Scale Creative B" });
  assert.deepEqual({ ...changed.json, updated_at: 0 }, { ...made, decisions: "Scale Creative B", version: 2, updated_at: 0 });
  assert.equal((await retros("PUT", made.id, changed.json)).json.version, 2, "what is sent back as it was changes nothing");
  assert.deepEqual(Object.keys((await retros("PUT", made.id, { task_id: made.task_id + 1 })).json.details), ["task_id"]);
  const stale = await send("PUT", `/api/retrospectives/${made.id}`, { notes: "late" }, admin, { "if-match": "\"1\"" });
  assert.equal(stale.status, 412);
  assert.equal((await send("PUT", `/api/retrospectives/${made.id}`, { notes: "now" }, admin, { "if-match": "\"2\"" })).status, 200);
  assert.equal((await retros("PATCH", `${made.id}/report/approve`, {})).status, 200);
  for (const body of [{ notes: "after" }, { scheduled_time: "2031-01-01T00:00:00Z" }, { status: "In Progress" }]) {
    assert.equal((await retros("PUT", made.id, body)).status, 409, JSON.stringify(body));
  }
  assert.equal((await retros("POST", `${made.id}/insights/`, insight)).status, 409);
});

test("nobody but an administrator acts for another person, and only for one of the company", async () => {
  const body = (created_by) => ({ task_id: 9, scheduled_time: "2030-01-01T00:00:00Z", created_by });
  assert.equal((await retros("POST", "", body(manager.id), analyst.auth)).status, 403);
  assert.equal((await retros("POST", "", body(analyst.id), analyst.auth)).json.created_by, analyst.id);
  assert.equal((await retros("POST", "", body(undefined), analyst.auth)).json.created_by, analyst.id);
  assert.equal((await retros("POST", "", body(String(analyst.id)), admin)).json.created_by, analyst.id);
  assert.deepEqual(Object.keys((await retros("POST", "", body(987654), admin)).json.details), ["created_by"]);
  const { id } = await schedule();
  assert.equal((await retros("PATCH", `${id}/report/approve`, { approved_by: analyst.id }, manager.auth)).status, 403);
  assert.deepEqual(Object.keys((await retros("PATCH", `${id}/report/approve`, { approved_by: 987654 }, admin)).json.details), ["approved_by"]);
  assert.deepEqual(Object.keys((await retros("PATCH", `${id}/report/approve`, { approved_by: "x", approval_notes: 7 }, admin)).json.details), ["approved_by", "approval_notes"]);
  assert.equal((await retros("PATCH", `${id}/report/approve`, { approved_by: manager.id }, admin)).json.approved_by, manager.id);
});

test("an approval again is the same answer for the same approver and 409 for another; nothing happens twice", async () => {
  const { id } = await schedule();
  const approve = (auth, json = {}) => retros("PATCH", `${id}/report/approve`, json, auth);
  const answers = await Promise.all([approve(manager.auth, { approval_notes: "mine" }), approve(admin, { approval_notes: "mine too" })]);
  assert.deepEqual(answers.map((a) => a.status).sort(), [200, 409]);
  const winner = answers[0].status === 200 ? manager.auth : admin, loser = winner === admin ? manager.auth : admin;
  const { json: won } = answers.find((a) => a.status === 200);
  const again = await approve(winner, { approval_notes: "changed my mind" });
  assert.deepEqual([again.status, again.json], [200, won]);
  const refused = await approve(loser);
  assert.deepEqual([refused.status, refused.json.code], [409, "ALREADY_APPROVED"]);
  assert.equal((await eventsOf("retrospective", id)).filter((e) => e.type === "retrospective.report_approved").length, 1);
  const cancelled = await schedule();
  await retros("PUT", cancelled.id, { status: "Cancelled" });
  assert.equal((await retros("PATCH", `${cancelled.id}/report/approve`, {})).status, 409);
});

test("the report is kept as it was approved", async () => {
  const { id, task_id } = await schedule();
  await send("POST", `/api/kpis/campaigns/${task_id}`, { metric: "ROI", value: 2.45 });
  const report = async () => (await retros("GET", `${id}/report`)).json;
  assert.deepEqual([(await report()).draft, (await report()).kpis[0].value], [true, 2.45]);
  await retros("PATCH", `${id}/report/approve`, { approval_notes: "so be it" });
  const kept = await report();
  assert.deepEqual([kept.draft, kept.kpis[0].value, kept.retrospective.status], [false, 2.45, "Reported"]);
  await send("POST", `/api/kpis/campaigns/${task_id}`, { metric: "ROI", value: 99 });
  assert.deepEqual(await report(), kept);
});

test("changes of status at once: one wins, the others see what it did", async () => {
  const { id } = await schedule({ status: "In Progress" });
  const answers = await Promise.all([...Array(6)].map((_, i) => retros("PUT", id, { status: i % 2 ? "Cancelled" : "Completed" })));
  const final = (await retros("GET", id)).json.status;
  assert.equal(final, "Cancelled");
  // Completed can come before Cancelled, never behind it.
  for (const [i, answer] of answers.entries()) assert.ok(i % 2 ? answer.status === 200 : [200, 409].includes(answer.status), answer.text);
});

test("insights: what is missing has its preset, what is wrong is named, a stranger to them is refused", async () => {
  const { id } = await schedule();
  const plain = (await retros("POST", `${id}/insights/`, { summary: "Clicks doubled", severity: "HIGH" }, analyst.auth)).json;
  assert.deepEqual([plain.type, plain.severity, plain.generated_by, plain.action_suggestion], ["Observation", "High", "ana", null]);
  assert.equal((await retros("GET", id)).json.status, "In Progress");
  const bad = await retros("POST", `${id}/insights/`, { retrospective_task_id: "x", severity: "Huge", type: 5 });
  assert.deepEqual([bad.status, Object.keys(bad.json.details).sort()], [400, ["retrospective_task_id", "severity", "summary", "type"]]);
  const elsewhere = await retros("POST", `${id}/insights/`, { ...insight, retrospective_task_id: id + 1 });
  assert.deepEqual([elsewhere.status, Object.keys(elsewhere.json.details)], [400, ["retrospective_task_id"]]);
  const mine = await schedule({ created_by: employee.id });
  assert.deepEqual(errorOf(await retros("POST", `${mine.id}/insights/`, insight, employee.auth)).slice(0, 2), [403, "Insufficient permissions"]);
  assert.deepEqual((await retros("GET", `${id}/insights/?severity=high`)).json, [plain]);
  assert.deepEqual((await retros("GET", `${id}/insights/?severity=low`)).json, []);
});

test("open actions are carried over to the team's next retrospective until they are done", async () => {
  const actions = (id) => retros("GET", `${id}/actions/`).then((a) => a.json);
  const first = await schedule({ team_id: 900 });
  const found = (await retros("POST", `${first.id}/insights/`, insight)).json;
  const accept = (json, auth) => retros("POST", `${first.id}/actions/`, json, auth);
  const accepted = await accept({ insight_id: found.id, owner_id: employee.id, due_date: "2030-07-01" });
  assert.equal(accepted.status, 201, accepted.text);
  assert.deepEqual([accepted.json.title, accepted.json.owner_id, accepted.json.due_date, accepted.json.status, accepted.json.carried],
    [insight.action_suggestion, employee.id, "2030-07-01", "Open", 0]);
  assert.equal((await accept({ insight_id: found.id })).json.code, "ACTION_EXISTS");
  const byHand = (await accept({ title: "Order new pictures" }, analyst.auth)).json;
  assert.deepEqual([byHand.insight_id, byHand.owner_id], [null, analyst.id]);
  for (const [body, field] of [[{}, "title"], [{ insight_id: 987654 }, "insight_id"], [{ title: "x", owner_id: 987654 }, "owner_id"], [{ title: "x", due_date: "2030-02-30" }, "due_date"]]) {
    const answer = await accept(body);
    assert.deepEqual([answer.status, Object.keys(answer.json.details)], [400, [field]], JSON.stringify(body));
  }
  // The owner, who sees nothing else, does what is the owner's.
  assert.deepEqual((await actions(first.id)).map((a) => a.id), [accepted.json.id, byHand.id]);
  const own = (method, json) => retros(method, `${first.id}/actions/${accepted.json.id}/`, json, employee.auth);
  assert.equal((await own("PATCH", { status: "in progress" })).json.status, "In Progress");
  assert.equal((await own("PUT", { status: "Done", title: "Something easier" })).status, 403);
  assert.equal((await retros("PATCH", `${first.id}/actions/${byHand.id}/`, { status: "Done" }, employee.auth)).status, 403);

  const elsewhere = await schedule({ team_id: 901 });
  assert.deepEqual(await actions(elsewhere.id), []);
  const second = await schedule({ team_id: 900 });
  assert.deepEqual((await actions(second.id)).map((a) => [a.id, a.retrospective_id, a.first_retrospective_id, a.carried]),
    [[accepted.json.id, second.id, first.id, 1], [byHand.id, second.id, first.id, 1]]);
  assert.equal((await actions(first.id)).length, 2, "they are still seen where they were accepted");
  assert.deepEqual((await eventsOf("retro_action", byHand.id)).map((e) => e.type), ["retro_action.created", "retro_action.updated", "retro_action.carried_over"]);
  assert.equal((await retros("PUT", `${second.id}/actions/${byHand.id}`, { status: "Done" })).json.status, "Done");
  const third = await schedule({ team_id: 900 });
  assert.deepEqual((await actions(third.id)).map((a) => [a.id, a.carried]), [[accepted.json.id, 2]]);
  assert.equal((await retros("GET", `${elsewhere.id}/actions/${accepted.json.id}`)).status, 404);
});

test("without a team the next retrospective of the same person takes them", async () => {
  const bo = await server.person("bo", "ANALYST");
  const first = await schedule({}, bo.auth);
  await retros("POST", `${first.id}/actions/`, { title: "Call the agency" }, bo.auth);
  assert.deepEqual((await retros("GET", `${(await schedule()).id}/actions/`)).json, []);
  assert.equal((await retros("GET", `${(await schedule({}, bo.auth)).id}/actions/`)).json.length, 1);
});

test("two retrospectives of a team made at once: each open action ends in one of them", async () => {
  const first = await schedule({ team_id: 910 });
  for (const title of ["a", "b", "c"]) await retros("POST", `${first.id}/actions/`, { title });
  const made = await Promise.all([...Array(4)].map(() => schedule({ team_id: 910 })));
  const standing = (await Promise.all(made.map((r) => retros("GET", `${r.id}/actions/`)))).flatMap((a) => a.json);
  assert.deepEqual(standing.map((a) => a.title).sort(), ["a", "b", "c"]);
  for (const action of standing) assert.equal(action.carried, made.length);
});

test("settings hold for what is made from now on", async () => {
  const read = () => retros("GET", "settings/").then((a) => a.json);
  assert.deepEqual(await read(), { auto_schedule: true, delay_hours: 24, remind_hours: 24, deadline_days: 14, false_positive_rate: 0.05, rules: {}, version: 0, updated_at: null });
  assert.equal((await retros("PUT", "settings", { deadline_days: 3 }, analyst.auth)).status, 403);
  const bad = await retros("PUT", "settings", { deadline_days: -1, false_positive_rate: 2, rules: [], auto_schedule: "perhaps", remind_hours: 1e9 });
  assert.deepEqual(Object.keys(bad.json.details).sort(), ["auto_schedule", "deadline_days", "false_positive_rate", "remind_hours", "rules"]);
  assert.equal((await retros("PUT", "settings/", { deadline_days: 3 }, manager.auth)).json.version, 1);
  assert.equal((await schedule()).deadline, "2030-06-18T10:00:00Z");
  assert.equal((await schedule({ deadline: null })).deadline, null);
  assert.equal((await retros("PUT", "settings/", { deadline_days: 0 })).json.deadline_days, 0);
  assert.equal((await schedule()).deadline, null);
  await retros("PUT", "settings/", { deadline_days: 14 });
  const other_company = await retros("GET", "settings/", undefined, other);
  assert.equal(other_company.json.version, 0);
});

test("deadlines stand behind the time they belong to, and not in the past", async () => {
  for (const [deadline, scheduled_time] of [["2030-01-01T00:00:00Z", "2030-01-02T00:00:00Z"], ["2024-02-01T00:00:00Z", "2024-01-01T00:00:00Z"]]) {
    const answer = await retros("POST", "", { task_id: 1, scheduled_time, deadline });
    assert.deepEqual([answer.status, Object.keys(answer.json.details)], [400, ["deadline"]]);
  }
  // One whose time has passed, as in the document, is not over as soon as it is entered.
  const { deadline } = await schedule({ scheduled_time: "2024-06-15T10:00:00Z" });
  assert.ok(Date.parse(deadline) > Date.now() + 13 * 86400e3, deadline);
});

test("who has no role in it sees the own ones: made, of the own team, with an own action", async () => {
  const lone = await server.person("lone", "EMPLOYEE");
  const list = async () => (await retros("GET", "", undefined, lone.auth)).json.map((r) => r.id);
  assert.deepEqual(await list(), []);
  const made = await schedule({ created_by: lone.id }), team = await schedule({ team_id: 77 }), acting = await schedule();
  assert.equal((await send("POST", "/api/v1/teams", { id: "77", name: "Seventy-seven" })).status, 201);
  const joined = await send("POST", "/api/v1/teams/77/members", { user_id: lone.id });
  assert.ok(joined.status < 300, joined.text);
  await retros("POST", `${acting.id}/actions/`, { title: "Do it", owner_id: lone.id });
  assert.deepEqual((await list()).sort((a, b) => a - b), [made.id, team.id, acting.id]);
  assert.equal((await retros("GET", (await schedule({ team_id: 78 })).id, undefined, lone.auth)).status, 404);
  assert.equal((await retros("POST", "", { task_id: 5, scheduled_time: "2030-01-01T00:00:00Z" }, lone.auth)).status, 403);
  assert.equal((await retros("PUT", made.id, { notes: "x" }, lone.auth)).status, 403);
});

test("another company has its own of everything", async () => {
  const { id } = await schedule();
  for (const [method, path, body] of [["GET", id], ["PUT", id, {}], ["GET", `${id}/insights/`], ["POST", `${id}/insights/`, insight], ["GET", `${id}/actions/`],
    ["POST", `${id}/actions/`, { title: "x" }], ["PATCH", `${id}/report/approve`, {}]]) {
    assert.equal((await retros(method, path, body, other)).status, 404, `${method} ${path}`);
  }
  assert.deepEqual((await retros("GET", "", undefined, other)).json, []);
});

test("a repeated request with its key is answered again and done once", async () => {
  const body = { task_id: 4321, scheduled_time: "2030-01-01T00:00:00Z" };
  const post = () => send("POST", "/api/retrospectives/", body, admin, { "idempotency-key": "retro-1" });
  const [a, b] = [await post(), await post()];
  assert.deepEqual(b.json, a.json);
  assert.equal((await retros("GET", "?task_id=4321")).json.length, 1);
});

test("times and ids that cannot be are refused by name", async () => {
  const base = { task_id: 1, scheduled_time: "2030-01-01T00:00:00Z" };
  for (const [body, field] of [[{ task_id: 0 }, "task_id"], [{ task_id: -1 }, "task_id"], [{ task_id: 2 ** 54 }, "task_id"], [{ task_id: 1.5 }, "task_id"], [{ task_id: "x" }, "task_id"],
    [{ task_id: null }, "task_id"], [{ scheduled_time: "tomorrow" }, "scheduled_time"], [{ scheduled_time: "2024-13-01T00:00:00Z" }, "scheduled_time"], [{ scheduled_time: 5 }, "scheduled_time"],
    [{ team_id: "blue" }, "team_id"], [{ notes: ["x"] }, "notes"]]) {
    const answer = await retros("POST", "", { ...base, ...body });
    assert.deepEqual([answer.status, Object.keys(answer.json.details)], [400, [field]], `${JSON.stringify(body)}: ${answer.text}`);
  }
  assert.deepEqual(Object.keys((await retros("POST", "", {})).json.details).sort(), ["scheduled_time", "task_id"]);
  for (const id of ["0", "-1", "99999999999999999999", "1e3", "abc", "%00", "1.0", "+1"]) {
    const answer = await retros("GET", id);
    assert.ok([400, 404].includes(answer.status), `${id}: ${answer.status}`);
  }
});

test("a campaign that is completed gets its retrospective by itself, one, and a deadline ends one", async () => {
  const { json: { id } } = await send("POST", "/api/campaigns", { name: "by itself", team_id: 640 });
  const { completed_at } = (await send("PATCH", `/api/campaigns/${id}`, { status: "Completed" })).json;
  const made = await until(async () => (await retros("GET", `?task_id=${id}`)).json[0]);
  assert.deepEqual([made.status, made.team_id, Date.parse(made.scheduled_time) - Date.parse(completed_at)], ["Scheduled", 640, 86400e3]);
  await send("PATCH", `/api/campaigns/${id}`, { status: "Active" });
  await send("PATCH", `/api/campaigns/${id}`, { status: "Completed" });
  const short = await schedule({ scheduled_time: "2024-01-01T00:00:00Z" });
  await change(server.store, `UPDATE retrospective SET deadline = created_at WHERE id = ${short.id}`);
  const [job] = (await send("GET", `/api/v1/jobs?key=retro:${short.id}:close&state=waiting`)).json.data;
  assert.equal((await send("POST", `/api/v1/jobs/${job.id}/retry`)).status, 200);
  const closed = await until(async () => { const { json } = await retros("GET", short.id); return json.status !== "Scheduled" && json; });
  assert.equal(closed.status, "Completed");
  assert.deepEqual((await eventsOf("retrospective", short.id)).map((e) => e.type), ["retrospective.created", "retrospective.updated", "retrospective.closed"]);
  assert.equal((await retros("GET", `?task_id=${id}`)).json.length, 1);
});

test("jobs are planned with the change that wants them, moved with it and taken back", async () => {
  const jobs = async (id) => (await rows(server.store, `SELECT kind, run_at FROM job WHERE key LIKE 'retro:${id}:%' AND state = 'waiting' ORDER BY key`));
  const { id, deadline } = await schedule();
  const us = (text) => Date.parse(text) * 1000;
  assert.deepEqual((await jobs(id)).map((j) => [j.kind, j.run_at]), [["retrospective.close", us(deadline)], ["retrospective.remind", us("2030-06-14T10:00:00Z")]]);
  await retros("PUT", id, { scheduled_time: "2030-06-20T10:00:00Z" });
  assert.deepEqual((await jobs(id)).map((j) => j.run_at), [us(deadline), us("2030-06-19T10:00:00Z")]);
  await retros("PUT", id, { status: "In Progress" });
  assert.deepEqual((await jobs(id)).map((j) => j.kind), ["retrospective.close"]);
  await retros("PATCH", `${id}/report/approve`, {});
  assert.deepEqual(await jobs(id), []);
});

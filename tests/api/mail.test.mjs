// Mail to people, into a real mail server: who is told of what and how often, in one mail what belongs together, nothing lost while the
// mail server is away or the server is killed, nothing for addresses that are refused, and TLS where it has to be.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { startCompanies } from "./support/company.mjs";
import { change, rows } from "./support/database.mjs";
import { startInbox } from "./support/inbox.mjs";
import { startReceiver } from "./support/receiver.mjs";
import { basic, command, onPostgres, startServer } from "./support/server.mjs";
import { until } from "./support/until.mjs";

const FROM = ["--mail-from", "Sextant <kpi@north.example>"];
// A name for private use: nobody else is there, and it is none of those to which nothing is mailed.
const DOMAIN = "north.internal";
const bodyOf = (mail) => mail.text.replaceAll("\r\n", "\n");

function callerOf(world) {
  return async (method, path, json, auth = world.admins[0]) => {
    const answer = await world.request(method, path, { auth, json });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  };
}

let server, inbox, call;
before(async () => {
  inbox = await startInbox();
  server = await startCompanies(["North"], {
    args: ["--mail-server", inbox.url, ...FROM, "--public-url", "https://kpi.north.example", "--allow-private-webhooks"],
  });
  call = callerOf(server);
});
after(async () => {
  await server?.stop();
  await inbox?.stop();
});

let number = 0;
const person = (name, more = {}) => server.person(name, "EMPLOYEE",
  { employee_id: `emp-${++number}`, first_name: name, email: `${name}@${DOMAIN}`, ...more });
const kpi = (json) => call("POST", "/api/kpis", { type: "NUMERIC", thresholds: { target_value: 100 }, ...json });
const assign = (k, json) => call("POST", `/api/kpis/${k.id}/assignments`, { role: "VIEWER", ...json });
const record = (k, value) => call("POST", `/api/kpis/${k.id}/values`, { value });
const mailTo = (who, more = () => true) => inbox.find((m) => m.to.includes(who.email) && more(m));
const mailsTo = (who) => inbox.messages.filter((m) => m.to.includes(who.email));
const inHours = (n) => new Date(Date.now() + n * 3_600_000).toISOString();
// Instead of waiting for the time that the settings say.
async function remind(ask, retrospective) {
  const [job] = (await ask("GET", `/api/v1/jobs?key=retro:${retrospective.id}:remind&state=waiting`)).data;
  await ask("POST", `/api/v1/jobs/${job.id}/retry`);
}
const LONG = 120_000; // a lease that is left behind ends within it
const count = async (s, table, where = "1 = 1") => (await rows(s.store, `SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`))[0].n;
// Every notice has been told to whom it concerns and everything that was to be mailed is.
const settled = (s = server, patience = undefined) => until(async () =>
  (await rows(s.store, "SELECT COUNT(*) AS n FROM job WHERE state IN ('waiting', 'running') AND queue IN ('notice', 'mail')"))[0].n === 0, patience);

test("a crossing is mailed to owner and assigned people as they asked, with its figures", async () => {
  const [owner, ann, ben, cas, dan, eve] = await Promise.all(["owner", "ann", "ben", "cas", "dan", "eve"].map((n) => person(n)));
  const team = (await call("POST", "/api/v1/teams", { name: "Sales" })).data;
  for (const member of [ben, cas]) await call("POST", `/api/v1/teams/${team.id}/members`, { user_id: member.id });
  const k = await kpi({ name: "Net révenue", type: "CURRENCY", currency: "GBP", aggregation: "last", owner_id: owner.employee_id });
  await assign(k, { type: "USER", target_id: ann.employee_id, notifications: { preference: "DAILY" } });
  await assign(k, { type: "TEAM", target_id: team.id });
  await assign(k, { type: "USER", target_id: cas.employee_id, notifications: { preference: "NONE" } }); // although the team is told
  await assign(k, { type: "USER", target_id: dan.employee_id, notifications: { threshold_alerts: false } });
  await record(k, 100);
  await record(k, 41.5);
  const mail = await mailTo(owner);
  assert.equal(mail.headers.subject, "Net révenue is critical");
  assert.equal(mail.headers.from, "Sextant <kpi@north.example>");
  assert.match(mail.headers["message-id"], /^<notice\.\d+\.\d+\.\d+@north\.example>$/);
  assert.equal(mail.headers["auto-submitted"], "auto-generated");
  const text = bodyOf(mail);
  assert.match(text, /^Hello owner,\n/);
  for (const line of [/^ {2}Before +on track$/m, /^ {2}Value +41\.5 GBP$/m, /^ {2}Target +100 GBP$/m, /^ {2}Achievement +\d+(\.\d)? %$/m, new RegExp(`^ {2}KPI +${k.id}$`, "m")])
    assert.match(text, line);
  assert.match(text, /https:\/\/kpi\.north\.example/);
  await mailTo(ben);
  await settled();
  assert.deepEqual([ann, cas, dan, eve].map((p) => mailsTo(p).length), [0, 0, 0, 0]);
  await record(k, 100);
  assert.equal((await mailTo(owner, (m) => m !== mail)).headers.subject, "Net révenue is better again: on track");
  await until(() => mailsTo(ben).length === 2);
  await settled();

  // The summary holds both, once.
  await call("POST", "/api/v1/jobs/schedules/notice.daily/run");
  const summary = await mailTo(ann);
  assert.equal(summary.headers.subject, "Your daily summary: 2 notices");
  assert.ok(bodyOf(summary).indexOf("is critical.") < bodyOf(summary).indexOf("better again: on track."), "in the order of what happened");
  await call("POST", "/api/v1/jobs/schedules/notice.daily/run");
  await call("POST", "/api/v1/jobs/schedules/notice.weekly/run");
  await settled();
  assert.deepEqual([owner, ann, ben, cas, dan, eve].map((p) => mailsTo(p).length), [2, 1, 2, 0, 0, 0]);
  assert.equal((await rows(server.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);
});

test("each of many crossings is told once, in as few mails as come together", async () => {
  const gus = await person("gus");
  const made = [];
  for (let i = 0; i < 5; i++) made.push(await kpi({ name: `Of gus ${i}`, owner_id: gus.employee_id }));
  await Promise.all(made.map((k) => record(k, 1)));
  await settled();
  const told = mailsTo(gus).flatMap((mail) => {
    const ids = [...bodyOf(mail).matchAll(/^ {2}KPI +(\S+)$/gm)].map((m) => m[1]);
    assert.match(mail.headers.subject, ids.length > 1 ? new RegExp(`^Of gus \\d is critical, and ${ids.length - 1} more$`) : /^Of gus \d is critical$/);
    assert.equal(bodyOf(mail).match(/You are told because/g).length, 1);
    return ids;
  });
  assert.deepEqual(told.sort(), made.map((k) => k.id).sort());
});

test("names cannot add to a mail's header or lines", async () => {
  const eva = await person("eva", { first_name: "Eva,\n\"the\"\u2029<x@y.example>" });
  const k = await kpi({ name: "Quiet\u2028=?UTF-8?Q?X?= ä\u0085\u202e\u2067".repeat(8), unit: "a\r\nb", owner_id: eva.employee_id });
  await record(k, 1);
  const mail = await mailTo(eva);
  assert.equal(mail.headers.subject, `${"Quiet =?UTF-8?Q?X?= ä   ".repeat(8)} is critical`);
  assert.deepEqual(mail.to, [eva.email]);
  assert.match(bodyOf(mail), /^Hello Eva, "the" <x@y\.example>,$/m);
  assert.match(bodyOf(mail), /^ {2}Value +1 a {2}b$/m);
  assert.doesNotMatch(bodyOf(mail), /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/);
  assert.deepEqual(Object.keys(mail.headers).sort(),
    ["auto-submitted", "content-transfer-encoding", "content-type", "date", "from", "message-id", "mime-version", "subject", "to"]);
  for (const line of mail.raw.split("\r\n")) assert.ok(line.length <= 78 || /^Message-ID/.test(line), line);
});

test("a title of any length makes a subject that can be read; the mail has all of it", async () => {
  const doer = await person("reader");
  const retro = await call("POST", "/api/retrospectives/", { task_id: 71, scheduled_time: inHours(2), status: "Scheduled" });
  const title = `${"Grüße 😀 ".repeat(400)}end`;
  await call("POST", `/api/retrospectives/${retro.id}/actions/`, { title, owner_id: doer.id });
  const mail = await mailTo(doer);
  assert.ok(mail.headers.subject.startsWith("To do: Grüße 😀 Grüße"));
  assert.equal([...mail.headers.subject].length, 250);
  assert.ok(mail.headers.subject.endsWith("…"));
  assert.ok(bodyOf(mail).includes(title));
});

test("a thousand notices come in as few mails as there is room for, each once", async () => {
  const ida = await person("ida");
  await call("POST", "/api/v1/jobs/queues/mail/pause");
  const k = await kpi({ name: "The last one", owner_id: ida.employee_id });
  await record(k, 1);
  const waiting = () => count(server, "notice", `person_id = ${ida.id}`);
  await until(async () => (await waiting()) === 1);
  await change(server.store, `INSERT INTO notice (company_id, id, person_id, period, type, object_id, at, details)
    WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 999)
    SELECT company_id, 1000000 + n, person_id, period, type, 'bulk-' || n || '.', at, details FROM notice, i WHERE person_id = ${ida.id}`);
  await call("POST", "/api/v1/jobs/queues/mail/resume");
  await until(async () => (await waiting()) === 0, LONG);
  await until(() => mailsTo(ida).length === 10, LONG);
  const told = mailsTo(ida).flatMap((mail) => [...bodyOf(mail).matchAll(/^ {2}KPI +(\S+)$/gm)].map((m) => m[1]));
  assert.deepEqual([told.length, new Set(told).size], [1000, 1000]);
  for (const mail of mailsTo(ida)) assert.equal(mail.headers.subject, "The last one is critical, and 99 more");
});

test("people who cannot log in any more, or have no address, are not mailed", async () => {
  const [gone, mute] = [await person("gone"), await person("mute", { email: "" })];
  const k = await kpi({ name: "Whose?", owner_id: gone.employee_id });
  await assign(k, { type: "USER", target_id: mute.employee_id });
  await call("PATCH", `/api/auth/users/${gone.id}/`, { is_active: false });
  await record(k, 1);
  await settled();
  assert.equal(inbox.messages.filter((m) => m.headers.subject.startsWith("Whose?")).length, 0);
  assert.equal((await rows(server.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);
});

test("nobody is mailed at a name that is reserved for examples and tests, and nothing waits for them", async () => {
  const reserved = ["Gina@Example.com", "gina@mail.example.org", "gina@example.net", "gina@north.example", "gina@x.TEST", "gina@x.invalid",
    "gina@localhost", "gina@x.localhost", "gina-8@ｅxample.com"];
  const made = await Promise.all(reserved.map((email, i) => person(`gina-${i}`, { email })));
  const near = await Promise.all(["gina@example.de", "gina@my-example.com", "gina@example.com.internal", "gina@my.latest"].map((email, i) => person(`nina-${i}`, { email })));
  const k = await kpi({ name: "Of nobody", owner_id: made[0].employee_id });
  for (const p of [...made.slice(1), ...near]) await assign(k, { type: "USER", target_id: p.employee_id });
  await record(k, 1);
  for (const p of near) await mailTo(p);
  await settled();
  assert.equal(inbox.messages.filter((m) => m.headers.subject.startsWith("Of nobody")).length, near.length);
  assert.equal((await rows(server.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);

  // Nor when the address became one while something waited for it.
  const moved = await person("moved");
  await call("POST", "/api/v1/jobs/queues/mail/pause");
  const other = await kpi({ name: "Of nobody any more", owner_id: moved.employee_id });
  await record(other, 1);
  await until(async () => (await rows(server.store, "SELECT COUNT(*) AS n FROM notice"))[0].n === 1);
  await call("PATCH", `/api/auth/users/${moved.id}/`, { email: "moved@example.com" });
  await call("POST", "/api/v1/jobs/queues/mail/resume");
  await settled();
  assert.equal((await rows(server.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);
  assert.equal(inbox.messages.filter((m) => m.headers.subject.startsWith("Of nobody any more")).length, 0);
  assert.deepEqual((await call("GET", "/api/v1/jobs?kind=mail.person&state=dead")).data, [], "there is nothing to be given up");
});

test("the demo's made-up people are not mailed", async () => {
  const demo = await startServer({ args: ["--demo", "--mail-server", inbox.url, ...FROM] });
  const admin = basic("admin", "admin123");
  const ask = callerOf({ admins: [admin], request: demo.request });
  try {
    await settled(demo);
    const k = await ask("POST", "/api/kpis", { name: "Of Emma", type: "NUMERIC", owner_id: "emp-001", thresholds: { target_value: 100 } });
    await ask("POST", `/api/kpis/${k.id}/values`, { value: 1 });
    assert.equal(await count(demo, "event", `type = 'threshold.breached' AND object_id = '${k.id}'`), 1);
    await settled(demo);
    assert.deepEqual(inbox.messages.filter((m) => /@demo\.example/.test(m.to)), []);
    assert.equal((await rows(demo.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);
    assert.equal((await rows(demo.store, "SELECT COUNT(*) AS n FROM job WHERE kind = 'mail.person'"))[0].n, 0);
  } finally {
    await demo.stop();
  }
});

test("an address that is refused is told in the jobs and holds back nobody", async () => {
  const [bad, good] = [await person("refused-1"), await person("fine")];
  const k = await kpi({ name: "Seen by two", owner_id: bad.employee_id });
  await assign(k, { type: "USER", target_id: good.employee_id });
  await record(k, 1);
  await mailTo(good);
  await settled();
  const { data } = await call("GET", "/api/v1/jobs?kind=mail.person&state=dead");
  assert.equal(data.length, 1);
  assert.match(data[0].error, /refused the recipient/);
  assert.equal((await rows(server.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);
});

// A server with one person, and what makes that person a notice of each name; mail waits until it is let go.
async function startPostOffice(company, into, email = `pia@${DOMAIN}`) {
  const options = ["--mail-server", into.url, ...FROM];
  const office = { world: await startCompanies([company], { args: options }) };
  const auth = office.world.admins[0];
  office.now = office.world;
  office.ask = async (...what) => callerOf({ admins: [auth], request: office.now.request })(...what);
  office.pia = await office.world.person("pia", "EMPLOYEE", { employee_id: "emp-pia", email });
  office.tell = async (...names) => {
    await office.ask("POST", "/api/v1/jobs/queues/mail/pause");
    for (const name of names) {
      const k = await office.ask("POST", "/api/kpis", { name, type: "NUMERIC", owner_id: "emp-pia", thresholds: { target_value: 100 } });
      await office.ask("POST", `/api/kpis/${k.id}/values`, { value: 1 });
    }
    await until(async () => (await count(office.world, "job", "kind = 'notice.tell'")) === 0, LONG);
    await office.ask("POST", "/api/v1/jobs/queues/mail/resume");
  };
  office.restart = async () => {
    await office.now.kill();
    office.now = await startServer({ store: office.world.store, args: options });
  };
  // Instead of waiting for the back-off, until it has come to that.
  office.retryUntil = (look) => until(async () => {
    for (const job of (await office.ask("GET", "/api/v1/jobs?kind=mail.person&state=waiting")).data)
      await office.now.request("POST", `/api/v1/jobs/${job.id}/retry`, { auth }); // refused when it has begun meanwhile
    return look();
  }, LONG);
  office.job = (query, fits) => until(async () => (await office.ask("GET", `/api/v1/jobs?${query}`)).data.find(fits ?? (() => true)), LONG);
  office.stop = async () => {
    if (office.now === office.world) return office.world.stop();
    await office.now.stop();
    await office.world.store.remove();
  };
  return office;
}
// Names of the KPIs that mails tell of. The same mail may have come twice, when the server was killed behind it, and is the same then.
function toldIn(messages) {
  const mails = new Map();
  for (const m of messages) {
    const id = m.headers["message-id"];
    assert.equal(bodyOf(m), mails.get(id) ?? bodyOf(m), `${id} is another mail the second time`);
    mails.set(id, bodyOf(m));
  }
  return [...mails.values()].flatMap((text) => [...text.matchAll(/^(.+) is critical\.$/gm)].map((m) => m[1])).sort();
}

test("a notice whose content the mail server refuses holds back no other, is told in the jobs, and can be sent again", async () => {
  const strict = await startInbox({ args: ["--refuse", "Unmailable", "--hold", "Held"] });
  const office = await startPostOffice("East", strict);
  const fine = ["Four", "Held", "One", "Seven", "Six", "Two"];
  try {
    await office.tell("One", "Two", "Unmailable", "Four", "Held", "Six", "Seven");
    await strict.find((m) => bodyOf(m).includes("Held"), LONG);
    await office.restart(); // the mail is taken, and nobody has heard of it
    await until(() => fine.every((name) => toldIn(strict.messages).includes(name)), LONG);
    const dead = await office.job("queue=mail&state=dead");
    await settled(office.now, LONG);
    assert.deepEqual(toldIn(strict.messages), fine);
    assert.equal(dead.kind, "mail.refused");
    assert.match(dead.error, new RegExp(`^Notice ${dead.payload.notice_id} was not mailed to person ${office.pia.id}\\. .*content \\(554\\)`));
    assert.equal(dead.payload.person_id, office.pia.id);
    assert.doesNotMatch(JSON.stringify(dead), /Unmailable|@/, "addresses and texts are not for the list of jobs");
    const placed = strict.messages.filter((m) => m.headers.subject === "A notice could not be mailed");
    const [inItsPlace] = placed; // the kill may have come behind it too
    assert.equal(new Set(placed.map((m) => m.headers["message-id"])).size, 1);
    assert.deepEqual(inItsPlace.to, [office.pia.email]);
    assert.match(bodyOf(inItsPlace), /^ {2}threshold\.breached, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(/m);
    assert.doesNotMatch(bodyOf(inItsPlace), /Unmailable|pia/);
    // Of 7, of 4, of 2, alone, and alone in its own job, whose end the kill may have swallowed.
    assert.ok([5, 6].includes(strict.refusals.length), `${strict.refusals.length} mails were refused`);
    assert.equal(await count(office.now, "notice"), 1);

    await strict.takeAll();
    await office.ask("POST", `/api/v1/jobs/${dead.id}/retry`);
    await strict.find((m) => bodyOf(m).includes("Unmailable"), LONG);
    await settled(office.now);
    assert.equal(await count(office.now, "notice"), 0);
  } finally {
    await office.stop();
    await strict.stop();
  }
});

test("a mail server that refuses whatever is sent is waited for; nothing is given up", async () => {
  const strict = await startInbox();
  const office = await startPostOffice("Up", strict, `rejected@${DOMAIN}`);
  try {
    await office.tell("One", "Two", "Three", "Four");
    const failed = await office.job("kind=mail.person&state=waiting", (j) => j.error);
    assert.match(failed.error, /refused the message for its content \(554\)/);
    // Of 4, of 2, alone, one in its place, and of another one: then it is known, and every later attempt sends the last three.
    const refused = strict.refusals.length;
    const { attempt } = (await office.ask("GET", `/api/v1/jobs/${failed.id}`)).data;
    assert.ok(refused <= 5 + 3 * (attempt - 1), `${refused} mails in ${attempt} attempts`);
    assert.equal(await count(office.now, "notice"), 4);
    assert.equal(await count(office.now, "job", "kind = 'mail.refused'"), 0);
    await office.ask("PATCH", `/api/auth/users/${office.pia.id}/`, { email: office.pia.email.replace("rejected", "pia") });
    await office.retryUntil(async () => (await count(office.now, "notice")) === 0);
    assert.deepEqual(toldIn(strict.messages), ["Four", "One", "Three", "Two"]);
  } finally {
    await office.stop();
    await strict.stop();
  }
});

test("a notice that the mail server refuses in any words waits behind all others", async () => {
  const strict = await startInbox({ args: ["--refuse", "Unmailable", "--refuse", "could not be mailed"] });
  const office = await startPostOffice("Down", strict);
  try {
    await office.tell("Unmailable", "One", "Two");
    const failed = await office.job("kind=mail.person&state=waiting", (j) => j.error);
    assert.match(failed.error, new RegExp(`^The mail server refused notice \\d+ to person ${office.pia.id}, and to say that there is one\\.$`));
    assert.deepEqual(toldIn(strict.messages), ["One", "Two"]);
    await office.tell("Three");
    await office.retryUntil(() => strict.messages.some((m) => bodyOf(m).includes("Three")));
    assert.deepEqual(toldIn(strict.messages), ["One", "Three", "Two"]);
  } finally {
    await office.stop();
    await strict.stop();
  }
});

test("those whom a retrospective concerns are reminded of it", async () => {
  const [maker, member, doer] = [await person("maker", { role: "MANAGER" }), await person("member"), await person("doer")];
  await call("POST", "/api/v1/teams", { id: "4711", name: "Campaigners" });
  await call("POST", "/api/v1/teams/4711/members", { user_id: member.id });
  await call("PUT", "/api/retrospectives/settings/", { remind_hours: 1 });
  const retro = await call("POST", "/api/retrospectives/",
    { task_id: 51, team_id: 4711, created_by: maker.id, scheduled_time: inHours(2), status: "Scheduled" });
  await call("POST", `/api/retrospectives/${retro.id}/actions/`, { title: "Order pictures", owner_id: doer.id });
  const task = await mailTo(doer, (m) => m.headers.subject === "To do: Order pictures");
  assert.match(bodyOf(task), new RegExp(`^ {2}Retrospective +${retro.id}$`, "m"));
  await remind(call, retro);
  for (const who of [maker, member, doer]) {
    const mail = await mailTo(who, (m) => /^Retrospective of/.test(m.headers.subject));
    assert.match(mail.headers.subject, /^Retrospective of Campaign 51 on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(/);
    assert.match(bodyOf(mail), new RegExp(`https://kpi\\.north\\.example/api/retrospectives/${retro.id}/report`));
  }
});

test("who made a subscription hears that its endpoint is gone, administrators when they may not any more", async () => {
  const mia = await person("mia", { role: "ADMIN" });
  const isRemoval = (m) => /^Webhook wh-\d+ was removed$/.test(m.headers.subject);
  const gone = await startReceiver((_, response) => { response.statusCode = 410; response.end(); });
  const subscribe = () => call("POST", "/api/webhooks", { url: gone.url, events: ["kpi.created"], secret: "s".repeat(32) }, mia.auth);
  try {
    await call("PATCH", "/api/auth/users/me/", { email: `admin@${DOMAIN}` });
    await subscribe();
    await kpi({ name: "Told to nobody" });
    assert.match(bodyOf(await mailTo(mia, isRemoval)), /answered 410 Gone/);
    await settled();
    assert.equal(inbox.messages.filter(isRemoval).length, 1);

    await subscribe();
    await call("PATCH", `/api/auth/users/${mia.id}/`, { role: "EMPLOYEE" });
    await kpi({ name: "Told to nobody either" });
    await mailTo({ email: `admin@${DOMAIN}` }, isRemoval);
    await settled();
    assert.equal(mailsTo(mia).filter(isRemoval).length, 1);
  } finally {
    await gone.close();
  }
});

test("a mail server that is away loses nothing, doubles nothing, and a kill neither", async () => {
  const late = await startInbox({ args: ["--closed"] });
  const args = ["--mail-server", late.url, ...FROM];
  const world = await startCompanies(["South"], { args });
  const ask = callerOf(world);
  let again;
  try {
    const zoe = await world.person("zoe", "EMPLOYEE", { employee_id: "emp-zoe", email: `zoe@${DOMAIN}` });
    const make = (name) => ask("POST", "/api/kpis", { name, type: "NUMERIC", owner_id: "emp-zoe", thresholds: { target_value: 100 } });
    const one = await make("Before");
    await ask("POST", `/api/kpis/${one.id}/values`, { value: 1 });
    const failed = await until(async () => {
      const { data } = await ask("GET", "/api/v1/jobs?kind=mail.person");
      return data.find((j) => j.state === "waiting" && j.error);
    });
    assert.match(failed.error, /connection failed/i);
    const two = await make("Meanwhile");
    await ask("POST", `/api/kpis/${two.id}/values`, { value: 1 });
    await ask("PUT", "/api/retrospectives/settings/", { remind_hours: 1 });
    const retro = await ask("POST", "/api/retrospectives/",
      { task_id: 61, created_by: zoe.id, scheduled_time: inHours(2), status: "Scheduled" });
    await remind(ask, retro);
    await until(async () => (await rows(world.store, "SELECT COUNT(*) AS n FROM notice"))[0].n === 3);
    await ask("PATCH", `/api/retrospectives/${retro.id}/`, { scheduled_time: "2031-01-01T10:00:00Z", deadline: null });
    await world.kill();
    again = await startServer({ store: world.store, args });
    await late.open();
    const [job] = (await again.request("GET", "/api/v1/jobs?kind=mail.person&state=waiting", { auth: world.admins[0] })).json.data;
    if (job) await again.request("POST", `/api/v1/jobs/${job.id}/retry`, { auth: world.admins[0] }); // instead of waiting for the back-off
    const mail = await late.find((m) => m.to.includes(zoe.email), 150_000); // a run that was under way at the kill waits for its lease
    for (const name of ["Before", "Meanwhile"]) assert.match(bodyOf(mail), new RegExp(`^${name} is critical\\.$`, "m"));
    await settled(again);
    assert.equal(late.messages.length, 1);
    assert.doesNotMatch(bodyOf(mail), /Retrospective/, "reminded of a time that was given up meanwhile");
    assert.equal((await rows(world.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);
  } finally {
    await again?.stop();
    await world.kill();
    await world.store.remove();
    await late.stop();
  }
});

test("without a mail server nothing is kept for one", async () => {
  const world = await startCompanies(["West"]);
  try {
    await world.person("wes", "EMPLOYEE", { employee_id: "emp-wes", email: `wes@${DOMAIN}` });
    const ask = callerOf(world);
    const k = await ask("POST", "/api/kpis", { name: "Unheard", type: "NUMERIC", owner_id: "emp-wes", thresholds: { target_value: 100 } });
    await ask("POST", `/api/kpis/${k.id}/values`, { value: 1 });
    await settled(world);
    assert.equal((await rows(world.store, "SELECT COUNT(*) AS n FROM notice"))[0].n, 0);
    assert.equal((await rows(world.store, "SELECT COUNT(*) AS n FROM job WHERE kind LIKE 'notice.%' OR kind LIKE 'mail.%'"))[0].n, 0);
  } finally {
    await world.stop();
  }
});

test("when the mail server is taken out of use, what still waits for one goes", async () => {
  const away = await startInbox({ args: ["--closed"] });
  const office = await startPostOffice("Upper", away);
  let bare;
  try {
    await office.tell("Too late");
    await office.ask("POST", "/api/v1/jobs/queues/mail/pause");
    assert.deepEqual([await count(office.world, "notice"), await count(office.world, "job", "kind = 'mail.person'")], [1, 1]);
    await office.world.kill("SIGTERM");
    bare = await startServer({ store: office.world.store });
    const gone = "UPDATE job_schedule SET next_at = next_at - 4 * CAST(86400000000 AS BIGINT) WHERE id = 'mail.upkeep'";
    if (onPostgres) { // where other nodes may have a mail server, until nobody has seen one for three days
      assert.equal(await count(bare, "notice"), 1);
      await change(bare.store, gone);
      await callerOf({ admins: office.world.admins, request: bare.request })("POST", "/api/v1/jobs/schedules/upkeep.notices/run?installation=true");
    }
    await until(async () => (await count(bare, "notice")) + (await count(bare, "job", "queue IN ('notice', 'mail') AND state = 'waiting'")) === 0, LONG);
  } finally {
    await bare?.stop();
    await office.world.kill();
    await office.world.store.remove();
    await away.stop();
  }
});

test("of two nodes the one without a mail server leaves mail to the other", { skip: !onPostgres && "SQLite has one node" }, async () => {
  const post = await startInbox();
  const bare = await startCompanies(["Twin"]);
  const start = () => startServer({ store: bare.store, args: ["--mail-server", post.url, ...FROM] });
  const ask = callerOf(bare);
  await bare.person("pia", "EMPLOYEE", { employee_id: "emp-pia", email: `pia@${DOMAIN}` });
  const cross = async (name) => {
    const k = await ask("POST", "/api/kpis", { name, type: "NUMERIC", owner_id: "emp-pia", thresholds: { target_value: 100 } });
    await ask("POST", `/api/kpis/${k.id}/values`, { value: 1 });
    return name;
  };
  // Two jobs one behind the other: rounds of the node's own runner have looked for work meanwhile.
  const looked = async () => {
    for (let i = 0; i < 2; i++) {
      const { id } = (await ask("POST", "/api/v1/jobs/schedules/kpi.judge/run")).data;
      await until(async () => (await ask("GET", `/api/v1/jobs/${id}`)).data.state === "done");
    }
  };
  const waiting = () => rows(bare.store, `SELECT kind, state, attempt FROM job WHERE kind IN ('notice.tell', 'mail.person')
    AND state IN ('waiting', 'running') ORDER BY kind`);
  let other;
  try {
    await cross("Heard by nobody");
    assert.deepEqual(await waiting(), []);
    other = await start();
    const told = [];
    for (let i = 1; i <= 12; i++) told.push(await cross(`Of both ${String.fromCharCode(64 + i)}`));
    await until(() => toldIn(post.messages).length >= told.length);
    await settled(bare);
    assert.deepEqual(toldIn(post.messages), told);

    // The other one is away: one notice waits for its mail, another one has not been told yet.
    await ask("POST", "/api/v1/jobs/queues/mail/pause");
    told.push(await cross("Of both Y"));
    await until(async () => (await count(bare, "notice")) === 1);
    await other.stop();
    other = undefined;
    await ask("POST", "/api/v1/jobs/queues/mail/resume");
    told.push(await cross("Of both Z"));
    await looked();
    assert.deepEqual(await waiting(), [{ kind: "mail.person", state: "waiting", attempt: 0 }, { kind: "notice.tell", state: "waiting", attempt: 0 }]);
    assert.equal(await count(bare, "notice"), 1);
    other = await start();
    await until(() => toldIn(post.messages).length >= told.length);
    await settled(bare);
    assert.deepEqual(toldIn(post.messages), told);
  } finally {
    await other?.stop();
    await bare.stop();
    await post.stop();
  }
});

test("mail test says what came of it; mail and passwords go over TLS only, and only to who can prove its name", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sextant-mail-"));
  const [cert, key, secret] = ["cert.pem", "key.pem", "secret"].map((n) => join(directory, n));
  const openssl = (...args) => promisify(execFile)("openssl", args);
  await openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out", cert, "-keyout", key);
  await writeFile(secret, "pass word\nsecond line\n");
  const safe = await startInbox({ args: ["--tls", cert, key, "--login", "kpi", "pass word"] });
  const options = ["--mail-server", safe.url, ...FROM, "--mail-user", "kpi", "--mail-password-file", secret];
  const send = (to, ...more) => command(["mail", "test", to, ...options, ...more]);
  try {
    const sent = await send(`ann@${DOMAIN}`, "--mail-ca", cert);
    assert.deepEqual([sent.code, safe.messages.length], [0, 1], sent.stderr);
    assert.deepEqual([safe.messages[0].tls, safe.messages[0].login], [true, "kpi"]);
    assert.match((await send(`refused@${DOMAIN}`, "--mail-ca", cert)).stderr, /550 5\.1\.1/);
    for (const name of ["example.com", "MAIL.Example.Org", "north.test", "localhost", "ｅxample.net"]) {
      const nobody = await send(`ann@${name}`, "--mail-ca", cert);
      assert.deepEqual([nobody.code, /reserved for examples and tests \(RFC 2606, RFC 6761\)/.test(nobody.stderr)], [1, true], name);
    }
    const stranger = await send(`ann@${DOMAIN}`);
    assert.deepEqual([stranger.code, /TLS/.test(stranger.stderr)], [1, true], stranger.stderr);
    await writeFile(secret, "wrong\n");
    const wrong = await send(`ann@${DOMAIN}`, "--mail-ca", cert);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /refused the login/);
    assert.ok(!wrong.stderr.includes("wrong"), "the password is told");
    assert.equal(safe.messages.length, 1);
  } finally {
    await safe.stop();
    await rm(directory, { recursive: true });
  }
});

test("settings that cannot work are refused before anything starts", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sextant-mail-"));
  const broken = join(directory, "secret");
  await writeFile(broken, "pass\0word\n");
  const cases = [
    [["--mail-server", "http://x", ...FROM], /mail-server.*smtp:\/\//s],
    [["--mail-server", "smtp://u:p@x", ...FROM], /without a name or password/],
    [["--mail-server", "smtp://x"], /--mail-from/],
    [["--mail-server", "smtp://x", "--mail-from", "nobody"], /mail-from/],
    [["--mail-server", "smtp://x", "--mail-from", "a@b\r\nBcc: c@d"], /mail-from/],
    [FROM, /--mail-server/],
    [["--mail-insecure"], /--mail-server/],
    [["--mail-server", "smtp://x", ...FROM, "--mail-user", "u"], /--mail-password-file/],
    [["--mail-server", "smtp://x", ...FROM, "--mail-user", "u", "--mail-password-file", "/does/not/exist"], /\/does\/not\/exist/],
    [["--mail-server", "smtp://x", ...FROM, "--mail-user", "u", "--mail-password-file", broken], /holds no password/],
    [["--mail-server", "smtp://x", ...FROM, "--mail-ca", "/does/not/exist"], /mail-ca.*\/does\/not\/exist/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await command(["serve", "--data", join(directory, "never-made"), "--listen", "127.0.0.1:0", ...args]);
    assert.notEqual(code, 0, args.join(" "));
    assert.match(stderr, message, args.join(" "));
  }
  await rm(directory, { recursive: true });
});

// The report of a retrospective over HTTP: its figures against what this test works out from the values it sent, the three forms, who may
// read it, and that an approved one never changes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { campaignValues, reportedCampaign, sendValues } from "./support/campaign.mjs";
import { startCompanies } from "./support/company.mjs";

const run = promisify(execFile);
const NAME = "Summer <script>alert(1)</script> & שלום";

let server, admin, other, employee, retro, folder;
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, other] = server.admins;
  employee = await server.person("eve", "EMPLOYEE");
  folder = await mkdtemp(join(tmpdir(), "sextant-report-"));
  retro = await reportedCampaign(server, admin, { name: NAME });
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
  await server.stop();
});

const path = (id = retro.id) => `/api/retrospectives/${id}/report`;
const read = (auth = admin, query = "", headers = {}, id = retro.id) => server.request("GET", path(id) + query, { auth, headers });
async function bytes(query, auth = admin) {
  const answer = await fetch(server.url + path() + query, { headers: { authorization: auth } });
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

// ---- the same figures, worked out in whole numbers ----

const CENTS = new Set(["Spend", "Revenue"]);
const COUNTS = ["Impressions", "Clicks", "Spend", "Conversions", "Revenue"];
function sums(values) {
  const out = {};
  for (const { metric, value } of values.filter((v) => COUNTS.includes(v.metric))) {
    out[metric] = (out[metric] ?? 0n) + BigInt(Math.round(CENTS.has(metric) ? value * 100 : value));
  }
  return out;
}
const halfUp = (n, d) => (2n * n + d) / (2n * d);
// n / d at so many decimals, as the JSON has it.
const ratio = (n, d, decimals) => Number(halfUp(n * 10n ** BigInt(decimals), d)) / 10 ** decimals;
function expected(values) {
  const { Impressions: i, Clicks: c, Spend: s, Conversions: k, Revenue: r } = sums(values);
  if (i === undefined) return {};
  return {
    Impressions: Number(i), Clicks: Number(c), Spend: Number(s) / 100, Conversions: Number(k), Revenue: Number(r) / 100,
    CTR: ratio(c, i, 6), CPC: ratio(s, c * 100n, 4), CPM: ratio(s * 1000n, i * 100n, 2), CPA: ratio(s, k * 100n, 2),
    "Conversion rate": ratio(k, c, 6), ROAS: ratio(r, s, 4), ROI: ratio(r, s, 4),
  };
}
function assertFigures(figures, values, where) {
  const want = expected(values);
  for (const [metric, value] of Object.entries(want)) assert.equal(figures.find((f) => f.metric === metric)?.value, value, `${where}: ${metric}`);
  return want;
}

test("its figures are those of the values, and say how they came about", async () => {
  const { status, json } = await read();
  assert.equal(status, 200);
  const want = assertFigures(json.kpis, retro.values, "total");
  const kpi = Object.fromEntries(json.kpis.map((k) => [k.metric, k]));
  for (const metric of COUNTS) assert.equal(kpi[metric].basis, "sum");
  assert.deepEqual([kpi.CTR.basis, kpi.CTR.formula, kpi.CTR.entered_mean, kpi.CTR.values], ["computed", "clicks / impressions", 0.03, 1]);
  assert.ok(kpi.CTR.interval_95[0] < want.CTR && want.CTR < kpi.CTR.interval_95[1]);
  assert.deepEqual([kpi.NPS.basis, kpi.NPS.value, kpi.NPS.values], ["averaged", 39.75, 2]);
  for (const k of json.kpis) assert.equal(k.unit, { Spend: "USD", Revenue: "USD", CPC: "USD", CPM: "USD", CPA: "USD", CTR: "ratio",
    "Conversion rate": "ratio", ROAS: "factor", ROI: "factor", NPS: "number" }[k.metric] ?? "count");
  assert.deepEqual([json.period.from, json.period.to, json.period.values], ["2024-06-01", "2024-06-14", retro.values.length]);
  assert.deepEqual(json.campaign.budget, { value: 5000, unit: "USD" });
});

test("targets are the campaign's, else the KPI's, and earlier campaigns are those of the team", async () => {
  const set = await server.request("PUT", "/api/kpis/campaign-clicks", { auth: admin, json: { thresholds: { target_value: 10000 } } });
  assert.equal(set.status, 200, set.text);
  await sendValues(server, admin, 500, campaignValues("2024-05-01", 3, 5)); // of no team
  const { json } = await read();
  const want = expected(retro.values);
  const before = [expected(campaignValues("2024-04-01", 14, 0.8)), expected(campaignValues("2024-05-01", 14, 0.9))];
  assert.deepEqual(json.earlier_campaigns.map((c) => c.name), ["Spring sale", "Easter"]);
  const round1 = (v) => Math.sign(v) * Math.round(Math.abs(v) * 10) / 10;
  for (const [metric, target, from] of [["CTR", 0.025, "campaign"], ["ROAS", 3.5, "campaign"], ["Conversions", 900, "campaign"], ["Clicks", 10000, "kpi"]]) {
    const k = json.kpis.find((f) => f.metric === metric);
    assert.deepEqual([k.target.value, k.target.from, k.target.direction], [target, from, "higher"]);
    assert.ok(Math.abs(k.target.achievement_percent - (want[metric] / target) * 100) <= 0.051, metric);
    const mean = (before[0][metric] + before[1][metric]) / 2;
    assert.ok(Math.abs(k.earlier.mean - mean) <= 0.005 * Math.max(1, Math.abs(mean)), `${metric} ${k.earlier.mean} ${mean}`);
    assert.ok(Math.abs(k.earlier.change_percent - round1(((want[metric] - k.earlier.mean) / k.earlier.mean) * 100)) <= 0.11, metric);
    assert.equal(k.earlier.better, want[metric] === mean ? null : want[metric] > mean);
  }
  const spend = json.kpis.find((f) => f.metric === "Spend");
  assert.deepEqual([spend.target.direction, spend.earlier.better], ["lower", null]);
  assert.ok(Math.abs(spend.target.achievement_percent - (5000 / want.Spend) * 100) <= 0.051);
  assert.equal(json.kpis.find((f) => f.metric === "Impressions").target, null);
});

for (const [axis, member] of [["channels", "channel"], ["sources", "source"]]) {
  test(`${axis} have the figures of their values and come to the whole`, async () => {
    const { json } = await read();
    const { slices, ranked_by } = json[axis];
    assert.equal(ranked_by, "Spend");
    const names = [...new Set(retro.values.map((v) => v[member] ?? null))];
    assert.deepEqual(slices.map((s) => s.name).sort(), names.sort());
    for (const slice of slices) assertFigures(slice.figures, retro.values.filter((v) => (v[member] ?? null) === slice.name), `${axis} ${slice.name}`);
    const spend = slices.map((s) => s.figures.find((f) => f.metric === "Spend"));
    assert.deepEqual(spend.map((f) => f.value), spend.map((f) => f.value).sort((a, b) => b - a), "the dearest first");
    for (const metric of COUNTS) {
      const cents = slices.map((s) => Math.round((s.figures.find((f) => f.metric === metric).value ?? 0) * 100)).reduce((a, b) => a + b);
      assert.equal(cents, Math.round(json.kpis.find((k) => k.metric === metric).value * 100), metric);
    }
    assert.ok(Math.abs(spend.reduce((sum, f) => sum + (f.share ?? 0), 0) - 1) < 0.001);
  });
}

test("an entered ratio without its parts is the mean of what was entered, and marked so", async () => {
  const { json } = await read();
  const figure = json.channels.slices.find((s) => s.name === "Newsletter").figures.find((f) => f.metric === "CTR");
  assert.deepEqual([figure.value, figure.basis, figure.values, figure.interval_95], [0.03, "averaged", 1, undefined]);
  assert.match((await read(admin, "?format=html")).text, /3\.00\u00a0% \(mean\)/);
});

test("more slices than there is room for are told together", async () => {
  const values = Array.from({ length: 60 }, (_, i) => ({ metric: "Clicks", value: i + 1, channel: `channel ${i}`, recorded_at: "2024-06-01T09:00:00Z" }));
  await sendValues(server, admin, 600, values);
  const made = await server.request("POST", "/api/retrospectives/", { auth: admin, json: { task_id: 600, scheduled_time: "2024-06-15T10:00:00Z" } });
  const { json } = await read(admin, "", {}, made.json.id);
  const { slices } = json.channels;
  assert.deepEqual([slices.length, slices.at(-1).others, slices.at(-1).name], [21, 40, null]);
  assert.equal(slices.map((s) => s.figures[0].value).reduce((a, b) => a + b), (60 * 61) / 2);
  assert.deepEqual(slices.slice(0, 20).map((s) => s.figures[0].value), Array.from({ length: 20 }, (_, i) => 60 - i));
});

test("the course has each day's figures", async () => {
  const { course } = (await read()).json;
  assert.equal(course.interval, "day");
  for (const { metric, points } of course.metrics) {
    assert.deepEqual(points.map((p) => p.date), Array.from({ length: 14 }, (_, i) => `2024-06-${String(i + 1).padStart(2, "0")}`));
    for (const { date, value } of points) {
      const want = expected(retro.values.filter((v) => v.recorded_at.startsWith(date)))[metric];
      if (want !== undefined) assert.equal(value, want, `${metric} ${date}`);
    }
  }
  const nps = course.metrics.find((m) => m.metric === "NPS").points;
  assert.deepEqual([nps[0].value, nps[1].value], [39.75, null]);
});

test("insights stand by severity with their evidence, decisions and actions as they were agreed on", async () => {
  const { json } = await read();
  assert.deepEqual(json.insights.map((i) => i.severity), ["Critical", "High", "Low"]);
  assert.deepEqual(json.insight_counts, { Critical: 1, High: 1, Medium: 0, Low: 1 });
  assert.deepEqual(json.insights[1].evidence, { figure: "CTR", clicks: 1234567, p_value: 0.00012 });
  assert.equal(json.decisions, "Move 20 % of the display budget.\nKeep the creative.");
  assert.deepEqual(json.actions.map((a) => [a.title, a.due_date, a.status, a.carried, a.moved_to]), [["Move budget to Search", "2024-07-01", "Open", 0, null]]);
  assert.deepEqual([json.draft, json.approval, json.carried_over], [true, null, []]);
});

test("the form is what the client asks for, and JSON otherwise", async () => {
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
  for (const [accept, type] of [["*/*", "application/json"], [browser, "text/html; charset=utf-8"], ["application/pdf", "application/pdf"],
    ["application/json", "application/json"], ["text/html;q=0.4, application/pdf;q=0.5", "application/pdf"], ["text/*", "text/html; charset=utf-8"],
    ["image/png", "application/json"], ["text/html;q=0, */*;q=0.1", "application/json"], [";;,q=,/,text/html;q=x", "application/json"],
    ["*/*;q=0.1, APPLICATION/PDF", "application/pdf"]]) {
    const answer = await read(admin, "", { accept });
    assert.deepEqual([answer.status, answer.headers.get("content-type")], [200, type], accept);
    assert.match(answer.headers.get("vary"), /Accept(,|$)/);
  }
  for (const [format, type] of [["json", "application/json"], ["html", "text/html; charset=utf-8"], ["pdf", "application/pdf"]]) {
    const answer = await read(admin, `?format=${format}`, { accept: "image/png" });
    assert.equal(answer.headers.get("content-type"), type);
    assert.equal(answer.headers.get("content-disposition"), `inline; filename="retrospective-${retro.id}.${format}"`);
  }
  const bad = await read(admin, "?format=docx");
  assert.deepEqual([bad.status, Object.keys(bad.json.details)], [400, ["format"]]);
});

test("who may read the retrospective may read its report, and nobody else", async () => {
  assert.equal((await read(null)).status, 401);
  assert.equal((await read(other)).status, 404);
  assert.equal((await read(employee.auth)).status, (await server.request("GET", `/api/retrospectives/${retro.id}`, { auth: employee.auth })).status);
  for (const id of ["999999", "0", "x", "1%20OR%201"]) {
    assert.equal((await read(admin, "?format=pdf", {}, id)).status, 404, id);
  }
});

test("the page needs nothing beside it, and texts stay texts", async () => {
  const answer = await read(admin, "?format=html");
  assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/);
  assert.doesNotMatch(answer.text, /<script|<link|src=|url\(|@import/);
  assert.ok(answer.text.includes("Summer &lt;script&gt;alert(1)&lt;/script&gt; &amp; שלום"));
});

// A number as the renderings show it; null where the JSON has none.
function shown({ value, unit }) {
  if (value === null) return "–";
  const digits = (least, most) => new Intl.NumberFormat("en", { minimumFractionDigits: least, maximumFractionDigits: most })
    .format(Math.abs(value) * (unit === "ratio" ? 100 : 1));
  const sign = value < 0 ? "−" : "";
  if (unit === "ratio") return `${sign}${Math.abs(value) * 100 < 0.1 ? digits(2, 4) : digits(2, 2)} %`;
  if (unit === "factor") return sign + digits(2, Math.abs(value) < 1 ? 4 : 2);
  if (unit === "count" || unit === "number") return sign + digits(0, 6);
  return sign + digits(2, 4);
}

async function pdfText(name, file, ...options) {
  await writeFile(join(folder, name), file);
  const { stdout } = await run("pdftotext", [...options, join(folder, name), "-"], { maxBuffer: 1 << 26 });
  return stdout.replaceAll("\u00a0", " ");
}

test("the PDF holds every figure as text, bookmarks, language and title", async () => {
  const { json } = await read();
  const file = await bytes("?format=pdf");
  const text = await pdfText("report.pdf", file, "-layout");
  for (const k of json.kpis) assert.ok(text.includes(shown(k)), `${k.metric} ${shown(k)}`);
  for (const axis of ["channels", "sources"]) {
    for (const slice of json[axis].slices) for (const f of slice.figures) assert.ok(text.includes(shown(f)), `${slice.name} ${f.metric} ${shown(f)}`);
  }
  for (const m of json.course.metrics) for (const p of m.points) assert.ok(text.includes(shown({ ...p, unit: m.unit })), `${m.metric} ${p.date}`);
  for (const words of ["Move 20 % of the display budget.", "Keep the creative.", "Scale Search", "1,234,567", "1 July 2024", "Spring sale", "<script>alert(1)</script>"]) {
    assert.ok(text.includes(words), words);
  }
  const { stdout: facts } = await run("pdfinfo", [join(folder, "report.pdf")]);
  for (const line of [/^Title: +Summer <script>alert\(1\)<\/script> & שלום: retrospective report$/m, /^Tagged: +yes$/m, /^PDF version: +1\.7$/m,
    /^Page size: .*A4/m, /^JavaScript: +no$/m]) assert.match(facts, line);
  assert.match(file.toString("latin1"), /\/Lang \(en\)/);
  const { stdout: structure } = await run("pdfinfo", ["-struct-text", join(folder, "report.pdf")], { maxBuffer: 1 << 26 });
  for (const part of ["H1", "H2", "Table", "TH", "TD"]) assert.ok(structure.includes(part), part);
  const titles = [...structure.matchAll(/H2 \(block\)\s+"([^"]*)"/g)].map((m) => m[1].trim());
  assert.deepEqual(titles, ["Figures against targets and earlier campaigns", "Insights", "Decisions", "Actions", "Channels", "Sources", "Course over time", "About these figures"]);
  assert.equal((file.toString("latin1").match(/\/Title/g) ?? []).length > titles.length, true, "a bookmark for each");
});

test("a retrospective without any values has a report too", async () => {
  const made = await server.request("POST", "/api/retrospectives/", { auth: admin, json: { task_id: 700, scheduled_time: "2024-06-15T10:00:00Z" } });
  const { json } = await read(admin, "", {}, made.json.id);
  assert.deepEqual([json.kpis, json.channels.slices, json.course.metrics, json.period.values], [[], [], [], 0]);
  assert.match((await read(admin, "?format=html", {}, made.json.id)).text, /No values were recorded/);
  const answer = await fetch(`${server.url}${path(made.json.id)}?format=pdf`, { headers: { authorization: admin } });
  assert.match(await pdfText("empty.pdf", Buffer.from(await answer.arrayBuffer())), /No values were recorded/);
});

// The last one: it ends the retrospective.
test("an approved report is kept: nothing that comes later changes it", async () => {
  const draft = (await read()).json;
  const tag = (await read()).headers.get("etag");
  assert.equal((await read(admin, "", { "if-none-match": tag })).status, 304, "a draft of the same figures is the same");
  const approved = await server.request("PATCH", `${path()}/approve`, { auth: admin, json: { approval_notes: "Well done" } });
  assert.equal(approved.status, 200, approved.text);
  const first = await read();
  const { approval } = first.json;
  assert.deepEqual([first.json.draft, first.json.retrospective.status, approval.notes, approval.approved_by.name], [false, "Reported", "Well done", "admin0"]);
  assert.equal(approval.approved_at, approved.json.approved_at);
  assert.deepEqual(first.json.kpis, draft.kpis);
  const [html, pdf] = [await bytes("?format=html"), await bytes("?format=pdf")];
  assert.match(await pdfText("approved.pdf", pdf), /Approved by admin0 on/);

  await sendValues(server, admin, 123, [{ metric: "Clicks", value: 999999, channel: "Late", recorded_at: "2024-06-14T20:00:00Z" }]);
  await server.request("PATCH", "/api/campaigns/123", { auth: admin, json: { name: "Another name" } });
  await server.request("POST", `/api/retrospectives/${retro.id}/insights/`, { auth: admin, json: { type: "Late", summary: "Late", severity: "Low", generated_by: "x" } });
  const again = await read();
  assert.equal(again.text, first.text);
  assert.ok(html.equals(await bytes("?format=html")) && pdf.equals(await bytes("?format=pdf")), "the same bytes each time");
  assert.equal((await read(admin, "", { "if-none-match": first.headers.get("etag") })).status, 304);
  const repeated = await server.request("PATCH", `${path()}/approve`, { auth: admin, json: {} });
  assert.equal(repeated.status, 200);
  assert.equal((await read()).text, first.text, "approving again keeps the first");
});

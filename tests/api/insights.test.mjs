// The rules over HTTP: from campaign values to insights with their numbers, the company's changes of rules, and what an analyst finds in
// real advertisements. The real file is no part of the project; without it its test is skipped.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startCompanies } from "./support/company.mjs";

let server, admin, other;
before(async () => {
  server = await startCompanies(["North", "South"]);
  [admin, other] = server.admins;
});
after(() => server.stop());

async function send(method, path, json, status, auth = admin) {
  const answer = await server.request(method, path, { auth, json });
  assert.equal(answer.status, status, answer.text.slice(0, 1000));
  return answer.json;
}
async function submit(campaign, values) {
  for (let i = 0; i < values.length; i += 1000) await send("POST", `/api/kpis/campaigns/${campaign}`, values.slice(i, i + 1000), 201);
}
async function generate(campaign, more = {}) {
  const retro = await send("POST", "/api/retrospectives/", { task_id: campaign, scheduled_time: "2030-01-01T10:00:00Z", ...more }, 201);
  return { retro, insights: await send("POST", `/api/retrospectives/${retro.id}/insights/?generate=true`, {}, 201) };
}
const dayOf = (day) => new Date(Date.UTC(2024, 4, 1 + day, 9)).toISOString();
// A small generator with a seed: the same figures in every run.
function noise(seed) {
  let state = seed;
  return () => ((state = (state * 1664525 + 1013904223) % 4294967296), state / 4294967296);
}

// Four creatives over three weeks that vary by a tenth from day to day; rates multiplies a creative's clicks.
function figures(rates, seed) {
  const random = noise(seed);
  return ["A", "B", "C", "D"].flatMap((creative, k) => Array.from({ length: 21 }, (_, day) => {
    const impressions = Math.round(8000 * (0.8 + 0.4 * random()));
    const of = { recorded_at: dayOf(day), source: "Facebook", channel: "Paid Social", creative };
    return [
      { metric: "Impressions", value: impressions, ...of },
      { metric: "Clicks", value: Math.round(impressions * 0.022 * (rates[k] ?? 1) * (0.9 + 0.2 * random())), ...of },
    ];
  }).flat());
}

test("a worse creative is found once, with its numbers", async () => {
  await submit(1, figures([0.7], 1));
  const { retro, insights } = await generate(1);
  assert.equal(insights.length, 1, JSON.stringify(insights));
  const [found] = insights;
  assert.deepEqual([found.type, found.generated_by, found.retrospective_task_id], ["Underperforming Creative", "ai_rule_001", retro.id]);
  assert.match(found.summary, /^Creative A shows (2[5-9]|3[0-4]) % lower CTR than its peers: 1\.\d+ % against 2\.\d+ %, 1\d\d,\d{3} impressions, p < 0\.001\.$/);
  const { evidence } = found;
  assert.equal(evidence.member, "A");
  assert.ok(evidence.corrected_p_value < 0.001 && evidence.p_value <= evidence.corrected_p_value && evidence.interval_95[1] < -0.2);
  assert.equal(evidence.value, Number((evidence.count / evidence.exposure).toPrecision(6)));
  assert.equal((await send("GET", `/api/retrospectives/${retro.id}`, undefined, 200)).status, "In Progress");
  // What is there is not told again; what has changed is.
  assert.deepEqual(await send("POST", `/api/retrospectives/${retro.id}/insights/?generate=true`, {}, 201), []);
  await submit(1, [{ metric: "clicks", value: 1, recorded_at: dayOf(0), source: "Facebook", channel: "Paid Social", creative: "A" }]);
  assert.equal((await send("POST", `/api/retrospectives/${retro.id}/insights/?generate=true`, {}, 201)).length, 1);
  assert.equal((await send("GET", `/api/retrospectives/${retro.id}/insights/`, undefined, 200)).length, 2);
});

test("noise and an empty campaign are left alone", async () => {
  await submit(2, figures([], 2));
  assert.deepEqual((await generate(2)).insights, []);
  assert.deepEqual((await generate(3)).insights, []);
});

test("a campaign is compared with the earlier ones of its team, and of no other company", async () => {
  for (const [campaign, factor, month] of [[11, 1, 1], [12, 1.05, 2], [13, 0.95, 3], [14, 0.4, 4]]) {
    const values = figures([factor, factor, factor, factor], campaign).map((v) => ({ ...v, recorded_at: v.recorded_at.replace("-05-", `-0${month}-`) }));
    await submit(campaign, values);
    await send("PATCH", `/api/campaigns/${campaign}`, { team_id: 5 }, 200);
  }
  const { insights } = await generate(14, { team_id: 5 });
  assert.deepEqual(insights.map((i) => i.type), ["Low CTR"], JSON.stringify(insights));
  assert.match(insights[0].summary, /^CTR is (5\d|6\d) % lower than in the team's earlier campaigns/);
  assert.deepEqual((await generate(11, { team_id: 5 })).insights, []);
});

test("the document's own values: an ROI of 2.45 is fine, one of 0.6 is not", async () => {
  await submit(21, [{ metric: "ROI", value: 2.45, source: "Facebook", channel: "Paid Social" }, { metric: "CTR", value: 0.023, source: "Google", channel: "Search" }]);
  assert.deepEqual((await generate(21)).insights, []);
  await submit(22, [{ metric: "ROI", value: 0.6, source: "Facebook", channel: "Paid Social" }]);
  const { insights } = await generate(22);
  assert.deepEqual(insights.map((i) => [i.type, i.severity]), [["ROI Below 1", "High"]]);
});

test("a company changes and switches off rules; what does not fit is told by its name", async () => {
  await send("PUT", "/api/retrospectives/settings", { rules: { ai_rule_050: { enabled: false } } }, 200);
  await submit(31, [{ metric: "ROI", value: 0.5 }]);
  assert.deepEqual((await generate(31)).insights, []);
  await send("PUT", "/api/retrospectives/settings", { rules: {} }, 200);
  assert.equal((await generate(31)).insights.length, 1);
  const refused = await send("PUT", "/api/retrospectives/settings", { rules: { ai_rule_001: { minimum_effect: "a lot" }, ai_rule_777: {} } }, 400);
  assert.deepEqual(Object.keys(refused.details).sort(), ["rules.ai_rule_001.minimum_effect", "rules.ai_rule_777"]);
  const { insights } = await (async () => {
    const retro = await send("POST", "/api/retrospectives/", { task_id: 1, scheduled_time: "2030-01-01T10:00:00Z" }, 201, other);
    return { insights: await send("POST", `/api/retrospectives/${retro.id}/insights/?generate=true`, {}, 201, other) };
  })();
  assert.deepEqual(insights, []);
});

const shared = process.env.SEXTANT_SHARED ? join(process.env.SEXTANT_SHARED, "data", "real", "kag_fb_ad_campaigns.csv") : null;
const skip = shared && existsSync(shared) ? false : "SEXTANT_SHARED has no data/real/kag_fb_ad_campaigns.csv";

test("real advertisements: what a careful analyst finds, and no more", { skip }, async () => {
  const ads = (await readFile(shared, "utf8")).trim().split(/\r?\n/).slice(1).map((line) => line.split(","));
  const values = ads.flatMap(([ad, , , age, gender, interest, impressions, clicks, spent, conversions]) => {
    const of = { recorded_at: "2017-08-30T12:00:00Z", source: "Facebook", creative: ad, dimensions: { age, gender, interest } };
    return [["Impressions", impressions], ["Clicks", clicks], ["Spent", spent], ["Conversions", conversions]]
      .map(([metric, value]) => ({ metric, value: Number(Number(value).toFixed(6)), ...of }));
  });
  await submit(1178, values);
  const { insights } = await generate(1178);
  const found = insights.map((i) => `${i.evidence.figure} ${i.evidence.dimension} ${i.evidence.member}`);
  // docs/insights.md has the analysis: quasi-Poisson models of each figure with the other two dimensions held equal.
  const expected = ["cpa age 45-49", "cpa age 40-44", "cpa gender F", "cpa interest 18", "conversion_rate age 45-49", "conversion_rate age 40-44",
    "conversion_rate gender F", "conversion_rate interest 18", "cpc gender M", "ctr gender M", "ctr age 30-34", "ctr interest 113",
    "ctr interest 102", "ctr interest 108"];
  for (const finding of expected) assert.ok(found.includes(finding), `${finding} is not found: ${found.join("; ")}`);
  // What the same models call significant at 5 % of false discoveries, and may be told; anything else of age, gender and interest is noise.
  const allowed = [...expected, "cpa interest 28", "cpa interest 32", "cpa interest 63", "conversion_rate interest 28", "conversion_rate interest 63",
    ...[16, 107, 112, 110, 105, 114, 100].map((i) => `ctr interest ${i}`)];
  for (const finding of found.filter((f) => !f.includes(" creative "))) assert.ok(allowed.includes(finding), `${finding} is noise`);
  // Of 625 advertisements hardly one stands out from how advertisements vary.
  assert.ok(found.filter((f) => f.includes(" creative ")).length <= 5);
  const effect = (name) => insights.find((i) => `${i.evidence.figure} ${i.evidence.dimension} ${i.evidence.member}` === name).evidence.effect;
  for (const [name, model] of [["cpa age 45-49", 0.92], ["cpa gender F", 0.44], ["conversion_rate gender F", -0.4], ["ctr gender M", -0.3], ["cpc gender M", 0.17]])
    assert.ok(Math.abs(effect(name) - model) < 0.03, `${name}: ${effect(name)} beside ${model}`);
});

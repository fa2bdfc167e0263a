// A campaign with figures worth a report: what was sent, for a test that works the report out by itself.
const CHANNELS = { "Paid Social": ["Facebook", "Instagram"], Search: ["Google", "Bing"], "Display & video": ["Google"], "قناة": ["Facebook"] };

// Values of `days` days: counts and exact amounts for each channel and source, and some entered figures.
export function campaignValues(firstDay, days, factor = 1) {
  const values = [];
  let k = 0;
  for (let day = 0; day < days; day++) {
    const recorded_at = new Date(Date.parse(`${firstDay}T09:00:00Z`) + day * 86_400_000).toISOString().replace(".000", "");
    for (const [channel, sources] of Object.entries(CHANNELS)) {
      for (const source of sources) {
        k++;
        const Impressions = 4000 + ((k * 37) % 900) + day * 50;
        const Clicks = Math.round(Impressions * (channel === "Search" ? 0.041 : 0.019) * factor) + (k % 5);
        const Conversions = Math.round(Clicks * 0.06);
        const cents = { Spend: Clicks * (channel === "Search" ? 62 : 38) + (k % 7), Revenue: Conversions * 3149 };
        for (const [metric, value] of Object.entries({ Impressions, Clicks, Conversions })) values.push({ metric, value, channel, source, recorded_at });
        for (const [metric, value] of Object.entries(cents)) values.push({ metric, value: value / 100, channel, source, recorded_at });
      }
    }
  }
  values.push({ metric: "NPS", value: 41.5, channel: "Survey", recorded_at: `${firstDay}T10:00:00Z` });
  values.push({ metric: "NPS", value: 38, channel: "Survey", recorded_at: `${firstDay}T11:00:00Z` });
  values.push({ metric: "CTR", value: 0.03, channel: "Newsletter", recorded_at: `${firstDay}T10:00:00Z` });
  return values;
}

async function must(promise, status) {
  const answer = await promise;
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${answer.text}`);
  return answer.json;
}

export async function sendValues(server, auth, campaign, values) {
  for (let i = 0; i < values.length; i += 1000) {
    await must(server.request("POST", `/api/kpis/campaigns/${campaign}`, { auth, json: values.slice(i, i + 1000) }), 201);
  }
}

// Two earlier campaigns of the team, one to report on with targets, insights, decisions and actions. Answers the retrospective.
export async function reportedCampaign(server, auth, { name = "Summer sale", campaign = 123, team = 789 } = {}) {
  const earlier = [campaign - 2, campaign - 1];
  const values = campaignValues("2024-06-01", 14);
  await sendValues(server, auth, earlier[0], campaignValues("2024-04-01", 14, 0.8));
  await sendValues(server, auth, earlier[1], campaignValues("2024-05-01", 14, 0.9));
  await sendValues(server, auth, campaign, values);
  const change = (id, json) => must(server.request("PATCH", `/api/campaigns/${id}`, { auth, json }), 200);
  await change(earlier[0], { name: "Easter", team_id: team, start_date: "2024-04-01", end_date: "2024-04-14" });
  await change(earlier[1], { name: "Spring sale", team_id: team, start_date: "2024-05-01", end_date: "2024-05-14" });
  await change(campaign, { name, team_id: team, start_date: "2024-06-01", end_date: "2024-06-14", budget: "5000.00",
    description: "Two weeks of summer offers", targets: { ctr: 0.025, Spend: 5000, ROAS: 3.5, Conversions: 900 } });
  const post = (path, json) => must(server.request("POST", `/api/retrospectives/${path}`, { auth, json }), 201);
  const retro = await post("", { task_id: campaign, scheduled_time: "2024-06-15T10:00:00Z", team_id: team });
  const insight = await post(`${retro.id}/insights/`, { type: "Underperforming Channel", severity: "High",
    summary: "Display has a CTR of 1.95 % against 4.12 % of search.", action_suggestion: "Scale Search", generated_by: "ctr_by_channel",
    evidence: { figure: "CTR", clicks: 1234567, p_value: 0.00012 } });
  await post(`${retro.id}/insights/`, { type: "Budget", severity: "Low", summary: "The budget was nearly spent.", generated_by: "analyst" });
  await post(`${retro.id}/insights/`, { type: "Tracking", severity: "Critical", summary: "Two days lack conversions.", generated_by: "analyst" });
  await post(`${retro.id}/actions/`, { title: "Move budget to Search", insight_id: insight.id, due_date: "2024-07-01" });
  await must(server.request("PUT", `/api/retrospectives/${retro.id}`, { auth,
    json: { decisions: "Move 20 % of the display budget.\nKeep the creative.", notes: "Attended by all." } }), 200);
  return { ...retro, values, earlier };
}

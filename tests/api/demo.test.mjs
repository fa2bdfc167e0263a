// The demo company: the documents' own examples run on it as they are printed, and its figures are those of its source.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { basic, logIn, newStore, startServer } from "./support/server.mjs";

const run = promisify(execFile);
const ROOT = new URL("../../", import.meta.url);
const ADMIN = basic("admin", "admin123");

const readCsv = async (name) => {
  const [head, ...lines] = (await readFile(new URL(`demo/${name}`, ROOT), "utf8")).trim().split("\n").map((line) => line.split(","));
  return lines.map((line) => Object.fromEntries(head.map((column, i) => [column, line[i]])));
};

// Sums of decimal texts with at most two decimals, as pennies.
const pennies = (text) => BigInt(Math.round(Number(text) * 100));

async function curlExamples() {
  const text = await readFile(new URL("tests/contracts/kpi-assignments.curl", ROOT), "utf8");
  return [...text.matchAll(/^# (\d{3}): (.*)\n(curl [^]*?)(?=\n\n|\n*$(?![^]))/gm)]
    .map(([, status, title, example]) => ({ status: Number(status), title, example }));
}

describe("a fresh demo company", () => {
  let server;
  before(async () => { server = await startServer({ args: ["--demo"] }); });
  after(() => server?.stop());

  it("answers the cURL examples of kpi-assignments as they are printed", async () => {
    const examples = await curlExamples();
    assert.equal(examples.length, 9);
    for (const { status, title, example } of examples) {
      const here = example.replaceAll("http://localhost:8080", server.url);
      const { stdout } = await run("bash", ["-c", `${here} -s -w '\\n%{http_code}'`]);
      const [body, code] = [stdout.slice(0, stdout.lastIndexOf("\n")), Number(stdout.slice(stdout.lastIndexOf("\n") + 1))];
      assert.equal(code, status, `${title}: ${code} ${body}`);
      if (status !== 204) JSON.parse(body);
    }
  });

  it("answers the examples of kpi-management", async () => {
    const auth = await logIn(server, "manager", "manager123");
    const send = async (status, method, path, json, who = auth) => {
      const answer = await server.request(method, path, { auth: who, json });
      assert.equal(answer.status, status, `${method} ${path}: ${answer.status} ${answer.text}`);
      return answer.json;
    };
    const kpi = await send(201, "POST", "/api/kpis", {
      name: "Quarterly Sales Target", description: "Track quarterly sales performance", type: "CURRENCY",
      thresholds: { min_value: 0, max_value: 1000000, target_value: 500000, warning_threshold: 0.8, critical_threshold: 0.6 },
      time_config: { start_date: "2024-01-01T00:00:00", end_date: "2024-03-31T23:59:59" },
    });
    const changed = await send(200, "PUT", `/api/kpis/${kpi.id}`, { thresholds: { target_value: 600000 } });
    assert.equal(changed.thresholds.target_value, 600000);
    assert.equal(changed.thresholds.max_value, 1000000, "what the body leaves out stays");
    const assignment = await send(201, "POST", `/api/kpis/${kpi.id}/assignments`, {
      type: "TEAM", target_id: "sales_team_1", role: "OWNER",
      permissions: { can_view: true, can_edit: true, can_assign: true },
      notifications: { preference: "DAILY", threshold_alerts: true },
    });
    const update = await send(200, "PUT", `/api/kpis/${kpi.id}/assignments/${assignment.id}`,
      { role: "CONTRIBUTOR", permissions: { can_edit: false } });
    assert.deepEqual([update.role, update.permissions.can_edit, update.permissions.can_assign], ["CONTRIBUTOR", false, true]);
    assert.equal((await send(200, "GET", `/api/kpis/${kpi.id}/assignments`)).total, 1);
    const ofTeam = await send(200, "GET", "/api/kpis?type=CURRENCY&status=active&team_id=sales_team_1");
    assert.equal(ofTeam.total, 4, "net and gross revenue of the United Kingdom and Ireland");
    const page = await send(200, "GET", "/api/kpis?skip=0&limit=10");
    assert.deepEqual([page.items.length, page.total, page.page, page.pages], [10, 56, 1, 6]);
    await send(200, "GET", "/api/kpis?sort_by=created_at&ascending=false");
    assert.equal((await send(200, "GET", "/api/kpis/kpi-001/analytics")).target !== undefined, true);
    const ahead = await send(200, "GET", "/api/kpis/kpi-001/predictions?horizon=30");
    assert.equal(ahead.predictions.length, 30);
    await send(201, "POST", "/api/webhooks", {
      url: "https://your-domain.com/webhook", events: ["kpi.created", "kpi.updated", "threshold.breached"], secret: "your_webhook_secret",
    }, ADMIN);
    await send(204, "DELETE", `/api/kpis/${kpi.id}`);
  });

  it("shows an employee the own assignments and nobody else's", async () => {
    const auth = basic("employee", "employee123");
    const path = "/api/v1/kpi-management/assignments";
    const own = await server.request("GET", `${path}/employee/emp-001`, { auth });
    assert.equal(own.status, 200);
    assert.deepEqual(own.json.map((a) => a.kpiDefinitionId).sort(), ["kpi-006", "kpi-009", "kpi-010"]);
    assert.equal((await server.request("GET", `${path}/employee/emp-002`, { auth })).status, 403);
    assert.equal((await server.request("GET", path, { auth })).status, 403);
  });

  it("has the figures of its source, to the penny", async () => {
    const expected = {};
    for (const { kpi, date, value } of await readCsv("values.csv")) {
      if (kpi !== "kpi-001") continue;
      const month = date.slice(0, 7);
      expected[month] = (expected[month] ?? 0n) + pennies(value);
    }
    const answer = await server.request("GET", "/api/kpis/kpi-001/values?interval=month&from=2010-12-01&to=2011-12-31", { auth: ADMIN });
    assert.equal(answer.status, 200, answer.text);
    const months = answer.json.items.filter((item) => item.value !== null);
    assert.deepEqual(months.map((item) => pennies(item.value)), Object.values(expected));
  });

  it("has everyone and everything the files name", async () => {
    const count = async (path, pick) => pick((await server.request("GET", path, { auth: ADMIN })).json);
    assert.equal(await count("/api/kpis?limit=1", (list) => list.total), (await readCsv("kpis.csv")).length);
    assert.equal(await count("/api/auth/users/", (list) => list.count), (await readCsv("people.csv")).length);
  });
});

describe("a demo company with --demo-shift", () => {
  it("ends today, which is the day at the company's place", async () => {
    const today = () => new Intl.DateTimeFormat("en-CA", { timeZone: "Europe/London" }).format(new Date());
    const before = today();
    const server = await startServer({ args: ["--demo", "--demo-shift"] });
    try {
      const { json } = await server.request("GET", "/api/kpis/kpi-001/values?interval=day", { auth: ADMIN });
      const last = json.items.at(-1).date;
      assert.ok([before, today()].includes(last), last);
    } finally {
      await server.stop();
    }
  });
});

describe("starting the demo again", () => {
  it("changes nothing", async () => {
    const store = await newStore();
    try {
      const totals = [];
      for (let start = 0; start < 2; start++) {
        const server = await startServer({ store, args: ["--demo"] });
        const list = await server.request("GET", "/api/kpis?limit=1", { auth: ADMIN });
        totals.push(list.json.total);
        if (start === 0) assert.equal((await server.request("DELETE", "/api/kpis/kpi-055", { auth: ADMIN })).status, 204);
        await server.stop();
      }
      assert.deepEqual(totals, [55, 54], "what was deleted is not loaded again");
    } finally {
      await store.remove();
    }
  });
});

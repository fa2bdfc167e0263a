// The demo company: the documents' own examples run on it as they are printed, and its figures are those of its source.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { basic, newStore, startServer } from "./support/server.mjs";

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
});

describe("a demo company with --demo-shift", () => {
  it("ends today", async () => {
    const server = await startServer({ args: ["--demo", "--demo-shift"] });
    try {
      const answer = await server.request("GET", "/api/kpis/kpi-001/values?interval=raw&from=2020-01-01", { auth: ADMIN });
      const last = answer.json.items.map((item) => item.date ?? item.at ?? item.timestamp).sort().at(-1);
      const today = new Date().toISOString().slice(0, 10);
      assert.equal(last.slice(0, 10), today);
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

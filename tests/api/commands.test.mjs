// The commands around the server: what an operator relies on when something has to be moved, looked at or put back.
import assert from "node:assert/strict";
import { mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { command, logIn, newStore, onPostgres, startServer } from "./support/server.mjs";

let store;

const ran = async (args, options) => {
  const done = await command(args, options);
  assert.equal(done.code, 0, `${args.join(" ")}\n${done.stderr}`);
  return done.stdout;
};
const refused = async (args, code, text) => {
  const done = await command(args);
  assert.equal(done.code, code, done.stdout + done.stderr);
  assert.match(done.stderr, text);
};

before(async () => {
  store = await newStore();
  const demo = await startServer({ store, args: ["--demo"] });
  await demo.stop();
});

after(() => store?.remove());

test("the secret file and the data directory are the owner's alone", async () => {
  assert.equal((await stat(join(store.directory, "secret.key"))).mode & 0o777, 0o600);
  if (!onPostgres) assert.equal((await stat(join(store.directory, "sextant.db"))).mode & 0o077, 0);
});

test("migrate, check and recalculate say what they found", async () => {
  assert.match(await ran(["migrate", ...store.args]), /^schema version \d+$/m);
  assert.match(await ran(["check", ...store.args]), /sound/);
  assert.match(await ran(["recalculate", ...store.args]), /^55 KPIs looked at, 0 days were wrong$/m);
});

test("options come from the environment too, and the command line wins", async () => {
  const env = { SEXTANT_DATA: store.directory, ...(onPostgres ? { SEXTANT_DATABASE: store.args[3] } : {}) };
  assert.match(await ran(["check"], { env }), /sound/);
  const elsewhere = join(store.directory, "elsewhere");
  assert.match(await ran(["check", "--data", elsewhere, ...(onPostgres ? ["--database", store.args[3]] : [])], { env }), /sound/);
  await stat(elsewhere);
  assert.equal((await command(["serve"], { env: { SEXTANT_NO_RATE_LIMIT: "perhaps" } })).code, 2);
});

test("a backup opens elsewhere with the same people; a broken one is not put in place", { skip: onPostgres && "PostgreSQL has its own tools" }, async () => {
  const copy = join(store.directory, "copy.db");
  await ran(["backup", copy, ...store.args]);
  const target = join(store.directory, "restored");
  await ran(["restore", copy, "--data", target]);
  await refused(["restore", copy, "--data", target], 1, /--force/);
  const server = await startServer({ store: { args: ["--data", target] } });
  assert.ok(await logIn(server, "admin", "admin123"));
  await refused(["restore", copy, "--force", "--data", target], 1, /server is running/);
  await refused(["recalculate", "--data", target], 1, /server is running/);
  await server.stop();

  const before = await readFile(join(target, "sextant.db"));
  await truncate(copy, before.length - 8192 * 2);
  await writeFile(join(store.directory, "text.db"), "no database");
  for (const broken of [copy, join(store.directory, "text.db"), join(store.directory, "absent.db")]) {
    await refused(["restore", broken, "--force", "--data", target], 1, /is no sound database|cannot be read: No such file/);
  }
  assert.deepEqual(await readFile(join(target, "sextant.db")), before);
  assert.match(await ran(["check", "--data", target]), /sound/);
});

test("PostgreSQL is backed up by its own tools, and backup says so", { skip: !onPostgres && "SQLite has a backup of its own" }, async () => {
  await refused(["backup", join(store.directory, "x"), ...store.args], 1, /pg_dump/);
  await refused(["restore", join(store.directory, "x"), ...store.args], 2, /pg_restore/);
});

test("import records a file's values, all or none", async () => {
  const file = join(store.directory, "values.csv");
  const args = ["import", file, "--company", "demo retail ltd", "--kpi", "kpi-001", ...store.args];
  await writeFile(file, "date,value\n2012-01-02,100.50\n2012-01-03,200\n");
  assert.match(await ran(args), /^2 values of kpi-001 recorded$/m);
  await writeFile(file, "date,value\n2012-01-04,1\n2012-02-30,2\n2012-01-05,x\n");
  await refused(args, 1, /line 3[^]*line 4/);
  await refused([...args.slice(0, 3), "nobody", ...args.slice(4)], 1, /no company nobody/);
  await refused(["import", file, ...store.args], 2, /--company and --kpi/);
  const server = await startServer({ store });
  try {
    const auth = await logIn(server, "admin", "admin123");
    const { json } = await server.request("GET", "/api/kpis/kpi-001/values?from=2012-01-01&interval=day", { auth });
    const text = JSON.stringify(json);
    assert.match(text, /100\.50?/);
    assert.equal(text.includes("2012-01-04"), false);
  } finally {
    await server.stop();
  }
});

test("a directory that cannot be used is named", async () => {
  const file = join(store.directory, "a-file");
  await writeFile(file, "");
  await refused(["check", "--data", join(file, "below")], 1, /a-file/);
  await refused(["check", "--database", "postgres://nobody:hidden@127.0.0.1:1/none", "--data", join(store.directory, "pg")], 1, /^(?![^]*hidden)/);
  await mkdir(join(store.directory, "secret"), { recursive: true });
  await writeFile(join(store.directory, "secret", "secret.key"), "broken");
  const args = onPostgres ? ["--data", join(store.directory, "secret"), "--database", store.args[3]] : ["--data", join(store.directory, "secret")];
  await refused(["serve", ...args, "--listen", "127.0.0.1:0"], 1, /secret\.key is not a secret file/);
});

test("openapi prints the document and forecast needs no database", async () => {
  assert.equal(JSON.parse(await ran(["openapi"])).openapi.slice(0, 3), "3.1");
  const file = join(store.directory, "series.csv");
  await writeFile(file, `a,12,${Array.from({ length: 36 }, (_, i) => 10 + (i % 12)).join(",")}\n`);
  assert.equal((await ran(["forecast", file, "--horizon", "3"])).trim().split("\n").length, 3);
});

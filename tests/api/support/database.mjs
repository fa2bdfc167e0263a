// Looks into a server's store from outside, with the databases' own command-line programs: what the server says is one thing, what it
// has written another.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { onPostgres } from "./server.mjs";
import { until } from "./until.mjs";

const run = promisify(execFile);
const MAX_BUFFER = 256 << 20;

// The rows of a SELECT as objects. Numbers beyond 2^53 must be selected as text.
export async function rows(store, sql) {
  if (onPostgres) {
    const url = store.args[store.args.indexOf("--database") + 1];
    const wrapped = `SELECT COALESCE(json_agg(r), '[]') FROM (${sql}) r`;
    const { stdout } = await run("psql", ["-X", "-q", "-A", "-t", "-d", url, "-c", wrapped], { maxBuffer: MAX_BUFFER });
    return JSON.parse(stdout);
  }
  const file = join(store.directory, "sextant.db");
  const { stdout } = await run("sqlite3", ["-readonly", "-json", "-cmd", ".timeout 60000", file, sql], { maxBuffer: MAX_BUFFER });
  return stdout.trim() ? JSON.parse(stdout) : [];
}

// Changes a row from outside: for states that only failures of days would bring about.
export async function change(store, sql) {
  if (onPostgres) await run("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", store.args[store.args.indexOf("--database") + 1], "-c", sql]);
  else await run("sqlite3", ["-bail", "-cmd", ".timeout 60000", join(store.directory, "sextant.db"), sql]);
}

// A killed server's transactions end when their backends notice; until then they may still commit.
export async function settled(store) {
  if (!onPostgres) return;
  const others = "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
  await until(async () => (await rows(store, others))[0].n === 0);
}

// Names of the tables that the migrations made.
export async function tables(store) {
  const sql = onPostgres
    ? "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    : "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_index%'";
  return (await rows(store, sql)).map((row) => row.name).sort();
}

// Starts the real binary for a test and talks to it. Every server has its own data directory and, on PostgreSQL, its own database;
// it listens on a port of the system's choice and is stopped with SIGTERM, whose exit code is looked at.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const BINARY = process.env.SEXTANT_BIN ?? new URL("../../../build-test/sextant", import.meta.url).pathname;
const DATABASE = process.env.SEXTANT_TEST_DATABASE ?? "sqlite";
const START_TIMEOUT_MS = 120_000;

export const onPostgres = DATABASE !== "sqlite";

async function newPostgresDatabase() {
  const name = `test_${randomBytes(8).toString("hex")}`;
  await run("psql", ["-X", "-q", "-d", DATABASE, "-c", `CREATE DATABASE ${name}`]);
  const url = new URL(DATABASE);
  url.pathname = `/${name}`;
  return { name, url: url.href };
}

// The place of one server's data; several servers may share it (nodes of one installation, a restart).
export async function newStore() {
  const directory = await mkdtemp(join(tmpdir(), "sextant-store-"));
  const database = onPostgres ? await newPostgresDatabase() : null;
  return {
    directory,
    args: ["--data", directory, ...(database ? ["--database", database.url] : [])],
    async remove() {
      if (database) await run("psql", ["-X", "-q", "-d", DATABASE, "-c", `DROP DATABASE IF EXISTS ${database.name} WITH (FORCE)`]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

// sextant COMMAND…: its output, whatever the exit code.
export async function command(args, { input = "", env = {} } = {}) {
  const child = spawn(BINARY, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => { stdout += text; });
  child.stderr.setEncoding("utf8").on("data", (text) => { stderr += text; });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) => { child.on("error", reject); child.on("close", resolve); });
  return { code, stdout, stderr };
}

function whenReady(child, server) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in ${START_TIMEOUT_MS} ms\n${server.log}`)), START_TIMEOUT_MS);
    child.stdout.setEncoding("utf8").on("data", (text) => {
      server.output += text;
      const ready = /^ready (https?:\/\/\S+)$/m.exec(server.output);
      if (!ready) return;
      clearTimeout(timer);
      resolve(ready[1]);
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code ?? signal} before it was ready\n${server.log}`));
    });
  });
}

// options: store (from newStore; otherwise one of its own), args (more options of serve), env, limits (true: keep rate limits on).
export async function startServer({ store, args = [], env = {}, limits = false } = {}) {
  const own = store ?? (await newStore());
  const server = { store: own, output: "", log: "" };
  const child = spawn(BINARY, ["serve", ...own.args, "--listen", "127.0.0.1:0", ...(limits ? [] : ["--no-rate-limit"]), ...args],
    { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  child.stderr.setEncoding("utf8").on("data", (text) => { server.log += text; });
  const exited = new Promise((resolve) => { child.on("close", (code, signal) => resolve({ code, signal })); });
  try {
    server.url = await whenReady(child, server);
  } catch (error) {
    child.kill("SIGKILL");
    if (!store) await own.remove();
    throw error;
  }
  server.pid = child.pid;
  server.request = (method, path, options) => request(server.url, method, path, options);
  server.kill = async (signal = "SIGKILL") => { child.kill(signal); return exited; };
  // Ends the server the way an operator does; anything a sanitizer had to say makes the exit code non-zero.
  server.stop = async () => {
    child.kill("SIGTERM");
    const { code, signal } = await exited;
    if (!store) await own.remove();
    if (code !== 0) throw new Error(`the server ended with ${code ?? signal}\n${server.log.slice(-8000)}`);
  };
  return server;
}

export const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
export const bearer = (token) => `Bearer ${token}`;

// One request. options: auth (header text), json (a body to be sent as JSON), body with type, headers.
// The answer has status, headers, text, and json (undefined unless it is JSON).
export async function request(url, method, path, { auth, json, body, type, headers = {} } = {}) {
  const sent = { ...headers };
  if (auth) sent.authorization = auth;
  if (json !== undefined) sent["content-type"] = "application/json";
  if (type) sent["content-type"] = type;
  const answer = await fetch(url + path, { method, headers: sent, body: json !== undefined ? JSON.stringify(json) : body, redirect: "manual" });
  const text = await answer.text();
  const isJson = /\bjson\b/.test(answer.headers.get("content-type") ?? "");
  return { status: answer.status, headers: answer.headers, text, json: isJson && text ? JSON.parse(text) : undefined };
}

export async function logIn(server, username, password) {
  const answer = await server.request("POST", "/api/auth/token", { json: { username, password } });
  if (answer.status !== 200) throw new Error(`login of ${username}: ${answer.status} ${answer.text}`);
  return bearer(answer.json.access_token);
}

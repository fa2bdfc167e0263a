// The OpenAPI document: the linters of the field find nothing, and the command prints what the server serves.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { command, startServer } from "./support/server.mjs";

const BIN = new URL("../node_modules/.bin/", import.meta.url).pathname;

// A linter's exit code and everything it said.
function lint(program, args, cwd) {
  const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  return new Promise((resolve) => {
    execFile(join(BIN, program), args, { cwd, env, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? 1) : 0, said: stdout + stderr });
    });
  });
}

describe("the description", () => {
  let server;
  let directory;
  let served;
  before(async () => {
    server = await startServer();
    directory = await mkdtemp(join(tmpdir(), "sextant-openapi-"));
    served = await server.request("GET", "/api/v1/openapi.json");
    await writeFile(join(directory, "openapi.json"), served.text);
    await writeFile(join(directory, ".spectral.yaml"), "extends: [\"spectral:oas\"]\n");
    // Two contracts share /api/kpis: /api/kpis/campaigns/{campaign_id} and /api/kpis/{kpi_id}/values. A literal beats a parameter.
    await writeFile(join(directory, "redocly.yaml"), "extends: [recommended]\nrules:\n  no-ambiguous-paths: off\n");
  });
  after(async () => {
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("is OpenAPI 3.1 and served with a tag", () => {
    assert.equal(served.status, 200);
    assert.match(served.json.openapi, /^3\.1\./);
    assert.ok(served.headers.get("etag"));
  });

  it("is what the command prints", async () => {
    const printed = await command(["openapi"]);
    assert.equal(printed.code, 0, printed.stderr);
    const plain = (document) => ({ ...document, servers: undefined });
    assert.deepEqual(plain(JSON.parse(printed.stdout)), plain(served.json));
  });

  it("lints clean with redocly", async () => {
    const { code, said } = await lint("redocly", ["lint", "openapi.json", "--config=redocly.yaml", "--max-problems=30"], directory);
    assert.equal(code, 0, said);
    assert.doesNotMatch(said, /\bwarnings?\b/i, said);
  });

  it("lints clean with spectral", async () => {
    const { code, said } = await lint("spectral", ["lint", "openapi.json", "--fail-severity=warn"], directory);
    assert.equal(code, 0, said);
  });
});

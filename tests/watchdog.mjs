// Ends a test file in which nothing gets on: a promise that is never kept would make the whole run wait for ever. Node's own --test-timeout
// (version 20) covers whole files, does not name the test and leaves its servers running. Loaded into each file with --import.
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach } from "node:test";

// The slowest test takes half a minute; what surrounds the tests (set-up, servers that stop) less.
const PATIENCE_MS = Number(process.env.SEXTANT_TEST_PATIENCE_MS ?? 360_000);

function arm(doing) {
  return setTimeout(() => {
    process.stderr.write(`${process.argv[1]}: ${doing} got nowhere in ${PATIENCE_MS / 1000} s\n`);
    spawnSync("pkill", ["-KILL", "-P", String(process.pid)]);
    process.exit(1);
  }, PATIENCE_MS).unref();
}

// The runner itself, which starts the files, is loaded with this too and runs no test.
if (process.env.NODE_TEST_CONTEXT) {
  let timer = arm("the set-up");
  beforeEach((t) => { clearTimeout(timer); timer = arm(`the test "${t.name}"`); });
  afterEach((t) => { clearTimeout(timer); timer = arm(`what follows the test "${t.name}"`); });
}

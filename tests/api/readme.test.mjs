// The README's tour is true: its commands, run on a fresh demo company in their order, answer what is printed below them. Instants are
// not compared, forecasts only by their shape, because their last digits belong to the compiler.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { it } from "node:test";
import { promisify } from "node:util";
import { startServer } from "./support/server.mjs";

const run = promisify(execFile);

// [command, what is printed] for every shell block that is followed by an answer.
const steps = (text) => [...text.matchAll(/```sh\n([^`]*)```\n```json\n([^`]*)```/g)].map(([, command, answer]) => [command, answer]);

function comparable(text, isForecast) {
  const plain = text.replace(/\s+/g, "").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "INSTANT");
  return isForecast ? plain.replace(/-?\d+\.\d+/g, "NUMBER").replace(/"\d{4}-\d\d-\d\d"/g, "DATE") : plain;
}

it("the README's tour answers as printed", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const tour = steps(readme);
  assert.ok(tour.length >= 6, "the tour has its steps");
  const server = await startServer({ args: ["--demo"] });
  try {
    for (const [command, printed] of tour) {
      const { stdout } = await run("bash", ["-c", command.replaceAll("http://localhost:8000", server.url)]);
      const isForecast = command.includes("/predictions");
      const said = comparable(stdout, isForecast);
      let from = 0;
      for (const part of comparable(printed, isForecast).split("…")) {
        const at = said.indexOf(part.replace(/^,|,$/g, ""), from);
        assert.notEqual(at, -1, `${command}\nprints ${part}\nbut the server said ${stdout}`);
        from = at;
      }
    }
  } finally {
    await server.stop();
  }
});

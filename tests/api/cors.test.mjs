// Browsers: a preflight is answered so that a page of another origin may send a token, unless the operator narrows or ends it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { startServer } from "./support/server.mjs";

const preflight = (server) => server.request("OPTIONS", "/api/kpis", {
  headers: { origin: "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" },
});

for (const [args, origin] of [[[], "*"], [["--cors", "https://app.example"], "https://app.example"], [["--cors", "https://other.example"], null], [["--cors", "none"], null]])
  test(`a preflight with ${args.join(" ") || "no option"} names ${origin ?? "no origin"}`, async () => {
    const server = await startServer({ args });
    try {
      const answer = await preflight(server);
      assert.ok([200, 204].includes(answer.status));
      assert.equal(answer.headers.get("access-control-allow-origin"), origin);
      if (origin) {
        assert.match(answer.headers.get("access-control-allow-methods"), /POST/);
        assert.match(answer.headers.get("access-control-allow-headers"), /authorization/i);
      }
    } finally {
      await server.stop();
    }
  });

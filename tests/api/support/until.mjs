// Waiting for what comes by itself. No test is decided by how long something takes: patience is only for what never comes, and is far longer
// than any machine needs.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

export const PATIENCE_MS = 60_000;

// What look() answers, as soon as that is something.
export async function until(look, patience = PATIENCE_MS) {
  for (const end = Date.now() + patience; ; await sleep(25)) {
    const found = await look();
    if (found) return found;
    assert.ok(Date.now() < end, "it did not come to that");
  }
}

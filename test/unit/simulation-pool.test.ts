import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Most, Pool } from "../simulation/runs/pool.ts";

/** Runs more simulated hours than the limits allow. */
async function live(most: Most): Promise<void> {
  const pool = new Pool(1, most);
  try {
    await pool.run({ seed: 1, hours: 10_000 });
  } finally {
    await pool.close();
  }
}

describe("a process of the simulation", () => {
  test("is ended where a seed takes more CPU time than it may, or stands still", async () => {
    await assert.rejects(live({ cpuSeconds: 1, seconds: 600 }), /seed 1: the process of the simulation ended \(SIGKILL\)/);
    await assert.rejects(live({ cpuSeconds: 600, seconds: 1 }), /seed 1: the process of the simulation ended \(SIGKILL\)/);
  });
});

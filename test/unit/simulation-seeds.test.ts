import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jobsOf, wantedOf } from "../simulation/runs/seeds.ts";

describe("jobs of the simulation", () => {
  it("arrive in another process as they were sent: what fails is shrunk there", () => {
    const jobs = jobsOf(wantedOf(["--hours", "30", "--seed", "7"]));
    for (const job of jobs) assert.deepEqual({ only: undefined, ...JSON.parse(JSON.stringify(job)) }, job);
    assert.deepEqual(
      jobs.map(({ seed, hours }) => [seed, hours]),
      [
        [7, 24],
        [8, 6],
      ],
    );
  });
});

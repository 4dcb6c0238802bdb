import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jobsOf, wantedOf } from "../simulation/runs/seeds.ts";

describe("jobs of the simulation", () => {
  it("arrive in another process as they were sent: what fails is shrunk there", () => {
    const jobs = jobsOf(wantedOf(["--hours", "30", "--seed", "7"]));
    assert.deepEqual(
      JSON.parse(JSON.stringify(jobs)),
      jobs.map(({ only: _, ...sent }) => sent),
    );
    assert.deepEqual(
      jobs.map(({ seed, hours }) => [seed, hours]),
      [
        [7, 24],
        [8, 6],
      ],
    );
  });
});

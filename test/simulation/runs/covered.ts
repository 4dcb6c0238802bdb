/** Only Node's test runner runs this file, to measure the coverage of the seeds: `npm run sim -- --coverage`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { jobsOf, liveThrough, wantedOf } from "./seeds.ts";

test("nothing is violated in the seeds whose coverage is wanted", async () => {
  const wanted = wantedOf(process.argv.slice(2));
  assert.ok(await liveThrough(jobsOf(wanted), wanted));
});

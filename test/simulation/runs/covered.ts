/** Run by Node's test runner alone, which measures what the seeds cover: `npm run sim -- --coverage`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { jobsOf, liveThrough, wantedOf } from "./seeds.ts";

test("nothing is violated in the seeds whose coverage is wanted", async () => {
  const wanted = wantedOf(process.argv.slice(2));
  assert.ok(await liveThrough(jobsOf(wanted), wanted));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentCache } from "../../src/domain/recent-cache.ts";

test("a cache of recent texts keeps those that were asked for last", () => {
  const cache = new RecentCache<{ readonly text: string }>(2);
  const made: string[] = [];
  const ask = (text: string) =>
    cache.getOrCreate(text, () => {
      made.push(text);
      return { text };
    });
  for (const text of ["a", "b", "a", "c", "a", "b"]) assert.equal(ask(text).text, text);
  assert.deepEqual(made, ["a", "b", "c", "b"]);
});

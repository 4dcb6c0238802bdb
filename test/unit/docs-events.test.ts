import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EVENT_REASONS } from "../../src/domain/event-reasons.ts";
import { SYNC_REASONS } from "../../src/domain/reasons.ts";
import { codeSpans } from "../support/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/reference-page.ts";
import { readRepositoryFile } from "../support/repository-files.ts";

describe("the events of the page of reasons", () => {
  const page = readRepositoryFile("docs/reference/reasons.md");
  const read: Reader = (markdown) => tablesOf(markdown, "Event").flatMap(({ rows }) => rows.map(([event = ""]) => codeSpans(event).join()));

  test("are those of the code, and no other", () => {
    assertSame(read(page), EVENT_REASONS, "reasons.md");
  });

  test("are compared in earnest", () => assertNotices(page, read, EVENT_REASONS));

  test("are none of the sync reasons, which have a row of their own", () => {
    const reasons = new Set<string>(SYNC_REASONS);
    const both = EVENT_REASONS.filter((event) => reasons.has(event));

    assert.deepEqual(both, []);
  });
});

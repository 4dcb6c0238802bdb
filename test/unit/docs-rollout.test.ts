import { describe, test } from "node:test";
import { ROLLOUT_REASONS } from "../../src/domain/rollout/reasons.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/reference-page.ts";

describe("the restarts of the page of reasons", () => {
  const page = readRepositoryFile("docs/reference/reasons.md");
  const read: Reader = (markdown) =>
    tablesOf(markdown, "Restart").flatMap(({ rows }) => rows.map(([reason = ""]) => codeSpans(reason).join()));

  test("are those of the code, and no other", () => assertSame(read(page), ROLLOUT_REASONS, "reasons.md"));

  test("are compared in earnest", () => assertNotices(page, read, ROLLOUT_REASONS));
});

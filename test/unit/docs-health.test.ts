import { describe, test } from "node:test";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/docs/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/docs/reference-page.ts";

const page = readRepositoryFile("docs/reference/health.md");

/** Files that create checks. In their text, each check is an object with a name and a problem. */
const FILES = ["src/runtime/event-loop.ts", "src/runtime/health.ts", "src/sync/process-health.ts", "src/webhook/compose.ts"];

const read: Reader = (markdown) =>
  tablesOf(markdown, "Check").flatMap(({ rows }) => rows.map(([check = ""]) => codeSpans(check)[0] ?? check));
const fromCode = [
  ...new Set(
    FILES.flatMap((file) => [...readRepositoryFile(file).matchAll(/\bname: "([\w-]+)",\s*problem:/g)].map(([, name = ""]) => name)),
  ),
];

describe("the page of health checks", () => {
  test("has every check of the code, and no other", () => assertSame(read(page), fromCode, "health.md"));
  test("is compared in earnest", () => assertNotices(page, read, fromCode));
});

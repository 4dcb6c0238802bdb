import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { NEVER_DEFAULTS } from "../../src/domain/injection/effective-annotations.ts";
import { DENIALS, FIXES, PROBLEMS, WARNINGS } from "../../src/domain/injection/messages.ts";
import { DEFAULT_CREDENTIALS_SECRET, DEFAULT_MOUNT_PATH, DEFAULT_VOLUME_NAME } from "../../src/domain/injection/settings.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/reference-page.ts";

const page = readRepositoryFile("docs/reference/annotations.md");
const rowsUnder = (markdown: string, column: string): readonly (readonly string[])[] =>
  tablesOf(markdown, column).flatMap(({ rows }) => rows);
const code = (cell: string | undefined): string => codeSpans(cell ?? "").join(" ");

describe("the page of annotations, about pods", () => {
  const read: Reader = (markdown) =>
    tablesOf(markdown, "Annotation")
      .filter(({ under }) => under.at(-1) === "On a pod or pod template")
      .flatMap(({ rows }) => rows.map(([key, fallback, onNamespace]) => `${code(key)} ${code(fallback)} ${onNamespace ?? ""}`));
  const fallbacks: Readonly<Record<string, string>> = {
    [POD_ANNOTATIONS.credentialsSecret]: DEFAULT_CREDENTIALS_SECRET,
    [POD_ANNOTATIONS.mountPath]: DEFAULT_MOUNT_PATH,
    [POD_ANNOTATIONS.volumeName]: DEFAULT_VOLUME_NAME,
    [POD_ANNOTATIONS.restartOnRotation]: '"false"',
  };
  const fromCode = Object.values(POD_ANNOTATIONS).map(
    (key) => `${key} ${fallbacks[key] ?? ""} ${NEVER_DEFAULTS.includes(key) ? "no" : "yes"}`,
  );

  test("has each default of the code, and whether it may stand on the Namespace", () => {
    assertSame(read(page), fromCode, "annotations.md");
  });
});

const MESSAGES: readonly (readonly [what: string, read: Reader, fromCode: readonly string[]])[] = [
  [
    "denial with its reason",
    (markdown) => rowsUnder(markdown, "Reason").map(([reason, message]) => `${code(reason)}: ${code(message)}`),
    Object.values(DENIALS).map(([reason, template]) => `${reason}: ${template}`),
  ],
  ["problem of a value", (markdown) => rowsUnder(markdown, "Problem").map(([problem]) => code(problem)), Object.values(PROBLEMS)],
  ["fix", (markdown) => rowsUnder(markdown, "Fix").map(([fix]) => code(fix)), Object.values(FIXES)],
  ["warning", (markdown) => rowsUnder(markdown, "Warning").map(([warning]) => code(warning)), Object.values(WARNINGS)],
];

describe("the page of annotations, about messages", () => {
  for (const [what, read, fromCode] of MESSAGES) {
    test(`has every ${what} of the code, and no other`, () => assertSame(read(page), fromCode, what));
    test(`is compared in earnest: ${what}`, () => assertNotices(page, read, fromCode));
  }

  test("keeps to what a table can hold", () => {
    for (const text of MESSAGES.flatMap(([, , fromCode]) => fromCode)) assert.doesNotMatch(text, /[|`\n]/);
  });
});

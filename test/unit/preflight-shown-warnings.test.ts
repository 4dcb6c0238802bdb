import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { completePreflight } from "../../src/domain/preflight/response.ts";
import { PREFLIGHT_WARNINGS, shownWarnings } from "../../src/domain/preflight/warning.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { codeSpans } from "../support/docs/markdown.ts";
import { assertNotices, assertSame, type Reader, tablesOf } from "../support/docs/reference-page.ts";

describe("what is shown of warnings", () => {
  const lines = (...messages: readonly string[]) => shownWarnings(messages.map((message) => ({ reason: "PodWarning", message })));

  test("is broken between words, at most 120 characters and three lines each", () => {
    const shown = lines("word ".repeat(200));
    assert.equal(shown.length, 3);
    assert.ok(shown.every((line) => line.length <= 120));
    assert.ok(shown[2]?.endsWith("..."));
    assert.deepEqual(lines("x".repeat(121)), ["x".repeat(120), "… x"]);
    assert.deepEqual(lines("a\nb\u0085\u009bc"), ["a b c"]);
  });

  test("begins with an ellipsis where it continues, so that nobody takes it for another warning", () => {
    const [first, ...more] = lines(
      "move keyvault-injector.dev/restart-on-rotation to spec.template.metadata.annotations: the Deployment's own metadata has no effect",
    );

    assert.doesNotMatch(first ?? "", /^…/);
    assert.deepEqual(more, ["… no effect"]);
    assert.ok(lines("word ".repeat(200)).every((line, index) => line.startsWith("… ") === index > 0));
    assert.deepEqual(lines("a", "b"), ["a", "b"]);
  });

  test("leaves out what may be left out only where the whole takes more than a line", () => {
    const shown = (message: string) => shownWarnings([{ reason: "InvalidObject", message, brief: "write pem" }]);

    assert.deepEqual(shown("write pem (invalid objectFormat)"), ["write pem (invalid objectFormat)"]);
    assert.deepEqual(shown(`write pem (${"invalid ".repeat(20)})`), ["write pem"]);
  });

  test("is bounded in number, says how many are left, and repeats nothing", () => {
    const many = Array.from({ length: 30 }, (_, index) => `warning ${index}`);
    assert.equal(lines(...many).length, 12);
    assert.equal(lines(...many).at(-1), "19 more lines are not shown: correct these first");
    assert.deepEqual(lines("same", "same"), ["same"]);
  });

  test("always allows, with each reason once in the audit annotation", () => {
    const warnings = [
      { reason: "ClassMissing", message: "a" },
      { reason: "ClassMissing", message: "b" },
    ] as const;
    assert.deepEqual(completePreflight("7", warnings).response, {
      uid: "7",
      allowed: true,
      warnings: ["a", "b"],
      auditAnnotations: { warned: "ClassMissing" },
    });
    assert.deepEqual(completePreflight("7", []).response, { uid: "7", allowed: true });
  });
});

describe("the page of preflight warnings", () => {
  const page = readRepositoryFile("docs/reference/preflight.md");
  const read: Reader = (markdown) =>
    tablesOf(markdown, "Warning").flatMap(({ rows }) => rows.map(([reason = ""]) => codeSpans(reason).join()));

  test("has every warning of the code, and no other", () => {
    assertSame(read(page), PREFLIGHT_WARNINGS, "preflight.md");
    assertNotices(page, read, PREFLIGHT_WARNINGS);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertExplained, code, fillPage, table } from "../../tools/reference/page.ts";

const MARK = "<!-- made by `npm run reference`: words -->";
const PAGE = `# Page\n\nBy hand.\n\n${MARK}\nold\n<!-- end -->\n\nBelow.\n`;

describe("a page of the reference", () => {
  test("has its places filled, and what is around them left", () => {
    const filled = fillPage(PAGE, { words: "| $& |" });

    assert.equal(filled, `# Page\n\nBy hand.\n\n${MARK}\n| $& |\n<!-- end -->\n\nBelow.\n`);
    assert.equal(fillPage(filled, { words: "| $& |" }), filled);
  });

  test("fails where a text has no place, or a place no text", () => {
    assert.throws(() => fillPage(PAGE, {}), assert.AssertionError);
    assert.throws(() => fillPage(PAGE, { words: "", others: "" }), assert.AssertionError);
    assert.throws(() => fillPage(PAGE.replace("<!-- end -->", ""), { words: "" }), assert.AssertionError);
  });
});

describe("a table of the reference", () => {
  test("is Markdown, with a dash where there is nothing", () => {
    assert.equal(table(["Word", "Fix"], [[code("A", "", "B"), ""]]), "| Word | Fix |\n|---|---|\n| `A`, `B` | – |");
  });

  test("takes no cell that would break it, and no row of another width", () => {
    assert.throws(() => table(["Word"], [["a|b"]]), /neither \|/);
    assert.throws(() => table(["Word"], [["a\nb"]]), /neither \|/);
    assert.throws(() => table(["Word"], [["a", "b"]]), /a row of 1 cells/);
  });

  test("explains each row of the code, and no other", () => {
    assertExplained(["a", "b"], ["b", "a"], "words.ts");
    assert.throws(
      () => assertExplained(["a", "c"], ["a", "b"], "words.ts"),
      /words\.ts explains what the code has[\s\S]*missing[\s\S]*'b'/,
    );
  });
});

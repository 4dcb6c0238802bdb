/** The website that the build makes from the repository's Markdown. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { brokenLinks } from "../../tools/site/links.ts";
import { siteLink } from "../../tools/site/markdown.ts";
import { relativeUrl, sitePages, slugOf, urlOf } from "../../tools/site/pages.ts";
import { searchIndex } from "../../tools/site/search.ts";
import { anchors } from "../support/docs/markdown.ts";

describe("a page of the site", () => {
  test("has the address of its file, without the ending, and a README that of its folder", () => {
    assert.equal(urlOf("docs/how-to/install.md"), "docs/how-to/install/");
    assert.equal(urlOf("docs/runbooks/README.md"), "docs/runbooks/");
    assert.equal(urlOf("README.md"), "");
    assert.equal(relativeUrl("docs/how-to/install/", "docs/runbooks/"), "../../runbooks/");
    assert.equal(relativeUrl("docs/", ""), "../");
    assert.equal(relativeUrl("", "docs/pictures/demo.svg"), "docs/pictures/demo.svg");
  });

  test("links pages where the site has them, and other files where their source is", () => {
    const targets = { pages: new Set(["README.md", "docs/a/one.md", "docs/b/README.md"]), source: "https://source.example" };
    const page = { file: "docs/a/one.md", url: "docs/a/one/" };
    assert.equal(siteLink("../b/README.md#two", page, targets), "../../b/#two");
    assert.equal(siteLink("../b", page, targets), "../../b/");
    assert.equal(siteLink("../../src/main.ts", page, targets), "https://source.example/src/main.ts");
    assert.equal(siteLink("../pictures/x.svg", page, targets), "../../pictures/x.svg");
    assert.equal(siteLink("#here", page, targets), "#here");
    assert.equal(siteLink("https://example.com", page, targets), "https://example.com");
  });

  test("has the fragments that links of the repository go by", () => {
    for (const { markdown } of sitePages()) {
      const headings = [...markdown.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = ""]) =>
        slugOf(heading),
      );
      assert.deepEqual(headings, anchors(markdown).slice(0, headings.length));
    }
  });
});

describe("the site", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "site-"));
  after(() => rmSync(folder, { recursive: true }));

  test("would be found to have a link to a page or a fragment that is not there", () => {
    mkdirSync(path.join(folder, "a"));
    writeFileSync(path.join(folder, "a/index.html"), '<h1 id="one">A</h1><a href="../">up</a>');
    writeFileSync(
      path.join(folder, "index.html"),
      '<a href="a/#one">1</a><a href="a/#two">2</a><a href="b/">3</a><a href="https://x">4</a>',
    );
    assert.deepEqual(brokenLinks(folder), ["index.html: a/index.html has no #two", "index.html: b/ leads nowhere"]);
  });

  test("finds a section by its heading and by its text", () => {
    const page = { file: "docs/a.md", url: "docs/a/", title: "Alpha", markdown: "# Alpha\n\nFirst.\n\n## Restart windows\n\nCron.\n" };
    const { storedFields }: { storedFields: Readonly<Record<string, { readonly url: string }>> } = JSON.parse(searchIndex([page]));
    assert.deepEqual(
      Object.values(storedFields).map(({ url }) => url),
      ["docs/a/", "docs/a/#restart-windows"],
    );
  });
});

/** Checks the site's diagrams in a browser. Its other parts are text. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { REPOSITORY, readRepositoryFile, repositoryFiles } from "../../tools/repository-files.ts";
import { urlOf } from "../../tools/site/pages.ts";
import { chromiumRefusal, startChromium } from "../support/dashboard/chromium.ts";

const refusal = chromiumRefusal();
const folder = mkdtempSync(path.join(tmpdir(), "site-"));

const fences = (file: string): number => readRepositoryFile(file).match(/^```mermaid$/gm)?.length ?? 0;

/** Counts the drawn diagrams and the error diagrams. */
async function drawnIn(browser: Browser, file: string): Promise<{ readonly pictures: number; readonly errors: number }> {
  const page = await browser.newPage();
  await page.goto(pathToFileURL(file).href);
  // As a string: this code runs in the page, and its types are not available here.
  await page.waitForFunction('[...document.querySelectorAll("pre.mermaid")].every((each) => each.hasAttribute("data-processed"))');
  const pictures = await page.locator("pre.mermaid svg:not([aria-roledescription=error])").count();
  const errors = await page.locator("svg[aria-roledescription=error]").count();
  await page.close();
  return { pictures, errors };
}

describe("the site's diagrams", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  after(() => rmSync(folder, { recursive: true }));

  test("are drawn, each one; one with a mistake is found", async () => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(REPOSITORY, "tools/site/main.ts"), "--output", folder], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    const files = repositoryFiles().filter((file) => file.endsWith(".md") && fences(file) > 0);
    const pages = files
      .map((file) => ({ file, html: path.join(folder, urlOf(file), "index.html") }))
      .filter(({ html }) => existsSync(html));
    const wrong = path.join(folder, "wrong.html");
    writeFileSync(
      wrong,
      '<pre class="mermaid">flowchart LR\n a --&gt;</pre><script src="mermaid.js"></script><script>mermaid.initialize({})</script>',
    );
    const browser = await startChromium();
    try {
      assert.ok(pages.length >= 5, `${pages.length} pages`);
      for (const { file, html } of pages) assert.deepEqual(await drawnIn(browser, html), { pictures: fences(file), errors: 0 }, file);
      assert.deepEqual((await drawnIn(browser, wrong)).errors, 1);
    } finally {
      await browser.close();
    }
  });
});

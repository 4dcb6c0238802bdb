import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { COMPARISON_PICTURE, comparisonPicture, measuredBars } from "../../tools/pictures/comparison.ts";
import { GROWTH_PICTURE, growthPicture, measuredGrowth } from "../../tools/pictures/growth.ts";
import { recording } from "../../tools/pictures/recording.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { steps } from "../demo/steps.ts";

describe("the bars of the comparison", () => {
  const page = readRepositoryFile("docs/reference/sync-performance.md");

  test("are of the figures of the page", () => {
    assert.equal(readRepositoryFile(COMPARISON_PICTURE), comparisonPicture(measuredBars(page)));
    assert.equal(measuredBars(page).length, 6);
  });

  test("would differ with another figure, and are not drawn of none", () => {
    const other = page.replace(/took [\d.]+ times as long/, "took 9.9 times as long");

    assert.notEqual(comparisonPicture(measuredBars(other)), readRepositoryFile(COMPARISON_PICTURE));
    assert.throws(() => measuredBars("nothing"), /has no sentence with the ratios/);
  });
});

describe("the lines of growth", () => {
  const page = readRepositoryFile("docs/reference/performance.md");

  test("are of the figures of the page", () => {
    assert.equal(readRepositoryFile(GROWTH_PICTURE), growthPicture(measuredGrowth(page)));
    assert.equal(measuredGrowth(page).sizes.length, 3);
  });

  test("would differ with another figure, and are not drawn of a part", () => {
    const other = page.replace("8.02 (1.7)", "16.04 (3.4)");

    assert.notEqual(growthPicture(measuredGrowth(other)), readRepositoryFile(GROWTH_PICTURE));
    assert.throws(
      () => measuredGrowth(page.replace("vault transactions per poll", "requests per poll")),
      /has no table of how shards grow/,
    );
  });
});

describe("a recording", () => {
  test("shows each line when it was printed, with long pauses cut", () => {
    const svg = recording("npm run demo", [
      { text: "+ vault (1.0 s)", at: 1 },
      { text: "", at: 20 },
      { text: "1 a <b> & c", at: 20.5 },
    ]);
    assert.match(svg, /class="line command"[^>]*animation-delay:0\.00s">\$ npm run demo</);
    assert.match(svg, /class="line start"[^>]*animation-delay:0\.70s">\+ vault/);
    assert.match(svg, /class="line step"[^>]*animation-delay:1\.90s">1 a &lt;b&gt; &amp; c</);
    assert.equal(svg.match(/<text/g)?.length, 3, "an empty line is space");
  });

  test("of the demo has all of its steps, as they are titled now", () => {
    const svg = readRepositoryFile("docs/pictures/demo.svg");
    for (const [index, { title }] of steps.entries()) assert.ok(svg.includes(`>${index + 1} ${title} (`), title);
    assert.match(svg, new RegExp(`>demo: ${steps.length}/${steps.length} steps in `));
  });
});

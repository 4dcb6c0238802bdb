/** The recording of the demo that the README shows. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recording } from "../../tools/pictures/recording.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { steps } from "../demo/steps.ts";

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

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const PAGE = readFileSync(new URL("../../docs/how-to/debug.md", import.meta.url), "utf8");

/** Order of the steps that explain prints for an injected Deployment of a service principal, up to the volume. */
const PRINTED = ["webhook", "certificate", "policy", "opt-in", "class", "identity", "volume"];

test("NB21: the sample output of explain marks each place where it leaves out steps", () => {
  const sample = /```text\n(deployment\/shop [\s\S]*?)```/.exec(PAGE)?.[1] ?? "";
  const shown = sample.split("\n").flatMap((line) => /^ {2}ok +([a-z-]+) /.exec(line)?.[1] ?? (line.trim() === "…" ? "…" : []));
  const expected = PRINTED.map((topic) => (shown.includes(topic) ? topic : "…")).filter(
    (word, at, all) => word !== "…" || all[at - 1] !== "…",
  );

  assert.deepEqual(shown, [...expected, "…"]);
});

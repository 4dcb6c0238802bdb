import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { applyPatch } from "diff";
import { unifiedDiff } from "../../src/cli/shared/diff.ts";
import { runCli, runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";
import { randomFrom } from "../support/fixtures/random.ts";

/** A Deployment of about 1.7 KB, which is a usual size. */
function aDeployment(number: number): object {
  const { metadata, spec } = aPod(OPTED_IN, { serviceAccountName: `web-${number}`, nodeSelector: { "kubernetes.io/os": "linux" } });
  const env = Array.from({ length: 30 }, (_, index) => ({ name: `SETTING_${index}`, value: `value ${index} of ${number}` }));
  const containers = [{ name: "app", image: `app:${number}`, env }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: `web-${number}`, namespace: "default" },
    spec: { selector: { matchLabels: { app: "web" } }, template: { metadata, spec: { ...Object(spec), containers } } },
  };
}

const listOf = (count: number) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [aClass(), ...Array.from({ length: count }, (_, number) => aDeployment(number))],
  });

/** Memory limit of the engine in megabytes. A table of the lines of two texts needs more. */
const LITTLE = "--max-old-space-size=100";

const diffInLittleMemory = (count: number) =>
  runCli(["render", "--offline", "-o", "diff", "-f", "-"], { input: listOf(count), environment: { NODE_OPTIONS: LITTLE } });

describe("render -o diff", () => {
  for (const [name, count] of [
    ["R10: compares a List of 200 Deployments in little memory", 200],
    ["K5: compares a List of 400 Deployments in little memory", 400],
  ] as const) {
    test(name, async () => {
      const { code, stdout, stderr } = await diffInLittleMemory(count);

      assert.equal(code, 0, stderr.slice(0, 500));
      assert.equal(stdout.match(/^\+ +- name: secrets-store-inline$/gm)?.length, 2 * count);
      assert.equal(stdout.match(/^@@ /gm)?.length, 2 * count);
    });
  }

  test("would end for want of memory if it made a table of the lines of 200 Deployments", () => {
    const table = "globalThis.table = Array.from({ length: 6_000 }, () => Array.from({ length: 6_000 }, () => 0.5))";

    assert.notEqual(spawnSync(process.execPath, [LITTLE, "-e", table]).status, 0);
    assert.equal(spawnSync(process.execPath, [LITTLE, "-e", table.replaceAll("6_000", "600")]).status, 0);
  });
});

describe("a diff", () => {
  const random = randomFrom(7);
  const lines = (count: number) => Array.from({ length: count }, () => `${random.pick(["a", "b", "c", "d"])}\n`);

  test("is a patch that makes the one text of the other, in one piece and in many", () => {
    for (let round = 0; round < 300; round += 1) {
      const before = Array.from({ length: random.integer(1, 4) }, () => lines(random.integer(0, 15)).join(""));
      const after = before.map((text) =>
        random.chance(0.5) ? text : lines(random.integer(0, 3)).join("") + text.slice(2 * random.integer(0, 3)),
      );
      for (const [old, young] of [
        [before, after],
        [[before.join("")], [after.join("")]],
      ]) {
        const patch = unifiedDiff(old ?? [], young ?? [], "n");

        assert.equal(applyPatch(before.join(""), patch), after.join(""), patch);
      }
    }
  });

  test("shows three lines around a change, and changes that are near as one", () => {
    const before = Array.from({ length: 30 }, (_, index) => `${index}\n`);
    const after = before.map((line, index) => ([10, 17, 25].includes(index) ? `new ${line}` : line));

    const patch = unifiedDiff(before.join(""), after.join(""), "n");

    assert.deepEqual(patch.match(/^@@.*$/gm), ["@@ -8,14 +8,14 @@", "@@ -23,7 +23,7 @@"]);
  });

  test("of texts that have nothing in common replaces the one by the other", () => {
    const [before, after] = ["a", "b"].map((letter) => Array.from({ length: 5_000 }, (_, index) => `${letter}${index}\n`).join(""));

    const patch = unifiedDiff(before ?? "", after ?? "", "n");

    assert.equal(applyPatch(before ?? "", patch), after);
    assert.match(patch, /^@@ -1,5000 \+1,5000 @@$/m);
  });

  test("leaves what is denied out of a List", async () => {
    const list = { apiVersion: "v1", kind: "List", items: [aClass(), aPod({ inject: "maybe" }), { apiVersion: "v1", kind: "Service" }] };

    const { code, output } = await runOffline(["render", "--offline", "-o", "diff", "-f", "-"], JSON.stringify(list));

    assert.equal(code, 1);
    assert.ok(output.includes("\n-- kind: Pod\n-  apiVersion: v1\n") && output.includes("\n - apiVersion: v1\n   kind: Service\n"), output);
    assert.doesNotMatch(output, /^\+[^+]/m);
  });
});

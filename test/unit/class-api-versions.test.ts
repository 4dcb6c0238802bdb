/** Classes in files with an apiVersion that no CRD serves, such as one with the driver's name as the group. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { aClass, aPod, OPTED_IN } from "../support/fixtures/pods.ts";

const SERVED = "secrets-store.csi.x-k8s.io/v1";
const textOf = (...objects: readonly object[]): string => objects.map((object) => JSON.stringify(object)).join("\n---\n");
const render = (text: string, ...args: string[]) => runOffline(["render", "-f", "-", "--offline", ...args], text);

describe("ST10: a class in an apiVersion that no CRD serves", () => {
  for (const apiVersion of [
    "secrets-store.csi.k8s.io/v1",
    "secrets-store.csi.x-k8s.io/v1beta1",
    "secrets-store.csi.azure.com/v1",
    "$API_VERSION",
  ]) {
    test(`is warned of once, with the right one: ${apiVersion}`, async () => {
      const text = textOf({ ...aClass(), apiVersion });
      const { code, output, notes } = await render(text);

      assert.equal(code, 0);
      assert.deepEqual(notes, [
        `standard input:1: SecretProviderClass/akvprovider-demo: warning: no CRD serves this kind in apiVersion "${apiVersion}": write ${SERVED}`,
      ]);
      assert.match(output, /kind: SecretProviderClass/);
      assert.equal((await render(text, "--fail-on-warnings")).code, 1);
    });
  }

  test("is in the files for the pods that mount it", async () => {
    const { notes } = await render(textOf({ ...aClass(), apiVersion: "secrets-store.csi.k8s.io/v1" }, aPod(OPTED_IN)));

    assert.equal(notes.length, 1, notes.join("\n"));
    assert.doesNotMatch(notes.join("\n"), /is not in these files/);
  });

  test("is checked like any other class", async () => {
    const { notes } = await render(textOf({ ...aClass(), apiVersion: "secrets-store.csi.k8s.io/v1", spec: { provider: "azur" } }));

    assert.match(notes.join("\n"), /spec\.provider is "azur": write "azure"/);
  });

  test("fails in explain, which says why", async () => {
    const { code, output } = await runOffline(
      ["explain", "-f", "-", "--offline"],
      textOf({ ...aClass(), apiVersion: "secrets-store.csi.k8s.io/v1" }),
    );

    assert.equal(code, 1);
    assert.match(output, /InvalidClass \(failing\)\n {2}no CRD serves this kind in apiVersion "secrets-store\.csi\.k8s\.io\/v1": write /);
  });

  test("is no warning in the served versions", async () => {
    assert.deepEqual((await render(textOf(aClass()))).notes, []);
    const { notes } = await render(textOf({ ...aClass(), apiVersion: "secrets-store.csi.x-k8s.io/v1alpha1" }));
    assert.match(notes.join("\n"), /v1alpha1 is deprecated/);
    assert.equal(notes.length, 1);
  });
});

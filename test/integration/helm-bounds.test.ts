/** Values at the bounds of settings and beyond them, as Helm renders or refuses them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chartRefusal, HELM_VERSIONS, helmRefusal, type Rendering, runHelm, templateArguments } from "../support/cluster/helm.ts";
import { boundedSettings } from "../support/setting-bounds.ts";

const refusal = helmRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

interface Given {
  readonly path: string;
  readonly text: string;
}

/** Values of the chart, each with one of the texts. A duration is text for Helm, too. */
function valuesOf(pick: "accepted" | "refused", kind: "count" | "duration"): readonly Given[] {
  return boundedSettings().flatMap(({ path, type, [pick]: texts }) =>
    path === undefined || type.kind !== kind ? [] : texts.map((text) => ({ path, text })),
  );
}

const setting = ({ path, text }: Given): string => `${path}=${text}`;

async function codeOf(rendering: Rendering): Promise<readonly [number, string]> {
  const { code, stderr } = await runHelm("helm-4", templateArguments(rendering));
  return [code, stderr];
}

describe("NC-7: the chart's bounds", { skip }, () => {
  for (const given of [...valuesOf("refused", "count"), ...valuesOf("refused", "duration")]) {
    test(`NC-7: refuse ${setting(given)}`, async () => {
      assert.ok((await chartRefusal("helm-4", { set: [setting(given)] })).includes(given.path.split(".").at(-1) ?? "-"));
    });
  }

  for (const version of HELM_VERSIONS) {
    test(`NC-7: name the value, what was given and what is allowed, by ${version}`, async () => {
      const set = ["secrets-store-csi-driver.rotationPollInterval=5s", "rolloutTimeout=0s", "drainDelay=1m", "unusedGrace=0s"];
      const lines = (await chartRefusal(version, { set })).split("\n").filter((line) => line.startsWith("- "));

      assert.deepEqual(lines, [
        "- secrets-store-csi-driver.rotationPollInterval: 5s is not allowed. Use a duration of at least 10s",
        "- rolloutTimeout: 0s is not allowed. Use a duration of at least 1s",
        "- drainDelay: 1m is not allowed. Use a duration of at most 20s",
      ]);
    });
  }

  test("NC-7: take the values at the bounds, however they are written", async () => {
    const replicas = { path: "sync.replicas", text: "17" };
    const taken = [...valuesOf("accepted", "count"), ...valuesOf("accepted", "duration"), replicas];
    const durations = ["drainDelay=0.25m", "rolloutTimeout=1h30m0.5s", "secrets-store-csi-driver.rotationPollInterval=10000ms"];
    for (const set of [taken.toReversed().map(setting), taken.map(setting), durations]) {
      const shards = set.includes("shards=1") ? [] : ["maxRollouts=16"];
      assert.deepEqual(await codeOf({ set: [...set, ...shards] }), [0, ""]);
    }
  });

  test("NC-7: refuse queues where rotation is off, with which the worker does not start", async () => {
    const set = ["eventQueues={https://shop.queue.core.windows.net/events}", "secrets-store-csi-driver.enableSecretRotation=false"];

    assert.match(await chartRefusal("helm-4", { set }), /- eventQueues: events only trigger earlier polls, and rotation is off/);
    assert.deepEqual(await codeOf({ set: set.slice(0, 1) }), [0, ""]);
  });

  for (const mode of ["policy", "both"]) {
    test(`NC-7: refuse injection.mode=${mode} before Kubernetes 1.36`, async () => {
      const set = [`injection.mode=${mode}`];
      const message = await chartRefusal("helm-4", { set, kubernetes: "1.35.9" });

      assert.match(message, new RegExp(`- injection\\.mode: ${mode} requires Kubernetes 1\\.36 or later, but the version is v1\\.35\\.9`));
      for (const kubernetes of ["1.36.0", "1.36.1-gke.100"]) assert.deepEqual(await codeOf({ set, kubernetes }), [0, ""]);
    });
  }
});

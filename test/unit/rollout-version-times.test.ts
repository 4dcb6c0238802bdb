import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { namespaceSecrets, VersionTimes } from "../../src/sync/rollouts/rollout-versions.ts";
import type { SecretStore } from "../../src/sync/secrets/secret-store.ts";
import { secretOf } from "../support/fixtures/class-facts.ts";

/** A look at the namespace while its one class names these Secrets, all of them written at second 1. */
function look(times: VersionTimes, names: readonly string[], now: number) {
  const secretObjects = names.map((secretName) => ({ secretName, type: "Opaque", data: [] }));
  const found = namespaceSecrets({
    namespace: "team",
    classes: [
      {
        apiVersion: "secrets-store.csi.x-k8s.io/v1",
        kind: "SecretProviderClass",
        metadata: { namespace: "team", name: "one" },
        spec: { provider: "azure", secretObjects },
      },
    ],
    secrets: {
      get: ({ name }: { name: string }) => ({
        ...secretOf(name),
        ref: { namespace: "team", name },
        annotations: { "keyvault-injector.dev/objects": `secret/${name}@1` },
        writtenAt: now,
        createdAt: now,
      }),
    } as unknown as SecretStore, // As far as it is asked.
    times,
    mounts: { statuses: { get: () => undefined }, isSwitchedOff: () => false },
    now,
  });
  return names.map((name) => found.versionsIn(name));
}

describe("A18-9: since when Secrets have their versions", () => {
  test("is remembered of so many former names only, whatever a class names edit after edit", () => {
    const times = new VersionTimes();
    look(times, ["kept"], 1_000);
    for (let edit = 0; edit < 300; edit += 1) {
      const names = Array.from({ length: 20 }, (_, index) => `name-${edit}-${index}`);
      look(times, ["kept", ...names], 2_000 + edit);
    }

    assert.ok(times.size <= 1_100, `${times.size} names`);
    const [kept] = look(times, ["kept"], 9_000);
    assert.ok(kept !== undefined && kept !== "noRoom");
    assert.equal(kept.since, 1_000, "a repair is no new version");
  });

  test("is kept of all that classes name, however many they are", () => {
    const times = new VersionTimes();
    const names = Array.from({ length: 3_000 }, (_, index) => `name-${index}`);
    look(times, names, 1_000);

    const again = look(times, names, 5_000);

    assert.ok(again.every((known) => known !== undefined && known !== "noRoom" && known.since === 1_000));
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { copyOf } from "../../src/domain/healing/component-copy.ts";
import { type ComponentDrift, componentDrift } from "../../src/domain/healing/component-drift.ts";
import { componentsOf } from "../../src/domain/healing/components.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { handBack } from "../../src/sync/healing/apply-copy.ts";
import { ComponentMemory } from "../../src/sync/healing/component-memory.ts";

const NAMESPACE = "install";
const DEPLOYMENT = componentsOf(NAMESPACE).find(({ resource }) => resource.kind === "Deployment");
const INSTALLED = "2026-11-27T02:00:00Z";
const REPAIRED = "2026-11-27T03:00:07Z";
const signal = new AbortController().signal;

interface Container {
  readonly image?: string;
  readonly args?: readonly string[];
}

interface Written {
  readonly version: string;
  /** Undefined: the entry is of an apply that changed no value, to an object whose `managedFields` had been cleared. */
  readonly time: string | undefined;
  readonly container?: Container;
  /** Fields of the container that Helm owns, besides the name. */
  readonly owned?: readonly string[];
  readonly others?: readonly ManagedFieldsEntry[];
}

const fieldsOf = (names: readonly string[]): NonNullable<ManagedFieldsEntry["fieldsV1"]> => {
  const container = Object.fromEntries([[".", {}], ["f:name", {}], ...names.map((name) => [`f:${name}`, {}] as const)]);
  return { "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"main"}': container } } } } };
};

function deployment({ version, time, container = { image: "one" }, owned = ["image"], others = [] }: Written): KubeObject {
  assert.ok(DEPLOYMENT !== undefined);
  const written = time === undefined ? {} : { time };
  const helm: ManagedFieldsEntry = { manager: "helm", operation: "Apply", ...written, fieldsV1: fieldsOf(owned) };
  const metadata = { ...DEPLOYMENT.ref, uid: "u", resourceVersion: version, managedFields: [helm, ...others] };
  const spec = { template: { spec: { containers: [{ name: "main", ...container }] } } };
  return Object.assign({ apiVersion: "apps/v1", kind: "Deployment", metadata }, { spec });
}

/** Returns the worker's view of the object after a repair under Helm's name, if the hand-over met this write by another client. */
async function afterRepair(
  met: KubeObject,
): Promise<{ readonly isHanded: boolean; readonly helm: unknown; readonly next: ComponentDrift }> {
  assert.ok(DEPLOYMENT !== undefined);
  const component = DEPLOYMENT;
  const copy = copyOf(component, deployment({ version: "1", time: INSTALLED }));
  assert.ok(copy !== undefined);
  const applied = deployment({ version: "3", time: REPAIRED });
  let stored = met;
  const mergePatch = async (_resource: unknown, _ref: unknown, patch: { readonly metadata: KubeObject["metadata"] }) => {
    if (patch.metadata.resourceVersion !== stored.metadata.resourceVersion)
      throw new KubeError("Conflict", "somebody has written since", { retry: { kind: "backoff" } });
    stored = { ...stored, metadata: { ...stored.metadata, ...patch.metadata, resourceVersion: "5" } };
    return stored;
  };
  const kube = { list: async () => [stored], mergePatch } as unknown as KubeClient; // The hand-over makes no other calls.
  const memory = new ComponentMemory();
  memory.noteWritten(applied.metadata.managedFields ?? []);
  const onWritten = (entries: readonly ManagedFieldsEntry[]): void => memory.noteWritten(entries);
  const isHanded = await handBack(kube, { component, copy, applied, onWritten }, signal);
  const helm = stored.metadata.managedFields?.find(({ manager }) => manager === "helm")?.fieldsV1;
  return { isHanded, helm, next: componentDrift(copy, memory.asInstalled(stored, copy)) };
}

describe("an installer that writes in the second of a repair, before its record of owners is put back", () => {
  const writes: Readonly<Record<string, Omit<Written, "version" | "time">>> = {
    "a field more": { container: { image: "one", args: ["--new"] }, owned: ["image", "args"] },
    "another value": { container: { image: "two" } },
    "a field less and another value": { container: { args: ["--new"] }, owned: ["args"] },
  };
  for (const [what, written] of Object.entries(writes))
    test(`C-13: is found by what it owns then: ${what}`, async () => {
      const met = deployment({ version: "4", time: REPAIRED, ...written });

      const { isHanded, helm, next } = await afterRepair(met);

      assert.equal(isHanded, false);
      assert.deepEqual(helm, fieldsOf(written.owned ?? ["image"]));
      assert.deepEqual(next, { kind: "installed" });
    });

  test("C-13: is not seen in a controller's status, after which the record is put back", async () => {
    const status: ManagedFieldsEntry = { manager: "kube-controller-manager", operation: "Update", subresource: "status", time: REPAIRED };

    const { isHanded, next } = await afterRepair(deployment({ version: "4", time: REPAIRED, others: [status] }));

    assert.equal(isHanded, true);
    assert.deepEqual(next, { kind: "untouched" });
  });

  test("C-13: is not seen in an edit, which is repaired again", async () => {
    const editor: ManagedFieldsEntry = { manager: "kubectl-edit", operation: "Update", time: REPAIRED, fieldsV1: fieldsOf(["image"]) };

    const { isHanded, next } = await afterRepair(
      deployment({ version: "4", time: REPAIRED, container: { image: "edited" }, owned: [], others: [editor] }),
    );

    assert.equal(isHanded, false);
    assert.equal(next.kind, "edited");
  });
});

describe("an installer's record without a time, as its apply leaves it where the record was wiped", () => {
  assert.ok(DEPLOYMENT !== undefined);
  const installed = deployment({ version: "1", time: undefined });
  const copy = copyOf(DEPLOYMENT, installed);
  assert.ok(copy !== undefined);

  test("U7: is the installer's, for who has just begun and for who has repaired it", () => {
    const begun = new ComponentMemory();
    const repaired = new ComponentMemory();
    repaired.mayBeHalfRepaired = false;
    repaired.noteWritten(deployment({ version: "3", time: REPAIRED }).metadata.managedFields ?? []);

    const drifts = [
      componentDrift(copy, begun.asInstalled(installed, copy)),
      componentDrift(copy, repaired.asInstalled(deployment({ version: "3", time: REPAIRED }), copy)),
    ];

    assert.deepEqual(drifts, [{ kind: "untouched" }, { kind: "untouched" }]);
  });

  test("U7: is a new wish where the installer has written with another value since", () => {
    const since = deployment({ version: "4", time: REPAIRED, container: { image: "two" } });

    const drift = componentDrift(copy, new ComponentMemory().asInstalled(since, copy));

    assert.deepEqual(drift, { kind: "installed" });
  });
});

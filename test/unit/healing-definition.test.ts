import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ComponentCopy, copyOf } from "../../src/domain/healing/component-copy.ts";
import { crdComponent } from "../../src/domain/healing/components.ts";
import type { CustomResourceDefinition } from "../../src/domain/healing/crd.ts";
import type { KubeObject, ManagedFieldsEntry } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { ComponentMemory } from "../../src/sync/healing/component-memory.ts";
import { healComponent } from "../../src/sync/healing/heal-component.ts";
import type { HealContext } from "../../src/sync/healing/heal-context.ts";

const NAME = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const COMPONENT = crdComponent(NAME);
const FIELDS = { "f:spec": { "f:scope": {}, "f:versions": {} } };
const INSTALLED: ManagedFieldsEntry = {
  manager: "kubectl-client-side-apply",
  operation: "Update",
  time: "2026-11-30T10:00:00Z",
  fieldsV1: FIELDS,
};
/** The entry that the worker's apply under the installer's name leaves. */
const TRACE: ManagedFieldsEntry = { ...INSTALLED, operation: "Apply", time: "2026-11-30T11:00:00Z" };
const OTHER: ManagedFieldsEntry = { ...TRACE, manager: "a-person" };

/** Without this Namespace, the worker assumes an uninstall. */
const NAMESPACE: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "install" } };

type Definition = KubeObject & CustomResourceDefinition;

function definition(owner: ManagedFieldsEntry, isServed = true): Definition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: NAME, uid: "u", resourceVersion: "7", managedFields: [owner] },
    spec: {
      group: "secrets-store.csi.x-k8s.io",
      scope: "Namespaced",
      names: { plural: "secretproviderclasses", kind: "SecretProviderClass" },
      versions: [
        { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } },
        ...(isServed ? [] : [{ name: "v0", served: false, storage: false }]),
      ],
    },
    status: { conditions: [{ type: "Established", status: "True" }] },
  };
}

interface Healed {
  readonly next: string;
  /** Fields that the worker reports as damaged. */
  readonly damaged: readonly string[];
  readonly whole: number;
  /** Owners in each write. */
  readonly written: readonly (readonly string[])[];
}

async function heal(live: Definition): Promise<Healed> {
  const copy: ComponentCopy | undefined = copyOf(COMPONENT, definition(INSTALLED));
  assert.ok(copy !== undefined);
  const written: (readonly string[])[] = [];
  const damaged: string[] = [];
  let whole = 0;
  const mergePatch = async (_resource: unknown, _ref: unknown, patch: KubeObject): Promise<KubeObject> => {
    written.push((patch.metadata.managedFields ?? []).map(({ manager, operation }) => `${manager} ${operation}`));
    return live;
  };
  const there: Readonly<Record<string, readonly KubeObject[]>> = { [COMPONENT.resource.plural]: [live], namespaces: [NAMESPACE] };
  const list = async ({ plural }: { readonly plural: string }) => there[plural] ?? [];
  const context: HealContext = {
    kube: { list, mergePatch } as unknown as KubeClient, // One reconcile of a definition makes no other calls.
    namespace: "install",
    crds: [definition(INSTALLED)],
    clock: { now: () => 0 } as HealContext["clock"],
    copies: { get: () => copy } as unknown as HealContext["copies"],
    report: {
      damaged: (_component: unknown, _reason: unknown, detail: string) => damaged.push(detail),
      whole: () => (whole += 1),
      tolerated: () => undefined,
    } as unknown as HealContext["report"],
  };
  const outcome = await healComponent(context, { component: COMPONENT, memory: new ComponentMemory() }, new AbortController().signal);
  return { next: outcome.kind, damaged, whole, written };
}

describe("the record of owners of a definition", () => {
  test("K-1: is handed back where a repair applied the definition and ended, and nothing is reported", async () => {
    assert.deepEqual(await heal(definition(TRACE)), {
      next: "requeueAfter",
      damaged: [],
      whole: 0,
      written: [["kubectl-client-side-apply Update"]],
    });
  });

  test("K-1: is left to whoever has applied the same content, and nothing is reported", async () => {
    assert.deepEqual(await heal(definition(OTHER)), { next: "done", damaged: [], whole: 1, written: [] });
  });

  test("K-1: says nothing of content that somebody changed, which is reported: the control", async () => {
    const { damaged, written } = await heal(definition(OTHER, false));
    assert.equal(damaged.length, 1);
    assert.match(damaged[0] ?? "", /^edited: spec\.versions/);
    assert.deepEqual(written, []);
  });
});

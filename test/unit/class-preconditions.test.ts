import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { KubeObject, Resource } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import type { Precondition } from "../../src/sync/classes/action.ts";
import { arePreconditionsMet } from "../../src/sync/classes/preconditions.ts";
import type { GateState } from "../../src/sync/healing/crd-health.ts";
import { CRD, classOf, secretOf } from "../support/fixtures/class-facts.ts";

const HEALTHY: GateState = { kind: "whole", ...CRD };
const SICK: GateState = { kind: "frozen", why: "the CRD is absent" };

interface World {
  /** Resource version of the class. Undefined: the class does not exist. */
  readonly resourceVersion?: string;
  readonly crd?: GateState;
  readonly pods?: number;
  readonly isUsed?: boolean;
  readonly secrets?: readonly ObservedSecret[];
  /** Objects that the API server has, but the live copies do not show. */
  readonly unseen?: readonly KubeObject[];
}

/** Returns whether the preconditions hold in the world, and the requests in their order. */
async function asked(preconditions: readonly Precondition[], world: World): Promise<readonly [boolean, readonly string[]]> {
  const { resourceVersion, crd = HEALTHY, pods = 0, isUsed = false, secrets = [secretOf("app")], unseen = [] } = world;
  const order: string[] = [];
  const spc = classOf();
  const found = resourceVersion && { kind: "found", object: { ...spc, metadata: { ...spc.metadata, resourceVersion } } };
  const volumes = [{ csi: { driver: "secrets-store.csi.k8s.io", volumeAttributes: { secretProviderClass: "demo" } } }];
  const kube = {
    read: async () => {
      order.push("class");
      return found ?? { kind: "absent" };
    },
    list: async ({ plural }: Resource) => {
      order.push(plural);
      if (plural === "secrets") return unseen;
      return Array.from({ length: pods }, () => ({ metadata: { name: "pod", namespace: "team" }, spec: { volumes } }));
    },
  } as unknown as KubeClient; // Contains only the calls that the preconditions make.
  const confirm = async (): Promise<GateState> => {
    order.push("crd");
    return crd;
  };
  const watch = { hasSynced: true, lastActivity: 0, unbrokenSince: 0, isFollowed: true };
  const caches = {
    cluster: { crdHealth: { confirm } },
    consumers: { isUsed: () => isUsed, watch },
    secrets: { hasSynced: true, isBlind: false, size: secrets.length, withoutRoom: 0, get: () => undefined, ofClass: () => secrets },
  };
  return [await arePreconditionsMet({ kube, caches }, { key: "team/demo" }, preconditions, new AbortController().signal), order];
}

describe("preconditions", () => {
  const absent: readonly Precondition[] = [
    { kind: "classAbsent" },
    { kind: "crdHealthy", uid: "crd" },
    { kind: "sameSecrets", named: [secretOf("app")] },
  ];
  const unused: readonly Precondition[] = [
    { kind: "noLiveConsumer" },
    { kind: "classUnchanged", resourceVersion: "7" },
    { kind: "crdHealthy" },
    { kind: "unused" },
  ];
  const written: readonly Precondition[] = [{ kind: "noUnseenSecrets", names: ["app"] }];
  const made = (className: string): readonly KubeObject[] => {
    const annotations = { [SECRET_ANNOTATIONS.class]: className };
    return [{ apiVersion: "v1", kind: "Secret", metadata: { name: "app", labels: { [MANAGED_LABEL]: "true" }, annotations } }];
  };
  const rows: readonly (readonly [string, readonly Precondition[], World, boolean, readonly string[]])[] = [
    ["of a class that is gone hold, the class asked for before its CRD", absent, {}, true, ["class", "crd"]],
    ["do not where the class is there, and nobody asks on", absent, { resourceVersion: "8" }, false, ["class"]],
    ["do not while the CRD is not healthy", absent, { crd: SICK }, false, ["class", "crd"]],
    ["do not under another CRD", absent, { crd: { ...HEALTHY, crdUid: "anew" } }, false, ["class", "crd"]],
    [
      "do not where a Secret came that was written just before",
      absent,
      { secrets: [secretOf("app"), secretOf("late")] },
      false,
      ["class", "crd"],
    ],
    ["do not where a Secret was made anew", absent, { secrets: [{ ...secretOf("app"), uid: "anew" }] }, false, ["class", "crd"]],
    ["W2: do not where a Secret of the class is there that the copies do not show", written, { unseen: made("demo") }, false, ["secrets"]],
    ["hold where that Secret is another class's", written, { unseen: made("other") }, true, ["secrets"]],
    ["hold where nobody has such a Secret", written, {}, true, ["secrets"]],
    ["of a class that nobody uses hold, pods asked for first", unused, { resourceVersion: "7" }, true, ["pods", "class", "crd"]],
    ["do not where a pod is there that the watch has not shown", unused, { resourceVersion: "7", pods: 1 }, false, ["pods"]],
    ["do not where the class was edited", unused, { resourceVersion: "8" }, false, ["pods", "class"]],
    ["do not where a pod came meanwhile", unused, { resourceVersion: "7", isUsed: true }, false, ["pods", "class", "crd"]],
  ];
  for (const [what, preconditions, world, isHeld, order] of rows) {
    test(what, async () => assert.deepEqual(await asked(preconditions, world), [isHeld, order]));
  }
});

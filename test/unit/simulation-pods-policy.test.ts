import assert from "node:assert/strict";
import { test } from "node:test";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { hardened, nameOf, POD_FIELDS, put } from "../integration/worker-writes/pod-fields.ts";
import type { AdmissionRequest } from "../simulation/api/interface.ts";
import type { JsonObject } from "../simulation/api/json.ts";
import { PODS } from "../simulation/api/policies/pods.ts";
import { at, readManifests } from "../support/cluster/shipped-manifests.ts";

const NAME = "keyvault-injector-sync";
const shipped = readManifests("base/sync.yaml").find(({ kind }) => kind === WORKLOADS.Deployment.kind);
const installed = hardened(Object(at(shipped, "spec", "template")) as object) as JsonObject; // It is a pod template.
const podTemplate: JsonObject = {
  metadata: { name: NAME, labels: { "app.kubernetes.io/name": "keyvault-injector" } },
  template: installed,
};

type Change = (template: object) => void;
const AS_INSTALLED: Change = () => undefined;

function deployment(change: Change): JsonObject {
  const template = structuredClone(installed) as object;
  change(template);
  const selector = { matchLabels: { "app.kubernetes.io/name": "keyvault-injector" } };
  return { metadata: { name: NAME }, spec: { replicas: 1, selector, template: template as JsonObject } };
}

/** Refusals of the simulation's policy for the worker's write. */
function refusals(now: Change, before?: Change): readonly string[] {
  const request = {
    operation: before === undefined ? "CREATE" : "UPDATE",
    name: NAME,
    namespace: "keyvault-injector",
    object: deployment(now),
    oldObject: before === undefined ? undefined : deployment(before),
    find: () => podTemplate,
  } as unknown as AdmissionRequest; // The policy reads nothing else.
  return PODS.rules(request)
    .filter(({ holds }) => !holds)
    .map(({ message }) => message);
}

for (const field of POD_FIELDS) {
  test(`PP-9: the simulated policy on pods refuses what the shipped one refuses of ${nameOf(field)}`, () => {
    const [removed, changed]: readonly Change[] = [(pod) => put(pod, field, undefined), (pod) => put(pod, field, field.other)];
    assert.ok(removed !== undefined && changed !== undefined);
    for (const [now, before] of [
      [removed, AS_INSTALLED],
      [changed, AS_INSTALLED],
      [removed, undefined],
      [changed, undefined],
      [removed, changed],
    ] as const)
      assert.equal(refusals(now, before).length, 1);
    for (const before of [AS_INSTALLED, removed, changed, undefined]) assert.deepEqual(refusals(AS_INSTALLED, before), []);
  });
}

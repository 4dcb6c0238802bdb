import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Change, DAMAGE, type Loose, ONLY_EDITS, ofTheDriver, REFUSED } from "../integration/worker-writes/definitions.ts";
import type { AdmissionRequest } from "../simulation/api/interface.ts";
import { DEFINITIONS } from "../simulation/api/policies/definitions.ts";
import { WORKER } from "../simulation/api/policies/policy.ts";
import { readManifests } from "../support/cluster/shipped-manifests.ts";

const SHIPPED: ReadonlyMap<string, Loose> = new Map(
  ["secretproviderclasses", "secretproviderclasspodstatuses", "secretproviderclasssyncs"]
    .flatMap((file) => readManifests(`crds/${file}.yaml`))
    .map(({ metadata, spec }) => [metadata.name, spec]),
);

function changed(name: string, change: Change): Loose {
  const spec = structuredClone(SHIPPED.get(name));
  change(spec.versions, spec);
  return spec;
}

/** The refusal of the simulation's policy for the worker's write. Undefined if the policy allows it. */
function refusalOf(name: string, now: Loose, before?: Loose): string | undefined {
  const request: AdmissionRequest = {
    user: WORKER,
    operation: before === undefined ? "CREATE" : "UPDATE",
    group: "apiextensions.k8s.io",
    resource: "customresourcedefinitions",
    subresource: "",
    namespace: undefined,
    name,
    object: { metadata: { name }, spec: now },
    oldObject: before === undefined ? undefined : { metadata: { name }, spec: before },
    isDryRun: false,
    namespaceObject: undefined,
    isAllowed: () => true,
    find: () => undefined,
  };
  return DEFINITIONS.rules(request).find(({ holds }) => !holds)?.message;
}

describe("the simulated policy on definitions", () => {
  test("refuses every change that the API server's refuses, and those that are made anew", () => {
    const edits = Object.values(REFUSED).flat();
    const through = edits.filter(([, name, change]) => refusalOf(name, changed(name, change), SHIPPED.get(name)) === undefined);
    const anew = edits.filter(([what, name, change]) => !ONLY_EDITS.has(what) && refusalOf(name, changed(name, change)) === undefined);

    assert.deepEqual(
      [...through, ...anew].map(([what]) => what),
      [],
    );
  });

  test("lets every repair through, and what is shipped or a driver's chart has", () => {
    for (const [what, name, change] of DAMAGE) assert.equal(refusalOf(name, SHIPPED.get(name), changed(name, change)), undefined, what);
    for (const [name, spec] of SHIPPED) assert.equal(refusalOf(name, spec), undefined, name);
    const [[classes = ""] = []] = SHIPPED;
    assert.equal(refusalOf(classes, changed(classes, ofTheDriver)), undefined);
  });
});

import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { crdDrift } from "../../domain/healing/crd-drift.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import { type Check, type CheckResult, fail, fine, skipped, warn } from "./check.ts";

const APPLY = "apply manifests/crds, or let the worker heal them (--heal=crds)";

export const checkCrds: Check = async ({ viewer, crds }) => {
  const results: CheckResult[] = [];
  let absent = 0;
  for (const ours of crds) {
    const { name } = ours.metadata;
    const look = await viewer.object<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name });
    if (look.kind === "absent" || look.kind === "unserved") absent += 1;
    results.push(look.kind === "unseen" ? skipped("crds", look) : resultOf(ours, look.kind === "seen" ? look.value : undefined));
  }
  if (absent === crds.length && absent > 0) return [fail("crds", `none of the ${absent} CRDs is there`, APPLY)];
  const wrong = results.filter(({ state }) => state !== "OK");
  return wrong.length > 0 ? wrong : [fine("crds", `${results.length} of ${results.length} are whole`)];
};

function resultOf(ours: CustomResourceDefinition, live: CustomResourceDefinition | undefined): CheckResult {
  const { name } = ours.metadata;
  const drift = crdDrift(ours, live);
  switch (drift.kind) {
    case "whole":
      return fine("crds", `${name} is whole`);
    case "absent":
      return fail("crds", `${name} is missing`, APPLY);
    case "terminating":
      return fail("crds", `${name} is being deleted`, "wait until it is gone, then apply manifests/crds");
    case "damaged":
      return fail("crds", `${name}: ${drift.problem}`, APPLY);
    case "settling":
      return warn("crds", `${name}: ${drift.problem}`, "wait, then look again");
  }
}

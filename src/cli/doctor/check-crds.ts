import type { CustomResourceDefinition } from "../../domain/healing/crd.ts";
import { crdDrift } from "../../domain/healing/crd-drift.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import { type Check, type CheckResult, fail, fine, skipped, warn } from "./check.ts";

const APPLY = "apply manifests/crds, or let the worker heal them (--heal=crds)";

const MISSING = " is missing";

export const checkCrds: Check = async ({ viewer, crds }) => {
  const results: CheckResult[] = [];
  for (const ours of crds) {
    const { name } = ours.metadata;
    const look = await viewer.object<CustomResourceDefinition>(RESOURCES.customResourceDefinitions, { name });
    results.push(look.kind === "unseen" ? skipped("crds", look) : resultOf(ours, look.kind === "seen" ? look.value : undefined));
  }
  const absent = results.filter(({ state, message }) => state === "FAIL" && message.endsWith(MISSING));
  if (absent.length === crds.length && absent.length > 0) return [fail("crds", `none of the ${absent.length} CRDs is there`, APPLY)];
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
      return fail("crds", `${name}${MISSING}`, APPLY);
    case "terminating":
      return fail("crds", `${name} is being deleted`, "wait until it is gone, then apply manifests/crds");
    case "damaged":
      return fail("crds", `${name}: ${drift.problem}`, APPLY);
    case "settling":
      return warn("crds", `${name}: ${drift.problem}`, "wait, then look again");
  }
}

import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import type { Viewer } from "../cluster.ts";
import { FINAL_CHECK } from "../install.ts";
import { type LabelSelector, selectorProblem } from "../label-selector.ts";
import { type Step, step } from "./explanation.ts";

interface Policy extends KubeObject {
  readonly spec?: { readonly matchConstraints?: { readonly namespaceSelector?: LabelSelector } };
}

interface Binding extends KubeObject {
  readonly spec?: { readonly validationActions?: readonly string[] };
}

export interface CheckedNamespace {
  readonly name: string;
  /** Undefined: the user may not see them. */
  readonly labels: Readonly<Record<string, string>> | undefined;
}

/** What becomes of the opted-in pod where nobody has added its volume. */
export async function finalCheckStep(viewer: Viewer, { name, labels }: CheckedNamespace, isAsked: boolean): Promise<Step> {
  const policy = await viewer.object<Policy>(RESOURCES.validatingAdmissionPolicies, { name: FINAL_CHECK });
  const binding = await viewer.object<Binding>(RESOURCES.validatingAdmissionPolicyBindings, { name: FINAL_CHECK });
  for (const look of [policy, binding]) {
    if (look.kind === "unseen") return step("policy", "unknown", `${look.why}: what happens while the webhook is away is not known`);
  }
  const isBound = binding.kind === "seen" && (binding.value.spec?.validationActions ?? []).includes("Deny");
  if (policy.kind !== "seen" || !isBound) {
    const message = `policy ${FINAL_CHECK} is missing or not bound with Deny: without its volume the pod starts all the same; apply manifests/policies again`;
    return step("policy", "warning", message);
  }
  const selector = policy.value.spec?.matchConstraints?.namespaceSelector;
  if (labels !== undefined && selectorProblem(selector, labels) !== undefined) {
    return step("policy", "ok", `policy ${FINAL_CHECK} leaves namespace ${name} out: the pod starts without its volume`);
  }
  return isAsked
    ? step("policy", "ok", `policy ${FINAL_CHECK} refuses the pod whenever the webhook has not added its volume`)
    : step("policy", "problem", `policy ${FINAL_CHECK} refuses the pod, unless it has the volume itself`);
}

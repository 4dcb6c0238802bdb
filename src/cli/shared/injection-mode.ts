import { MORE_RESOURCES, type Policy, type PolicyBinding } from "./resources.ts";
import { type Viewer, valueIn } from "./viewer.ts";
import { lookAtEntry } from "./webhook-entry.ts";

/** Of the policies that inject pods and refuse those that cannot be injected, and of their bindings. */
export const INJECTION_POLICY = "keyvault-injector-injection";

/** What is installed to inject pods: docs/reference/injection-modes.md. */
export interface InjectionMode {
  readonly kind: "webhook" | "policy" | "both";
  /** The policy that injects, where it is bound. */
  readonly policy: Policy | undefined;
}

/** What may not be seen is taken for the usual mode, whose checks say so. */
export async function injectionModeOf(viewer: Viewer): Promise<InjectionMode> {
  const entry = await lookAtEntry(viewer);
  const policy = valueIn(await viewer.object<Policy>(MORE_RESOURCES.mutatingPolicies, { name: INJECTION_POLICY }));
  const binding = valueIn(await viewer.object<PolicyBinding>(MORE_RESOURCES.mutatingPolicyBindings, { name: INJECTION_POLICY }));
  if (policy === undefined || binding?.spec?.policyName !== INJECTION_POLICY) return { kind: "webhook", policy: undefined };
  return { kind: entry.kind === "absent" ? "policy" : "both", policy };
}

export const WITHOUT_WEBHOOK = `pods are injected by the policy ${INJECTION_POLICY}, and refused where it cannot`;

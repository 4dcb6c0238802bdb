import { INJECTION_MODES } from "./options.ts";
import { MORE_RESOURCES, type Policy, type PolicyBinding } from "./resources.ts";
import { type Viewer, valueIn } from "./viewer.ts";
import { lookAtEntry, narrowingsOf } from "./webhook-entry.ts";

/** Of the policy that injects pods, and of its binding. */
export const INJECTION_POLICY = "keyvault-injector-injection";

/** What is installed to inject pods: docs/reference/injection-modes.md. */
export interface InjectionMode {
  readonly kind: (typeof INJECTION_MODES)[number];
  /** The policy that injects, where it is bound. */
  readonly policy: Policy | undefined;
  readonly binding: PolicyBinding | undefined;
}

/** What may not be seen is taken for the usual mode, whose checks say so. */
export async function injectionModeOf(viewer: Viewer): Promise<InjectionMode> {
  const entry = await lookAtEntry(viewer);
  const policy = valueIn(await viewer.object<Policy>(MORE_RESOURCES.mutatingPolicies, { name: INJECTION_POLICY }));
  const binding = valueIn(await viewer.object<PolicyBinding>(MORE_RESOURCES.mutatingPolicyBindings, { name: INJECTION_POLICY }));
  if (policy === undefined || binding?.spec?.policyName !== INJECTION_POLICY)
    return { kind: "webhook", policy: undefined, binding: undefined };
  return { kind: entry.kind === "absent" ? "policy" : "both", policy, binding };
}

/** What may keep opted-in pods from the policy, in the fields' own names. */
export function narrowingsOfPolicy({ policy, binding }: InjectionMode): readonly string[] {
  const { matchConstraints, matchConditions = [] } = policy?.spec ?? {};
  const { objectSelector = {}, resourceRules: rules = [] } = matchConstraints ?? {};
  const others = [
    ...((matchConstraints?.excludeResourceRules ?? []).length > 0 ? ["excludeResourceRules"] : []),
    ...(isNarrow(binding?.spec?.matchResources) ? ["matchResources of its binding"] : []),
  ];
  return [...narrowingsOf({ objectSelector, matchConditions, rules }), ...others];
}

/** The server fills in empty selectors. */
export function isNarrow(matchResources: Readonly<Record<string, unknown>> | undefined): boolean {
  return Object.entries(matchResources ?? {}).some(
    ([field, value]) => field !== "matchPolicy" && typeof value === "object" && value !== null && Object.keys(value).length > 0,
  );
}

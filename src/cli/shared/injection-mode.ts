import { INJECTION_MODES } from "./options.ts";
import { MORE_RESOURCES, type Policy, type PolicyBinding } from "./resources.ts";
import { type Viewer, valueIn } from "./viewer.ts";
import { narrowingsOf, readEntry } from "./webhook-entry.ts";

/** Name of the policy that injects pods, and of its binding. */
export const INJECTION_POLICY = "keyvault-injector-injection";

/** Installed parts that inject pods: docs/reference/injection-modes.md. */
export interface InjectionMode {
  readonly kind: (typeof INJECTION_MODES)[number];
  /** Policy that injects; undefined if it is not bound. */
  readonly policy: Policy | undefined;
  readonly binding: PolicyBinding | undefined;
}

/** Reads the injection mode. Assumes `webhook` if the user may not read the policies; the checks of that mode report this. */
export async function injectionModeOf(viewer: Viewer): Promise<InjectionMode> {
  const entry = await readEntry(viewer);
  const policy = valueIn(await viewer.object<Policy>(MORE_RESOURCES.mutatingPolicies, { name: INJECTION_POLICY }));
  const binding = valueIn(await viewer.object<PolicyBinding>(MORE_RESOURCES.mutatingPolicyBindings, { name: INJECTION_POLICY }));
  if (policy === undefined || binding?.spec?.policyName !== INJECTION_POLICY)
    return { kind: "webhook", policy: undefined, binding: undefined };
  return { kind: entry.kind === "absent" ? "policy" : "both", policy, binding };
}

/** Returns the fields that may exclude opted-in pods from the policy, by their own names. */
export function narrowingsOfPolicy({ policy, binding }: InjectionMode): readonly string[] {
  const { matchConstraints, matchConditions = [] } = policy?.spec ?? {};
  const { objectSelector = {}, resourceRules: rules = [] } = matchConstraints ?? {};
  const others = [
    ...((matchConstraints?.excludeResourceRules ?? []).length > 0 ? ["excludeResourceRules"] : []),
    ...(isNarrow(binding?.spec?.matchResources) ? ["matchResources of its binding"] : []),
  ];
  return [...narrowingsOf({ objectSelector, matchConditions, rules }), ...others];
}

/** Ignores empty selectors, which the API server fills in. */
export function isNarrow(matchResources: Readonly<Record<string, unknown>> | undefined): boolean {
  return Object.entries(matchResources ?? {}).some(
    ([field, value]) => field !== "matchPolicy" && typeof value === "object" && value !== null && Object.keys(value).length > 0,
  );
}

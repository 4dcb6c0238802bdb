import type { KubeObject } from "../../../domain/kubernetes.ts";
import { KubeError } from "../../../domain/ports/kube-error.ts";
import { MORE_RESOURCES } from "../../shared/resources.ts";
import type { TriedGuardrails } from "../../shared/worker-code.ts";
import { type Check, type CheckResult, type DoctorContext, fail, fine, notThere, skipped, warn } from "./check.ts";
import { POLICIES } from "./install.ts";

interface Policy extends KubeObject {
  readonly spec?: {
    readonly failurePolicy?: string;
    readonly paramKind?: { readonly kind?: string };
    readonly matchConditions?: readonly { readonly expression?: string }[];
    readonly variables?: readonly { readonly expression?: string }[];
    readonly validations?: readonly { readonly expression?: string }[];
  };
  readonly status?: { readonly typeChecking?: { readonly expressionWarnings?: readonly unknown[] } };
}

interface PolicyBinding extends KubeObject {
  readonly spec?: {
    readonly policyName?: string;
    readonly validationActions?: readonly string[];
    readonly paramRef?: unknown;
    readonly matchResources?: Readonly<Record<string, unknown>>;
  };
}

/** What our policies compare with. */
const PARAMETERS: Readonly<Record<string, string>> = { "keyvault-injector-sync-pods": "PodTemplate" };

const APPLY = "apply manifests/policies again";

export async function checkPolicies({ viewer, namespace }: Pick<DoctorContext, "viewer" | "namespace">): Promise<readonly CheckResult[]> {
  const policies = await viewer.all<Policy>(MORE_RESOURCES.policies);
  if (policies.kind !== "seen") return [skipped("policies", policies)];
  const bindings = await viewer.all<PolicyBinding>(MORE_RESOURCES.policyBindings);
  if (bindings.kind !== "seen") return [skipped("policies", bindings)];
  const absent = absentOf(policies.value);
  if (absent.length === Object.keys(POLICIES).length) return [fail("policies", `none of the ${absent.length} policies is there`, APPLY)];
  const results = Object.entries(POLICIES).flatMap(([name, least]) => {
    const policy = policies.value.find(({ metadata }) => metadata.name === name);
    if (policy === undefined) return [fail("policies", `policy ${name} is missing`, APPLY)];
    const problem = bindingProblem(bindings.value, name, least) ?? policyProblem(policy, namespace);
    return problem === undefined ? warningsOf(policy, bindings.value) : [fail("policies", `policy ${name} ${problem}`, APPLY)];
  });
  return results.length > 0
    ? results
    : [fine("policies", `${Object.keys(POLICIES).length} policies are there and bound, for namespace ${namespace}`)];
}

function absentOf(policies: readonly Policy[]): readonly string[] {
  return Object.keys(POLICIES).filter((name) => !policies.some(({ metadata }) => metadata.name === name));
}

function bindingProblem(bindings: readonly PolicyBinding[], policy: string, least: "Deny" | "Warn"): string | undefined {
  const bound = bindings.filter(({ spec }) => spec?.policyName === policy);
  if (bound.length === 0) return "has no binding, so it does nothing";
  const actions = bound.flatMap(({ spec }) => spec?.validationActions ?? []);
  return actions.includes(least) || actions.includes("Deny") ? undefined : `is bound without ${least}, so it stops nothing`;
}

/** What an expression holds of the namespace that the install was rendered for: whose accounts act, and where an object of ours lies. */
const NAMES_OF_NAMESPACE = [
  /system:serviceaccount:([a-z0-9-]+):keyvault-injector-(?:sync|webhook)/g,
  /request\.namespace == '([a-z0-9-]+)'\s+&&\s+object\.metadata\.name == 'keyvault-injector-/g,
];

function policyProblem({ metadata, spec }: Policy, namespace: string): string | undefined {
  if (spec?.failurePolicy === "Ignore") return "has failurePolicy Ignore: an error in it stops nothing";
  const parameters = PARAMETERS[metadata.name];
  if (spec?.paramKind?.kind !== parameters)
    return parameters === undefined ? "takes parameters, which ours does not" : `takes no ${parameters} to compare with, which ours does`;
  const expressions = [...(spec?.matchConditions ?? []), ...(spec?.variables ?? []), ...(spec?.validations ?? [])];
  const text = expressions.map(({ expression = "" }) => expression).join("\n");
  const named = NAMES_OF_NAMESPACE.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = ""]) => name));
  const other = named.find((name) => name !== namespace);
  return other === undefined ? undefined : `is written for the install in namespace ${other}, not in ${namespace}`;
}

function warningsOf({ metadata: { name }, status }: Policy, bindings: readonly PolicyBinding[]): readonly CheckResult[] {
  const hasParameters = name in PARAMETERS;
  const narrowed = bindings.find(
    ({ spec }) => spec?.policyName === name && ((spec.paramRef !== undefined && !hasParameters) || isNarrow(spec.matchResources)),
  );
  const hasTypeErrors = (status?.typeChecking?.expressionWarnings ?? []).length > 0;
  return [
    ...(narrowed === undefined
      ? []
      : [warn("policies", `binding ${narrowed.metadata.name} narrows policy ${name}`, `${APPLY}, unless that is meant`)]),
    ...(hasTypeErrors
      ? [warn("policies", `the API server warns of expressions of policy ${name}`, `see status.typeChecking of the policy; ${APPLY}`)]
      : []),
  ];
}

/** The server fills in empty selectors. */
function isNarrow(matchResources: Readonly<Record<string, unknown>> | undefined): boolean {
  return Object.entries(matchResources ?? {}).some(
    ([field, value]) => field !== "matchPolicy" && typeof value === "object" && value !== null && Object.keys(value).length > 0,
  );
}

const OF_WORKER = "keyvault-injector-sync-";

/** Without the right to impersonate, every attempt would be refused, and nothing be learnt of the policies. */
const WHO_AM_I: KubeObject = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview", metadata: { name: "" } };

/** That a policy is there and bound does not mean that it denies. Tried as the worker tries it, without effect. */
export const checkGuardrails: Check = async ({ actAs, viewer, worker, namespace, signal }) => {
  const user = `system:serviceaccount:${namespace}:keyvault-injector-sync`;
  const acting = await actAs(user);
  try {
    await acting.kube.create<KubeObject>(MORE_RESOURCES.selfSubjectReviews, WHO_AM_I, { fieldManager: "doctor" }, signal);
    const results = guardrailResults(await worker.tryGuardrails(acting.kube, namespace, signal));
    const policies = await viewer.all<Policy>(MORE_RESOURCES.policies);
    const absent = policies.kind === "seen" ? absentOf(policies.value).filter((name) => name.startsWith(OF_WORKER)) : [];
    // Without them RBAC alone may have refused what was tried.
    if (results.length === 0 && absent.length > 0)
      return [notThere("guardrails", `${absent.length} policies of the worker are missing`, "policies")];
    return results.length > 0
      ? results
      : [fine("guardrails", "the policies of the worker deny what they forbid, tried by dry run as the worker")];
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return [skipped("guardrails", { kind: "unseen", why: `you may not impersonate ${user}` })];
  } finally {
    await acting.close();
  }
};

function guardrailResults({ missing, hidden }: TriedGuardrails): readonly CheckResult[] {
  const bind = `${APPLY}, and see that each is bound with the action Deny`;
  return [
    ...(missing.length === 0 ? [] : [fail("guardrails", `nothing stops the worker from what ${missing.join(", ")} forbids`, bind)]),
    ...hidden.map(({ policy, refusal }) =>
      warn("guardrails", `nobody knows whether ${policy} denies what it forbids: ${refusal}`, "exempt the worker's account there"),
    ),
  ];
}

import { RESOURCES } from "../../../domain/kubernetes.ts";
import { KubeError } from "../../../domain/ports/kube-error.ts";
import { isNarrow } from "../../shared/injection-mode.ts";
import { FINAL_CHECK, type Policy, type PolicyBinding } from "../../shared/resources.ts";
import { valueIn } from "../../shared/viewer.ts";
import type { WorkerCode } from "../../shared/worker-code.ts";
import { type Check, type CheckResult, type InstallContext, on, orFine } from "./check.ts";
import { GATEWAY_POLICIES, isBeingRemoved, POLICIES, wantedPolicies, whoAmI } from "./install.ts";

/** Kind of the parameters that a shipped policy compares with. */
const PARAMETERS: Readonly<Record<string, string>> = { "keyvault-injector-sync-pods": "PodTemplate" };

const APPLY = "apply manifests/policies again";

function applyAdvice(policy: string): string {
  return policy in GATEWAY_POLICIES ? "apply the component gateway-tls again" : APPLY;
}

export async function checkPolicies({ viewer, namespace }: InstallContext): Promise<readonly CheckResult[]> {
  const policies = await viewer.all<Policy>(RESOURCES.validatingAdmissionPolicies);
  if (policies.kind !== "seen") return [on.policies.skipped(policies)];
  const bindings = await viewer.all<PolicyBinding>(RESOURCES.validatingAdmissionPolicyBindings);
  if (bindings.kind !== "seen") return [on.policies.skipped(bindings)];
  const wanted = await wantedPolicies({ viewer, namespace });
  const absent = absentOf(policies.value, wanted);
  if (absent.length === Object.keys(wanted).length) return [on.policies.fail(`none of the ${absent.length} policies exists`, APPLY)];
  const isRemoved = await isBeingRemoved({ viewer, namespace });
  const results = Object.entries(wanted).flatMap(([name, least]) => {
    const policy = policies.value.find(({ metadata }) => metadata.name === name);
    if (policy === undefined) return [on.policies.fail(`policy ${name} is missing`, applyAdvice(name))];
    // uninstall --prepare removes this binding, and the check `install` reports that.
    const isMeant = isRemoved && name === FINAL_CHECK && !bindings.value.some(({ spec }) => spec?.policyName === name);
    if (isMeant) return [];
    const problem = bindingProblem(bindings.value, name, least) ?? policyProblem(policy, namespace);
    return problem === undefined ? warningsOf(policy, bindings.value) : [on.policies.fail(`policy ${name} ${problem}`, applyAdvice(name))];
  });
  return orFine(results, on.policies.fine(`${Object.keys(wanted).length} policies exist and are bound, for namespace ${namespace}`));
}

function absentOf(policies: readonly Policy[], wanted: typeof POLICIES = POLICIES): readonly string[] {
  return Object.keys(wanted).filter((name) => !policies.some(({ metadata }) => metadata.name === name));
}

function bindingProblem(bindings: readonly PolicyBinding[], policy: string, least: "Deny" | "Warn"): string | undefined {
  const bound = bindings.filter(({ spec }) => spec?.policyName === policy);
  if (bound.length === 0) return "has no binding, so it does nothing";
  const actions = bound.flatMap(({ spec }) => spec?.validationActions ?? []);
  return actions.includes(least) || actions.includes("Deny") ? undefined : `is bound without ${least}, so it denies nothing`;
}

/** Namespaces in expressions that must be that of the install: of the users of its accounts, and of its own objects. */
const NAMES_OF_NAMESPACE = [
  /system:serviceaccount:([a-z0-9-]+):keyvault-injector-(?:sync|webhook)/g,
  /request\.namespace == '([a-z0-9-]+)'\s+&&\s+object\.metadata\.name == 'keyvault-injector-/g,
];

function policyProblem({ metadata, spec }: Policy, namespace: string): string | undefined {
  if (spec?.failurePolicy === "Ignore") return "has failurePolicy Ignore, so it denies nothing if its evaluation fails";
  const parameters = PARAMETERS[metadata.name];
  if (spec?.paramKind?.kind !== parameters)
    return parameters === undefined
      ? "has parameters, but the shipped policy has none"
      : `has no ${parameters} as its parameters, but the shipped policy has`;
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
  const { warn } = on.policies;
  const typed = warn(
    `the API server warns about expressions of policy ${name}`,
    `see status.typeChecking of the policy; ${applyAdvice(name)}`,
  );
  const narrow =
    narrowed && warn(`binding ${narrowed.metadata.name} narrows policy ${name}`, `${applyAdvice(name)}, unless this is intended`);
  return [...(narrow === undefined ? [] : [narrow]), ...(hasTypeErrors ? [typed] : [])];
}

const ASK_TO_IMPERSONATE = "ask for permission to impersonate serviceaccounts";

const OF_WORKER = "keyvault-injector-sync-";

/** Tests whether the worker's policies deny, which existence and bindings do not prove. Makes the worker's own attempts, as dry runs. */
export const checkGuardrails: Check = async ({ cluster, viewer, worker, namespace, signal }) => {
  const user = `system:serviceaccount:${namespace}:keyvault-injector-sync`;
  const acting = await cluster.actAs(user);
  let attempted = `impersonate ${user}`;
  try {
    // Without permission to impersonate, the API server would reject every attempt, which shows nothing about the policies.
    await whoAmI(acting, signal);
    attempted = "try what the policies forbid";
    const tried = await worker.tryGuardrails({ kube: acting.kube, namespace, isBlind: false }, signal);
    const results = guardrailResults(tried);
    const policies = valueIn(await viewer.all<Policy>(RESOURCES.validatingAdmissionPolicies));
    const absent = policies === undefined ? [] : absentOf(policies).filter((name) => name.startsWith(OF_WORKER));
    // Without the policies, RBAC alone may have rejected the attempts.
    if (results.length === 0 && absent.length > 0)
      return [on.guardrails.notThere(`${absent.length} policies of the worker are missing`, "policies")];
    return orFine(results, on.guardrails.fine("the policies of the worker deny what they forbid, tested by dry run as the worker"));
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return [on.guardrails.unanswered(attempted, error, ASK_TO_IMPERSONATE)];
  } finally {
    await acting.close();
  }
};

function guardrailResults({ missing, hidden, untested }: Awaited<ReturnType<WorkerCode["tryGuardrails"]>>): readonly CheckResult[] {
  const [unanswered] = untested;
  const names = untested.map(({ policy }) => policy).join(", ");
  const bind = `${APPLY}, and check that each is bound with the action Deny`;
  return [
    ...(missing.length === 0 ? [] : [on.guardrails.fail(`the worker is able to do what ${missing.join(", ")} should prevent`, bind)]),
    ...hidden.map(({ policy, refusal }) =>
      on.guardrails.warn(
        `doctor cannot determine whether ${policy} denies what it forbids: ${refusal}`,
        "exempt the worker's account there",
      ),
    ),
    ...(unanswered === undefined ? [] : [on.guardrails.unanswered(`make the tests of ${names}`, unanswered.error, ASK_TO_IMPERSONATE)]),
  ];
}

import { CHECKS, type Check, type CheckName, type CheckResult, type DoctorContext } from "./check.ts";
import { checkApi, checkInstances } from "./check-api.ts";
import { checkAuthority } from "./check-authority.ts";
import { checkClasses } from "./check-classes.ts";
import { checkComponents } from "./check-components.ts";
import { checkCrds } from "./check-crds.ts";
import { checkInjection } from "./check-injection.ts";
import { checkDeployments, checkLease } from "./check-install.ts";
import { checkInstalled, isInstalled } from "./check-installed.ts";
import { checkDriver, checkDriverSync, checkNodes, checkProvider } from "./check-nodes.ts";
import { checkGuardrails, checkPolicies } from "./check-policies.ts";
import { checkRights } from "./check-rights.ts";
import { checkTokens } from "./check-tokens.ts";
import { checkCertificates, checkNamespaces, checkPreflight, checkWebhook } from "./check-webhook.ts";

const RUN: Readonly<Record<CheckName, Check>> = {
  api: checkApi,
  install: checkInstalled,
  crds: checkCrds,
  webhook: checkWebhook,
  preflight: checkPreflight,
  certificates: checkCertificates,
  authority: checkAuthority,
  injection: checkInjection,
  components: checkComponents,
  policies: checkPolicies,
  guardrails: checkGuardrails,
  deployments: checkDeployments,
  tokens: checkTokens,
  instances: checkInstances,
  lease: checkLease,
  rights: checkRights,
  driver: checkDriver,
  provider: checkProvider,
  "driver-sync": checkDriverSync,
  nodes: checkNodes,
  classes: checkClasses,
  namespaces: checkNamespaces,
};

/**
 * Every check in its order, up to the one that finds no install: the others would say the same of each part. One after the other: a sick API
 * server is not to be hurried.
 */
export async function runChecks(context: DoctorContext): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  const checks = Object.keys(CHECKS) as CheckName[];
  for (const [index, check] of checks.entries()) {
    context.tellProgress(`check ${check} (${index + 1} of ${checks.length})`);
    results.push(...(await RUN[check](context)));
    if (!isInstalled(results)) break;
  }
  return results;
}

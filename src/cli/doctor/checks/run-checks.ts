import { injectionModeOf } from "../../shared/injection-mode.ts";
import type { ReportProgress } from "../../shared/terminal.ts";
import { reportingUnanswered } from "../../shared/viewer.ts";
import { AGAIN, CHECKS, type Check, type CheckName, type CheckResult, type DoctorContext, on } from "./check.ts";
import { checkClasses } from "./classes.ts";
import { checkEventQueues } from "./event-queues.ts";
import { checkGateways } from "./gateways.ts";
import { checkComponents, checkCrds, checkTokens } from "./healing.ts";
import { checkApi, checkDeployments, checkInstalled, checkInstances, checkLease, isInstalled } from "./install.ts";
import { checkDriver, checkDriverSync, checkNodes, checkProvider } from "./nodes.ts";
import { checkGuardrails, checkPolicies } from "./policies.ts";
import { checkRestarts } from "./restarts.ts";
import { checkRights } from "./rights.ts";
import { checkAuthority, checkCertificates, checkInjection, checkNamespaces, checkPreflight, checkWebhook } from "./webhook.ts";

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
  "event-queues": checkEventQueues,
  gateways: checkGateways,
  driver: checkDriver,
  provider: checkProvider,
  "driver-sync": checkDriverSync,
  nodes: checkNodes,
  classes: checkClasses,
  restarts: checkRestarts,
  namespaces: checkNamespaces,
};

/** Checks of the webhook, which do not apply if policies inject pods instead. */
const OF_WEBHOOK: readonly CheckName[] = ["preflight", "certificates", "authority"];

async function withoutWebhook(check: CheckName, { viewer }: DoctorContext): Promise<readonly CheckResult[] | undefined> {
  if (!OF_WEBHOOK.includes(check) || (await injectionModeOf(viewer)).kind !== "policy") return undefined;
  return [on[check].notThere("pods are injected without a webhook", "webhook")];
}

/** Runs the check. It cannot judge what it did not read, so a read that the API server could not answer leaves nothing but a skip. */
async function run(check: CheckName, context: DoctorContext): Promise<readonly CheckResult[]> {
  const unanswered: string[] = [];
  const watched: DoctorContext = { ...context, viewer: reportingUnanswered(context.viewer, (why) => unanswered.push(why)) };
  const results = (await withoutWebhook(check, watched)) ?? (await RUN[check](watched));
  const [why] = unanswered;
  return why === undefined ? results : [on[check].skip(`not checked: ${why}`, AGAIN)];
}

/**
 * Runs the checks in order, up to the one that finds no install, because each of the others would report the same. Runs one check at a
 * time, to spare an unhealthy API server.
 */
export async function runChecks(context: DoctorContext, reportProgress: ReportProgress): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [index, check] of CHECKS.entries()) {
    reportProgress(`check ${check} (${index + 1} of ${CHECKS.length})`);
    results.push(...(await run(check, context)));
    if (!isInstalled(results)) break;
  }
  return results;
}

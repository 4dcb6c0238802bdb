import { createViewer } from "../cluster.ts";
import { type Command, type CommandContext, type CommandInput, type CommandResult, EXIT, formatOf } from "../command.ts";
import { INSTALL_NAMESPACE } from "../install.ts";
import { valueOf } from "../options.ts";
import { paint } from "../paint.ts";
import { CHECKS, type Check, type CheckName, type CheckResult, type CheckState, type DoctorContext } from "./check.ts";
import { checkClasses } from "./check-classes.ts";
import { checkCrds } from "./check-crds.ts";
import { checkInjection } from "./check-injection.ts";
import { checkDeployments, checkLease, checkPolicies } from "./check-install.ts";
import { checkDriver, checkDriverSync, checkNodes, checkProvider } from "./check-nodes.ts";
import { checkRights } from "./check-rights.ts";
import { checkCertificates, checkNamespaces, checkPreflight, checkWebhook } from "./check-webhook.ts";

const FORMATS = ["text", "json"] as const;

const RUN: Readonly<Record<CheckName, Check>> = {
  crds: checkCrds,
  webhook: checkWebhook,
  preflight: checkPreflight,
  certificates: checkCertificates,
  injection: checkInjection,
  policies: checkPolicies,
  deployments: checkDeployments,
  lease: checkLease,
  rights: checkRights,
  driver: checkDriver,
  provider: checkProvider,
  "driver-sync": checkDriverSync,
  nodes: checkNodes,
  classes: checkClasses,
  namespaces: checkNamespaces,
};

export const doctor: Command = {
  name: "doctor",
  summary: "Check an install, each finding with what to do about it.",
  usage: "",
  details: [
    "Looks with your own rights and changes nothing; what you may not look at is said (SKIP).",
    "One check creates a pod by dry run, in the namespace that -n names.",
    "",
    "Formats: text (default), json (a list of findings).",
    "Exit code: 0, or 1 where a check fails (FAIL), or 2 where there is no cluster to look at. WARN and SKIP alone give 0.",
  ],
  options: ["namespace", "install-namespace", "output", "kubeconfig"],
  arguments: 0,
  run: runDoctor,
};

async function runDoctor({ options }: CommandInput, context: CommandContext): Promise<CommandResult> {
  const format = formatOf(options, { command: "doctor", formats: FORMATS });
  const cluster = await context.openCluster(valueOf(options, "kubeconfig") ?? "");
  try {
    const results = await runChecks({
      viewer: createViewer(cluster, context.signal),
      kube: cluster.kube,
      clock: context.clock,
      signal: context.signal,
      namespace: valueOf(options, "install-namespace") ?? INSTALL_NAMESPACE,
      probeNamespace: valueOf(options, "namespace") ?? cluster.namespace,
      crds: context.shippedCrds(),
    });
    return {
      code: results.some(({ state }) => state === "FAIL") ? EXIT.found : EXIT.fine,
      output: format === "json" ? `${JSON.stringify(results, null, 2)}\n` : doctorText(results, context.hasColour),
      notes: [],
    };
  } finally {
    await cluster.close();
  }
}

async function runChecks(context: DoctorContext): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  // One after the other: a sick API server is not to be hurried.
  for (const check of Object.keys(CHECKS) as CheckName[]) results.push(...(await RUN[check](context)));
  return results;
}

const COLOURS: Readonly<Record<CheckState, "green" | "yellow" | "red" | "cyan">> = {
  OK: "green",
  WARN: "yellow",
  FAIL: "red",
  SKIP: "cyan",
};

function doctorText(results: readonly CheckResult[], hasColour: boolean): string {
  const lines = results.flatMap(({ check, state, message, fix }) => [
    `${paint(state.padEnd(4), COLOURS[state], hasColour)}  ${check.padEnd(12)}  ${message.replaceAll(/[\p{Cc}\s]+/gu, " ")}`,
    ...(fix === undefined ? [] : [`${" ".repeat(20)}-> ${fix}`]),
  ]);
  const count = (state: CheckState): string => `${results.filter((result) => result.state === state).length} ${state}`;
  return `${[...lines, "", (["OK", "WARN", "FAIL", "SKIP"] as const).map(count).join(", ")].join("\n")}\n`;
}

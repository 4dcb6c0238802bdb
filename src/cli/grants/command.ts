import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { createViewer, rememberingViewer } from "../cluster.ts";
import {
  accessOf,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  EXIT,
  formatOf,
} from "../command.ts";
import { INSTALL_NAMESPACE } from "../install.ts";
import { valueOf } from "../options.ts";
import { type GrantsReport, lookForGrants } from "./look.ts";
import { type MissingGrant, missingGrants } from "./needs.ts";
import { annotationsFor, grantsText, grantsYaml } from "./print.ts";

const FORMATS = ["text", "yaml", "json"] as const;

/** Raised when a field is renamed, removed, or means something else. */
const REPORT_FORMAT = 1;

export const grants: Command = {
  name: "grants",
  summary: "List the accounts and node identity that classes use, and grant what is missing.",
  usage: "",
  details: [
    "The worker asks for a token of a ServiceAccount, and uses its node's managed identity, where the Namespace of the class grants",
    "it by an annotation, or --managed-identity-namespaces names it. Run this before an upgrade from 0.3.0, so that no class stops, and read",
    "what it lists: whoever writes a class can ask for an account, and you decide.",
    "",
    "yaml is the Namespaces with what is missing, for Git; json is one report.",
    "Exit code: 0, or 1 where a grant is missing and --apply was not given, or 2 where the command could not do its work.",
  ],
  optionHelp: { namespace: "Classes of this namespace alone; of all where not given." },
  options: ["namespace", "all-namespaces", "apply", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 0,
  run: runGrants,
};

async function runGrants({ options }: CommandInput, context: CommandContext): Promise<CommandResult> {
  const format = formatOf(options, FORMATS);
  const cluster = await context.openCluster(accessOf(options));
  try {
    const report = await lookForGrants({
      viewer: rememberingViewer(createViewer(cluster, context.signal)),
      namespace: valueOf(options, "install-namespace") ?? INSTALL_NAMESPACE,
      within: valueOf(options, "namespace"),
    });
    const missing = missingGrants(report.needs);
    const isApplied = options.apply !== undefined;
    if (isApplied) for (const grant of missing) await apply(cluster.kube, grant, context.signal);
    return {
      code: missing.length > 0 && !isApplied ? EXIT.found : EXIT.fine,
      output: textOf(report, { format, isApplied, version: context.version }),
      notes: [],
    };
  } finally {
    await cluster.close();
  }
}

interface Printing {
  readonly format: (typeof FORMATS)[number];
  readonly isApplied: boolean;
  readonly version: string;
}

function textOf(report: GrantsReport, { format, isApplied, version }: Printing): string {
  if (format === "text") return grantsText(report, { isApplied });
  if (format === "yaml") return grantsYaml(missingGrants(report.needs));
  const { needs, older } = report;
  return `${JSON.stringify({ report: "grants", format: REPORT_FORMAT, version, isApplied, ...needs, missing: missingGrants(needs), older }, null, 2)}\n`;
}

async function apply(kube: KubeClient, grant: MissingGrant, signal: AbortSignal): Promise<void> {
  const patch = { metadata: { annotations: annotationsFor(grant) } };
  try {
    await kube.mergePatch(RESOURCES.namespaces, { name: grant.namespace }, patch, { fieldManager: "keyvault-injector-grants" }, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new CommandFailure(`Namespace ${grant.namespace} could not be annotated: ${error.message}`, { cause: error });
  }
}

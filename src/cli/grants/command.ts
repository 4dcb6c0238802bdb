import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../domain/annotations.ts";
import { ALLOWED } from "../../domain/grants/namespace-grants.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { toYaml } from "../manifest/yaml.ts";
import { installIn } from "../shared/absence.ts";
import {
  answered,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  formatOf,
  reportText,
  withCluster,
} from "../shared/command.ts";
import { namespaceWithin } from "../shared/options.ts";
import { shellQuoted, shown, verbatim } from "../shared/terminal.ts";
import { createViewer, refusalText, rememberingViewer } from "../shared/viewer.ts";
import { copyLines } from "./copies.ts";
import { AUTHORS_POLICY, type GrantsReport, lookForGrants, type MissingGrant, missingGrants, type NamespaceNeeds } from "./needs.ts";

const FORMATS = ["text", "yaml", "json"] as const;

export const grants: Command = {
  name: "grants",
  summary: "List the accounts and node identity that classes and event queues use, and grant missing ones.",
  usage: "",
  details: [
    "The worker gets a token of a ServiceAccount, and uses its node's managed identity, only if the Namespace of the class grants it",
    "by an annotation, or --managed-identity-namespaces names it. Run this before an upgrade from 0.3.0, so that no class stops",
    "syncing. Review the list before you apply it: anyone who can write a class can name an account. Accounts of --event-queues are",
    "granted likewise. Copies of Secrets that classes offer to other namespaces are listed; --apply accepts none.",
    "",
    "yaml is manifests of Namespaces that add the missing grants, for Git; json is one report.",
    "Exit code: 0; 1 for a missing grant without --apply; 2 if the command failed.",
  ],
  examples: [
    { result: "List the missing grants", typed: "keyvault-injector grants" },
    { result: "Write them as manifests, for Git", typed: "keyvault-injector grants -o yaml" },
  ],
  optionHelp: { namespace: "Only classes of this namespace; otherwise of all namespaces." },
  options: ["namespace", "all-namespaces", "apply", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 0,
  run: runGrants,
};

async function runGrants(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { options } = input;
  const format = formatOf(options, FORMATS);
  return withCluster(input, context, async (cluster) => {
    const viewer = rememberingViewer(createViewer(cluster, context.signal));
    const namespace = await installIn(viewer, options);
    const report = await lookForGrants(viewer, namespace, namespaceWithin(options, cluster.namespace));
    const missing = missingGrants(report.needs);
    const isApplied = options.apply !== undefined;
    if (isApplied) for (const grant of missing) await apply(cluster.kube, grant, context.signal);
    const text = {
      text: () => grantsText(report, { isApplied }),
      yaml: () => grantsYaml(missing),
      json: () =>
        reportText("grants", context.shipped, { isApplied, ...report.needs, missing, copies: report.copies, older: report.older }),
    }[format];
    const result = answered(text(), missing.length > 0 && !isApplied);
    // Nothing on standard output is what `kubectl apply -f -` fails on.
    return format === "yaml" && missing.length === 0
      ? { ...result, notes: [`${context.shipped.program} grants: nothing is missing`] }
      : result;
  });
}

async function apply(kube: KubeClient, grant: MissingGrant, signal: AbortSignal): Promise<void> {
  const patch = { metadata: { annotations: annotationsFor(grant) } };
  try {
    await kube.mergePatch(RESOURCES.namespaces, { name: grant.namespace }, patch, { fieldManager: "keyvault-injector-grants" }, signal);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new CommandFailure(refusalText(`patch namespaces ${grant.namespace}`, error), { cause: error });
  }
}

/** Annotations that a Namespace lacks. */
function annotationsFor({ accounts, managedIdentity }: MissingGrant): Readonly<Record<string, string>> {
  return {
    ...(accounts === undefined ? {} : { [GRANT_ANNOTATIONS.serviceAccounts]: accounts.join(",") }),
    ...(managedIdentity ? { [GRANT_ANNOTATIONS.managedIdentity]: ALLOWED } : {}),
  };
}

/** For Git, or for `kubectl apply --server-side`: the Namespaces with the missing annotations and nothing else. */
function grantsYaml(missing: readonly MissingGrant[]): string {
  return missing
    .map((grant) =>
      toYaml({ apiVersion: "v1", kind: "Namespace", metadata: { name: grant.namespace, annotations: annotationsFor(grant) } }),
    )
    .join("---\n");
}

function commandFor(grant: MissingGrant): string {
  const annotations = Object.entries(annotationsFor(grant)).map(([key, value]) => shellWord(`${key}=${value}`));
  return `kubectl annotate namespace ${grant.namespace} --overwrite ${annotations.join(" ")}`;
}

/** As it is, where no shell reads anything into it. */
function shellWord(text: string): string {
  return /^[-\w.,:/=]+$/.test(text) ? text : shellQuoted(text);
}

function namespaceLines({ namespace, accounts, managedIdentity }: NamespaceNeeds): readonly string[] {
  const sign = (isGranted: boolean): string => (isGranted ? "=" : "+");
  return [
    `Namespace ${namespace}`,
    ...accounts.map(({ account, classes, queues = [], isGranted }) => {
      const users = [...classes, ...queues.map((label) => `event queue ${label}`)];
      return `  ${sign(isGranted)} ServiceAccount ${account}: ${users.join(", ")}`;
    }),
    ...(managedIdentity === undefined
      ? []
      : [`  ${sign(managedIdentity.isGranted)} managed identity of the worker's node: ${managedIdentity.classes.join(", ")}`]),
  ];
}

/** `applied`: what was missing is granted now. */
function grantsText({ needs, copies, older }: GrantsReport, { isApplied }: { readonly isApplied: boolean }): string {
  const { servicePrincipal, workloadIdentity, identityBinding, managedIdentity } = needs.counts;
  const bound = identityBinding === 0 ? "" : `${identityBinding} with an identity binding, `;
  const missing = missingGrants(needs);
  const lines = [
    `Synced classes: ${workloadIdentity} with workload identity, ${bound}${managedIdentity} with the node's managed identity, ${servicePrincipal} with a service principal, which needs no grant.`,
    ...section("Needed, with the classes and event queues that need it (= granted, + missing):", needs.namespaces.flatMap(namespaceLines)),
    ...missingLines(missing, isApplied),
    ...copyLines(copies),
    ...section(
      "No grant solves these:",
      needs.unhelped.map(({ namespace, name, why }) => `  ${namespace}/${name}: ${why}`),
    ),
    ...section(
      `Older than the policy ${AUTHORS_POLICY}, so their authors' permissions were never checked. Change the annotation ${CLASS_ANNOTATIONS.refresh} of each as its author, or delete it:`,
      (older ?? []).map(({ name, lends }) => `  ${name} ${lends.join(", ")}`),
    ),
    ...(older === undefined ? ["", `The policy ${AUTHORS_POLICY} is not bound: apply manifests/policies.`] : []),
  ];
  return shown(
    lines.map((text) => verbatim(text)),
    { hasColour: false },
  );
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

function missingLines(missing: readonly MissingGrant[], isApplied: boolean): readonly string[] {
  if (missing.length === 0) return ["", "Nothing is missing."];
  if (isApplied) return ["", `Granted on ${missing.map(({ namespace }) => `Namespace ${namespace}`).join(", ")}.`];
  const byIdentity = missing.filter(({ managedIdentity }) => managedIdentity).map(({ namespace }) => namespace);
  return [
    "",
    "Run this again with --apply, keep the output of -o yaml in Git, or run:",
    ...missing.map((grant) => `  ${commandFor(grant)}`),
    ...(byIdentity.length === 0
      ? []
      : [
          "For the managed identity, the worker's setting works as well:",
          `  --managed-identity-namespaces=${byIdentity.join(",")} (the chart's value managedIdentityNamespaces)`,
        ]),
  ];
}

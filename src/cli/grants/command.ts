import { type Grant, grantCommand } from "../../domain/grants/namespace-grants.ts";
import { shell } from "../../domain/shell-words.ts";
import { toYaml } from "../manifest/yaml.ts";
import { installIn } from "../shared/absence.ts";
import {
  answered,
  type Command,
  type CommandContext,
  type CommandInput,
  type CommandResult,
  formatOf,
  reportText,
  withCluster,
} from "../shared/command.ts";
import { namespaceWithin, valueOf } from "../shared/options.ts";
import { line, shown, verbatim } from "../shared/terminal.ts";
import { createViewer, rememberingViewer } from "../shared/viewer.ts";
import { annotationsFor, applyGrants } from "./apply.ts";
import { copyLines } from "./copies.ts";
import {
  AUTHORS_POLICY,
  findGrants,
  type GrantsReport,
  type MissingGrant,
  missingGrants,
  type NamespaceNeeds,
  type Needs,
} from "./needs.ts";
import { dividedGrants, needsAfter, wantedGrants, wantedNeeds } from "./wanted.ts";

const FORMATS = ["text", "yaml", "json"] as const;

export const grants: Command = {
  name: "grants",
  summary: "List the ServiceAccounts and node identities that classes use, and add missing grants.",
  usage: "",
  details: [
    "The worker uses a ServiceAccount for a class or an event queue only if an annotation on the Namespace grants the ServiceAccount. It",
    "uses its node's managed identity only if the Namespace grants this identity or is listed in --managed-identity-namespaces.",
    "Run this command before an upgrade from 0.3.0, so that all classes continue to sync. Review the list before you use --apply, because",
    "anyone who can write a class can choose its ServiceAccount. The command also lists the copies of Secrets that classes offer to other",
    "namespaces, but --apply does not accept any copies.",
    "",
    "--account and --managed-identity limit both the list of missing grants and what --apply adds. --apply never grants the node's",
    "identity without --managed-identity, because everyone who can write a class in the Namespace could then read every vault that the",
    "identity can read.",
    "",
    "yaml prints manifests of Namespaces that add the missing grants, for Git. json prints one report.",
    "Exit code: 0; 1 if a grant is still missing; 2 if the command failed.",
  ],
  examples: [
    { result: "List the missing grants", typed: "keyvault-injector grants" },
    { result: "Grant one ServiceAccount", typed: "keyvault-injector grants -n shop --account cart --apply" },
    { result: "Print the missing grants as manifests, for Git", typed: "keyvault-injector grants -o yaml" },
  ],
  optionHelp: { namespace: "Only classes in this namespace. Default: all namespaces." },
  options: ["namespace", "all-namespaces", "account", "managed-identity", "apply", "install-namespace", "output", "context", "kubeconfig"],
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
    const found = await findGrants(viewer, namespace, namespaceWithin(options, cluster.namespace));
    const wanted = wantedGrants(options);
    const needs = wantedNeeds(found.needs, wanted);
    const { applicable, left } = dividedGrants(needs, wanted);
    const isApplied = options.apply !== undefined;
    const wantedNow = { grants: isApplied ? applicable : [], versions: found.versions };
    const { applied, refused } = await applyGrants(cluster.kube, wantedNow, context.signal);
    const report = { ...found, needs: needsAfter(needs, applied) };
    const missing = missingGrants(report.needs);
    const refusals = refused.map(({ namespace: place, problem }) => `Not granted on Namespace ${place}: ${problem}`);
    const install = valueOf(options, "install-namespace");
    const written = isApplied ? applied : missing;
    const nothing = report.unseen.length === 0 ? "is missing" : "is known to be missing";
    const text = {
      text: () =>
        grantsText(report, [
          ...(isApplied ? appliedLines(applied, refusals) : suggestedLines(applicable, needs, install)),
          ...(applicable.length + left.length === 0 ? ["", `Nothing ${nothing}.`] : leftLines(left, install)),
        ]),
      yaml: () => grantsYaml(written),
      json: () =>
        reportText("grants", context.shipped, {
          isApplied,
          ...report.needs,
          missing,
          ...(isApplied ? { applied } : {}),
          ...(isApplied && left.length > 0 ? { left } : {}),
          ...(refused.length > 0 ? { refused } : {}),
          copies: report.copies,
          older: report.older,
          unseen: report.unseen,
        }),
    }[format];
    const result = answered(text(), missing.length > 0);
    if (format !== "yaml") return result;
    // `kubectl apply -f -` fails if standard output is empty, so a note says why.
    const notes = refused.length + written.length === 0 ? [`nothing ${nothing}`] : refusals;
    return { ...result, notes: notes.map((note) => `${context.shipped.program} grants: ${note}`) };
  });
}

/** Returns manifests of Namespaces with only the missing annotations, for Git or for `kubectl apply --server-side`. */
function grantsYaml(missing: readonly MissingGrant[]): string {
  return missing
    .map((grant) =>
      toYaml({ apiVersion: "v1", kind: "Namespace", metadata: { name: grant.namespace, annotations: annotationsFor(grant) } }),
    )
    .join("---\n");
}

function commandFor(grant: MissingGrant): string {
  const annotations = Object.entries(annotationsFor(grant)).map(([key, value]) => `${key}=${value}`);
  return shell`kubectl annotate namespace ${grant.namespace} --overwrite ${annotations}`;
}

/** Returns the grant with only the accounts that its Namespace lacks. */
function added({ namespace, accounts, managedIdentity }: MissingGrant, { namespaces }: Needs): Grant {
  const used = namespaces.find((each) => each.namespace === namespace)?.accounts ?? [];
  const missing = accounts === undefined ? [] : used.filter(({ isGranted }) => !isGranted);
  return { namespace, accounts: missing.map(({ account }) => account), managedIdentity };
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

/** `missing`: lines about missing grants. */
function grantsText({ needs, copies, older, isUnbound, unseen }: GrantsReport, missing: readonly string[]): string {
  const { servicePrincipal, workloadIdentity, identityBinding, managedIdentity } = needs.counts;
  const bound = identityBinding === 0 ? "" : `${identityBinding} with an identity binding, `;
  const lines = [
    `Synced classes: ${workloadIdentity} with workload identity, ${bound}${managedIdentity} with the node's managed identity, ${servicePrincipal} with a service principal, which needs no grant.`,
    ...section("Needed, with the classes and event queues that need it (= granted, + missing):", needs.namespaces.flatMap(namespaceLines)),
    ...missing,
    ...section(
      "No grant solves these:",
      needs.unhelped.map(({ namespace, name, why }) => `  ${namespace}/${name}: ${why}`),
    ),
    ...section(
      `Older than the policy ${AUTHORS_POLICY}, so their authors' permissions may never have been checked. Check those with kubectl auth can-i, or have the author delete and create the class again:`,
      (older ?? []).map(({ name, lends }) => `  ${name} ${lends.join(", ")}`),
    ),
    ...(isUnbound ? ["", `The policy ${AUTHORS_POLICY} is not bound: apply manifests/policies.`] : []),
    ...section(
      "Not known, because you lack permissions; ask for them:",
      unseen.map((what) => `  ${what}`),
    ),
    ...copyLines(copies),
  ];
  return shown(
    lines.map((text) => line`${verbatim(text.slice(0, text.search(/\S|$/)))}${text}`),
    { hasColour: false },
  );
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}

function appliedLines(applied: readonly MissingGrant[], refusals: readonly string[]): readonly string[] {
  const granted = applied.map(({ namespace }) => `Namespace ${namespace}`).join(", ");
  const lines = [...(applied.length === 0 ? [] : [`Granted on ${granted}.`]), ...refusals];
  return lines.length === 0 ? [] : ["", ...lines];
}

function suggestedLines(grants: readonly MissingGrant[], needs: Needs, install: string | undefined): readonly string[] {
  if (grants.length === 0) return [];
  const named = grants.flatMap((grant) => (grant.managedIdentity ? [grant.namespace] : []));
  return [
    "",
    "To add exactly these, keep the output of -o yaml in Git, or run (--apply alone also adds what classes have come to use by then):",
    ...grants.map((grant) => `  ${grantCommand(added(grant, needs), install)}`),
    "Without this command:",
    ...grants.map((grant) => `  ${commandFor(grant)}`),
    ...settingLines(named),
  ];
}

/** Explains the grants for the node's identity, which `--apply` makes only with --managed-identity. */
function leftLines(left: readonly MissingGrant[], install: string | undefined): readonly string[] {
  if (left.length === 0) return [];
  return [
    "",
    "--apply does not grant the managed identity of the worker's node without --managed-identity, because everyone who can write a class",
    "in the Namespace can then read every vault that this identity can read. To grant it, run:",
    ...left.map(({ namespace }) => `  ${grantCommand({ namespace, managedIdentity: true }, install)}`),
    "Without this command:",
    ...left.map((grant) => `  ${commandFor(grant)}`),
    ...settingLines(left.map(({ namespace }) => namespace)),
  ];
}

function settingLines(namespaces: readonly string[]): readonly string[] {
  if (namespaces.length === 0) return [];
  return [
    "For the managed identity, the worker's setting works as well:",
    `  --managed-identity-namespaces=${namespaces.join(",")} (the chart's value managedIdentityNamespaces)`,
  ];
}

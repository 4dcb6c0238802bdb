import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../domain/annotations.ts";
import { ALLOWED } from "../../domain/grants/namespace-grants.ts";
import { toYaml } from "../manifest/yaml.ts";
import { AUTHORS_POLICY, type GrantsReport } from "./look.ts";
import { type MissingGrant, missingGrants, type NamespaceNeeds } from "./needs.ts";

/** Annotations that a Namespace lacks. */
export function annotationsFor({ accounts, managedIdentity }: MissingGrant): Readonly<Record<string, string>> {
  return {
    ...(accounts === undefined ? {} : { [GRANT_ANNOTATIONS.serviceAccounts]: accounts.join(",") }),
    ...(managedIdentity ? { [GRANT_ANNOTATIONS.managedIdentity]: ALLOWED } : {}),
  };
}

/** For Git, or for `kubectl apply --server-side`: the Namespaces with the missing annotations and nothing else. */
export function grantsYaml(missing: readonly MissingGrant[]): string {
  return missing
    .map((grant) =>
      toYaml({ apiVersion: "v1", kind: "Namespace", metadata: { name: grant.namespace, annotations: annotationsFor(grant) } }),
    )
    .join("---\n");
}

function commandFor(grant: MissingGrant): string {
  const annotations = Object.entries(annotationsFor(grant)).map(([key, value]) => `${key}=${value}`);
  return `kubectl annotate namespace ${grant.namespace} --overwrite ${annotations.join(" ")}`;
}

function namespaceLines({ namespace, accounts, managedIdentity }: NamespaceNeeds): readonly string[] {
  const sign = (isGranted: boolean): string => (isGranted ? "=" : "+");
  return [
    `Namespace ${namespace}`,
    ...accounts.map(({ account, classes, isGranted }) => `  ${sign(isGranted)} ServiceAccount ${account}: ${classes.join(", ")}`),
    ...(managedIdentity === undefined
      ? []
      : [`  ${sign(managedIdentity.isGranted)} managed identity of the worker's node: ${managedIdentity.classes.join(", ")}`]),
  ];
}

/** `applied`: what was missing is granted now. */
export function grantsText({ needs, older }: GrantsReport, { isApplied }: { readonly isApplied: boolean }): string {
  const { servicePrincipal, workloadIdentity, managedIdentity } = needs.counts;
  const missing = missingGrants(needs);
  const lines = [
    `Mirrored classes: ${workloadIdentity} with workload identity, ${managedIdentity} with the node's managed identity, ${servicePrincipal} with a service principal, which needs no grant.`,
    ...section("Needed, with the classes that need it (= granted, + missing):", needs.namespaces.flatMap(namespaceLines)),
    ...missingLines(missing, isApplied),
    ...section(
      "No grant helps these classes:",
      needs.unhelped.map(({ namespace, name, why }) => `  ${namespace}/${name}: ${why}`),
    ),
    ...section(
      `Older than the policy ${AUTHORS_POLICY}, so that nobody asked their authors for the right. Change the annotation ${CLASS_ANNOTATIONS.refresh} of each as its author, or delete it:`,
      (older ?? []).map(({ name, lends }) => `  ${name} ${lends.join(", ")}`),
    ),
    ...(older === undefined ? ["", `The policy ${AUTHORS_POLICY} is not bound: apply manifests/policies.`] : []),
  ];
  return `${lines.join("\n")}\n`;
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
    "Run this again with --apply, keep the output of -o yaml in Git, or:",
    ...missing.map((grant) => `  ${commandFor(grant)}`),
    ...(byIdentity.length === 0
      ? []
      : [
          "For the managed identity the worker's setting does as well:",
          `  --managed-identity-namespaces=${byIdentity.join(",")} (the chart's value managedIdentityNamespaces)`,
        ]),
  ];
}

/** Limits of the operator for classes. An empty list of vaults or modes means no limit. */

import { GRANT_ANNOTATIONS } from "../annotations.ts";
import { ALLOWED, grantCommand } from "../grants/namespace-grants.ts";
import type { VaultAddress } from "../ports/vault-client.ts";
import { findCloud } from "./clouds.ts";
import type { ClassProblem } from "./problem.ts";
import type { SupportedIdentity } from "./this-version.ts";

/** Values of `--allowed-identity-modes`. */
export const IDENTITY_MODES = ["service-principal", "workload-identity", "identity-binding", "managed-identity"] as const;

export type AllowedIdentityMode = (typeof IDENTITY_MODES)[number];

export interface OperatorLimits {
  /** `--allowed-vaults`: names, host names, or addresses. A prefix with namespace and slash restricts an entry to that namespace. */
  readonly allowedVaults: readonly string[];
  readonly allowedIdentityModes: readonly AllowedIdentityMode[];
  /** `--managed-identity-namespaces`: names, or {@link EVERY_NAMESPACE}. Empty: only namespaces with a grant on the Namespace. */
  readonly managedIdentityNamespaces: readonly string[];
  /** `--cloud-name`: the cloud of vaults that the list contains only by name. */
  readonly cloudName: string;
  /** `--identity-bindings`. Missing: off. */
  readonly identityBindings?: boolean;
}

/** Value of `--managed-identity-namespaces` that means all namespaces. */
export const EVERY_NAMESPACE = "*";

const MODES = {
  servicePrincipal: { word: "service-principal", field: "spec.parameters" },
  workloadIdentity: { word: "workload-identity", field: "spec.parameters.clientID" },
  azureTokenProxy: { word: "identity-binding", field: "spec.parameters.useAzureTokenProxy" },
  managedIdentity: { word: "managed-identity", field: "spec.parameters.useVMManagedIdentity" },
} as const satisfies Record<SupportedIdentity["kind"], { readonly word: AllowedIdentityMode; readonly field: string }>;

export function identityModeRefusal(
  { allowedIdentityModes: modes }: Pick<OperatorLimits, "allowedIdentityModes">,
  mode: SupportedIdentity["kind"],
): ClassProblem | undefined {
  const { word, field } = MODES[mode];
  if (modes.length === 0 || modes.includes(word)) return undefined;
  return {
    reason: "IdentityUnavailable",
    message: `this install does not allow ${word} for synced Secrets`,
    field,
    hint: `use ${modes.join(" or ")}, or add ${word} to the setting --allowed-identity-modes`,
  };
}

/** Checks a namespace individually. RBAC has no permission for the node's identity that could be required from the author of a class. */
export function managedIdentityRefusal(
  { managedIdentityNamespaces: listed }: Pick<OperatorLimits, "managedIdentityNamespaces">,
  { namespace, isGranted }: { readonly namespace: string; readonly isGranted: boolean },
): ClassProblem | undefined {
  if (isGranted || listed.includes(EVERY_NAMESPACE) || listed.includes(namespace)) return undefined;
  return {
    reason: "IdentityUnavailable",
    message: `this install does not allow managed-identity for synced Secrets in the namespace ${namespace}`,
    field: MODES.managedIdentity.field,
    hint: `use workload-identity, or add ${namespace} to the setting --managed-identity-namespaces, or set the annotation ${GRANT_ANNOTATIONS.managedIdentity}: ${ALLOWED} on the Namespace with: ${grantCommand({ namespace, managedIdentity: true })}`,
  };
}

type LimitedVaults = Pick<OperatorLimits, "allowedVaults" | "cloudName">;

export function vaultRefusal(
  { allowedVaults: vaults, cloudName }: LimitedVaults,
  { vaultUrl, customScope }: Pick<VaultAddress, "vaultUrl" | "customScope">,
  namespace: string,
): ClassProblem | undefined {
  // The host comes from the class as written. The vault name was checked before, and host names are case-insensitive.
  const host = hostOf(vaultUrl);
  const [name = ""] = host.split(".");
  const isNamed = (entry: string): boolean => entry === host || (entry === name && isInDefaultCloud(cloudName, { host, customScope }));
  const mine = vaults.map(entryOf).filter((entry) => entry.namespace === undefined || entry.namespace === namespace);
  if (vaults.length === 0 || mine.some(({ vault }) => isNamed(vault))) return undefined;
  return {
    reason: "InvalidClass",
    message: `this install does not allow the vault ${name} for synced Secrets`,
    field: "spec.parameters.keyvaultName",
    hint: `use one of ${mine.map(({ vault }) => vault).join(", ")}, or add ${host} to the setting --allowed-vaults`,
  };
}

const SCHEME = "https://";

/** Returns the host of an address, or the text in lower case if it is not an address. */
function hostOf(text: string): string {
  const lower = text.toLowerCase();
  return lower.startsWith(SCHEME) ? (lower.slice(SCHEME.length).split("/")[0] ?? "") : lower;
}

/** Parses `vault` or `namespace/vault`. */
function entryOf(text: string): { readonly namespace: string | undefined; readonly vault: string } {
  const slash = text.toLowerCase().startsWith(SCHEME) ? -1 : text.indexOf("/");
  return slash < 0
    ? { namespace: undefined, vault: hostOf(text) }
    : { namespace: text.slice(0, slash), vault: hostOf(text.slice(slash + 1)) };
}

/** Whether the vault is in the default cloud. In another cloud, the same name belongs to someone else's vault. */
function isInDefaultCloud(
  cloudName: string,
  { host, customScope }: { readonly host: string; readonly customScope: string | undefined },
): boolean {
  const cloud = findCloud(cloudName);
  // If a file describes the default cloud, its suffix is unknown here.
  return cloud.ok ? customScope === undefined && host.endsWith(`.${cloud.value.vaultSuffix}`) : customScope !== undefined;
}

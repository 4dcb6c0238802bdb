/** What whoever runs the install allows classes to use. Both lists: empty is no limit. */
import type { VaultAddress } from "../ports/vault-client.ts";
import type { ClassProblem } from "./problem.ts";
import type { SupportedIdentity } from "./this-version.ts";

/** Words of `--allowed-identity-modes`. */
export const IDENTITY_MODES = ["service-principal", "workload-identity", "managed-identity"] as const;

export type AllowedIdentityMode = (typeof IDENTITY_MODES)[number];

export interface OperatorLimits {
  /** `--allowed-vaults`: names, or host names where the cloud matters. */
  readonly vaults: readonly string[];
  readonly identityModes: readonly AllowedIdentityMode[];
}

const MODES = {
  servicePrincipal: { word: "service-principal", field: "spec.parameters" },
  workloadIdentity: { word: "workload-identity", field: "spec.parameters.clientID" },
  managedIdentity: { word: "managed-identity", field: "spec.parameters.useVMManagedIdentity" },
} as const satisfies Record<SupportedIdentity["kind"], { readonly word: AllowedIdentityMode; readonly field: string }>;

export function identityModeRefusal({ identityModes }: OperatorLimits, mode: SupportedIdentity["kind"]): ClassProblem | undefined {
  const { word, field } = MODES[mode];
  if (identityModes.length === 0 || identityModes.includes(word)) return undefined;
  return {
    reason: "IdentityUnavailable",
    message: `this install does not allow ${word} for synced Secrets`,
    field,
    hint: `use ${identityModes.join(" or ")}, or add ${word} to the setting --allowed-identity-modes`,
  };
}

export function vaultRefusal({ vaults }: OperatorLimits, { vaultUrl }: Pick<VaultAddress, "vaultUrl">): ClassProblem | undefined {
  // As written in the class: its shape is checked before, and host names know no case.
  const host = vaultUrl.slice("https://".length, -1).toLowerCase();
  const [name = ""] = host.split(".");
  const isAllowed = vaults.length === 0 || vaults.some((vault) => [name, host].includes(vault.toLowerCase()));
  if (isAllowed) return undefined;
  return {
    reason: "InvalidClass",
    message: `this install does not allow the vault ${name} for synced Secrets`,
    field: "spec.parameters.keyvaultName",
    hint: `use one of ${vaults.join(", ")}, or add ${name} to the setting --allowed-vaults`,
  };
}

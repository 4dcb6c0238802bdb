import type { SecretProviderClassSpec } from "../kubernetes.ts";
import type { VaultAddress } from "../ports.ts";
import { failed, ok, type Result } from "../result.ts";
import { goQuote } from "./go-text.ts";
import { parameter } from "./identity-mode.ts";
import { type ClassObject, narrowObject } from "./object-rules.ts";
import { readObjects, warningsOf } from "./objects.ts";
import { type ClassParameters, readParameters } from "./parameters.ts";
import type { ClassProblem, ClassWarning } from "./problem.ts";
import { type SupportedIdentity, supportIdentity } from "./this-version.ts";

/** A class that can be fetched. */
export interface ProviderClass {
  readonly address: VaultAddress;
  /** Scope of the token that the vault will ask for. */
  readonly scope: string;
  readonly identity: SupportedIdentity;
  readonly objects: readonly ClassObject[];
  readonly warnings: readonly ClassWarning[];
}

export type ParsedClass =
  | { readonly kind: "class"; readonly providerClass: ProviderClass }
  | { readonly kind: "invalid"; readonly problem: ClassProblem }
  /** Another provider's class: none of our business. */
  | { readonly kind: "notOurs"; readonly provider: string };

export interface ParseOptions {
  /** `namespace/name`, which the driver's messages carry. */
  readonly owner: string;
  /** Cloud of classes without `cloudName`. */
  readonly cloudName: string;
}

const PROVIDER = "azure";

function invalidClass(message: string, field: string, hint: string): { readonly ok: false; readonly error: ClassProblem } {
  return failed({ reason: "InvalidClass", message, field, hint });
}

const MIN_VAULT_NAME = 3;
const MAX_VAULT_NAME = 24;

/** Step 13. */
function vaultNameProblem(name: string): string | undefined {
  const length = new TextEncoder().encode(name).length;
  if (length < MIN_VAULT_NAME || length > MAX_VAULT_NAME) return "must be between 3 and 24 chars";
  return /^[-A-Za-z0-9]+$/.test(name) ? undefined : "must match [-a-zA-Z0-9]{3,24}";
}

const TENANT_MESSAGE =
  "failed to get keyvault client: invalid tenantID. You can locate your tenantID by following the instructions listed here: " +
  "https://learn.microsoft.com/partner-center/find-ids-and-domain-names";

/** Steps 13 and 14. */
function readAddress({ vaultName, tenantId, cloud }: ClassParameters): Result<VaultAddress, ClassProblem> {
  const problem = vaultNameProblem(vaultName);
  if (problem) {
    const message = `failed to get vault: Invalid vault name: ${goQuote(vaultName)}, ${problem}`;
    return invalidClass(message, "spec.parameters.keyvaultName", "write the vault's name alone, without https:// and domain");
  }
  if (!/^[-.0-9A-Za-z]+$/.test(tenantId)) {
    return invalidClass(TENANT_MESSAGE, "spec.parameters.tenantID", "write the tenant's id, a GUID such as the portal shows it");
  }
  return ok({ vaultUrl: `https://${vaultName}.${cloud.vaultSuffix}/`, authorityHost: cloud.authorityHost, tenantId });
}

function readClass(spec: SecretProviderClassSpec, options: ParseOptions): Result<ProviderClass, ClassProblem> {
  const given = spec.parameters ?? {};
  if (Object.keys(given).length === 0) {
    return invalidClass(`parameters not set in ${options.owner}`, "spec.parameters", "set keyvaultName, tenantID and objects");
  }
  const parameters = readParameters(given, options.cloudName);
  if (!parameters.ok) return parameters;
  const identity = supportIdentity(parameters.value.identity);
  if (!identity.ok) return identity;
  const raw = readObjects(parameter(given, "objects"));
  if (!raw.ok) return raw;
  const address = readAddress(parameters.value);
  if (!address.ok && raw.value.length > 0) return address;
  const objects: ClassObject[] = [];
  for (const [index, entry] of raw.value.entries()) {
    const narrowed = narrowObject(entry, index);
    if (!narrowed.ok) return narrowed;
    objects.push(narrowed.value);
  }
  // Without objects nothing is fetched, and the provider does not look at the vault's name either.
  const { vaultName, tenantId, cloud } = parameters.value;
  const unchecked = { vaultUrl: `https://${vaultName}.${cloud.vaultSuffix}/`, authorityHost: cloud.authorityHost, tenantId };
  return ok({
    address: address.ok ? address.value : unchecked,
    scope: cloud.scope,
    identity: identity.value,
    objects,
    warnings: warningsOf(objects),
  });
}

/**
 * Reads a class the way Azure provider v1.8.2 does: same order of checks, same texts. Total: any input gives an
 * answer, in time bounded by its size.
 */
export function parseProviderClass(spec: SecretProviderClassSpec | undefined, options: ParseOptions): ParsedClass {
  const provider = spec?.provider ?? "";
  if (provider !== "" && provider !== PROVIDER) return { kind: "notOurs", provider };
  if (!spec || provider === "") {
    const message = `provider not set in ${options.owner}`;
    return { kind: "invalid", problem: { reason: "InvalidClass", message, field: "spec.provider", hint: "write azure" } };
  }
  const parsed = readClass(spec, options);
  return parsed.ok ? { kind: "class", providerClass: parsed.value } : { kind: "invalid", problem: parsed.error };
}

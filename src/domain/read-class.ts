import type { SecretProviderClassSpec } from "./kubernetes.ts";
import { inPlaceOf, isPlaceholder } from "./placeholder.ts";
import type { VaultAddress } from "./ports/vault-client.ts";
import { objectsProblem, secretObjectsProblem } from "./provider-class/class-limits.ts";
import { goQuote } from "./provider-class/go-text.ts";
import { parameter } from "./provider-class/identity-mode.ts";
import { type ClassObject, narrowObjects } from "./provider-class/object-rules.ts";
import { readObjects, warningsOf } from "./provider-class/objects.ts";
import { type ClassParameters, type CloudOptions, readParameters } from "./provider-class/parameters.ts";
import type { ClassProblem, ClassWarning } from "./provider-class/problem.ts";
import { type SupportedIdentity, supportIdentity } from "./provider-class/this-version.ts";
import { unfilledIdentity, withUnfilled } from "./provider-class/unfilled.ts";
import { failed, ok, type Result } from "./result.ts";
import { secretDataOf } from "./secret-data/read-secret-data.ts";
import { objectSelectorsOf } from "./secret-data/read-selectors.ts";
import { WeakCache } from "./weak-cache.ts";

/** A class whose objects can be fetched. */
export interface ProviderClass {
  readonly address: VaultAddress;
  /** Scope of the token that the vault requires. */
  readonly scope: string;
  readonly identity: SupportedIdentity;
  readonly objects: readonly ClassObject[];
  readonly warnings: readonly ClassWarning[];
}

export type UnusableClass =
  | { readonly kind: "invalid"; readonly problem: ClassProblem }
  /** A class of another provider, which this project ignores. */
  | { readonly kind: "notOurs"; readonly provider: string };

export type ParsedClass = { readonly kind: "class"; readonly providerClass: ProviderClass } | UnusableClass;

/** A class with parameters that are read, and objects that are not read yet. */
export type OpenedClass =
  | {
      readonly kind: "opened";
      readonly identity: SupportedIdentity;
      /** Reads the rest of the class. Call it after the identity is available. */
      readonly readObjects: () => Result<ProviderClass, ClassProblem>;
    }
  | UnusableClass;

export interface ParseOptions extends CloudOptions {
  /** `namespace/name`, which the driver's messages contain. */
  readonly owner: string;
}

const PROVIDER = "azure";

function invalidClass(message: string, field: string, hint: string): ClassProblem {
  return { reason: "InvalidClass", message, field, hint };
}

const MIN_VAULT_NAME = 3;
export const MAX_VAULT_NAME = 24;

/** Runs step 13. */
function vaultNameProblem(name: string): string | undefined {
  const length = new TextEncoder().encode(name).length;
  if (length < MIN_VAULT_NAME || length > MAX_VAULT_NAME) return "must be between 3 and 24 chars";
  return /^[-A-Za-z0-9]+$/.test(name) ? undefined : "must match [-a-zA-Z0-9]{3,24}";
}

function vaultNameHint(name: string): string {
  if (isPlaceholder(name)) return `write the vault's name${inPlaceOf(name)}`;
  if (/[/.]/.test(name)) return "write only the vault's name, without https:// and domain";
  return `write the vault's name: ${MIN_VAULT_NAME} to ${MAX_VAULT_NAME} letters, digits, and dashes`;
}

const TENANT_MESSAGE =
  "failed to get keyvault client: invalid tenantID. You can locate your tenantID by following the instructions listed here: " +
  "https://learn.microsoft.com/partner-center/find-ids-and-domain-names";

/**
 * Whether the tenant id can be a part of a Microsoft Entra address, and is not a placeholder. The token of a managed identity does not come from
 * that address.
 */
function hasUsableTenant({ tenantId, identity }: ClassParameters): boolean {
  return identity.kind === "managedIdentity" || (/^[-.0-9A-Za-z]+$/.test(tenantId) && !isPlaceholder(tenantId));
}

/** Runs steps 13 and 14. */
function addressProblem(parameters: ClassParameters): ClassProblem | undefined {
  const { vaultName } = parameters;
  const problem = vaultNameProblem(vaultName);
  if (problem) {
    const message = `failed to get vault: Invalid vault name: ${goQuote(vaultName)}, ${problem}`;
    return invalidClass(message, "spec.parameters.keyvaultName", vaultNameHint(vaultName));
  }
  if (hasUsableTenant(parameters)) return undefined;
  const { tenantId } = parameters;
  return invalidClass(
    TENANT_MESSAGE,
    "spec.parameters.tenantID",
    `write the tenant's id${inPlaceOf(tenantId)}, a GUID such as the portal shows it`,
  );
}

/** Refuses a placeholder. The provider notices it only when it signs in. */
function identityProblem({ identity }: ClassParameters): ClassProblem | undefined {
  const unfilled = unfilledIdentity(identity);
  if (unfilled === undefined) return undefined;
  const { field, value } = unfilled;
  return invalidClass(
    `${field} is still a placeholder`,
    `spec.parameters.${field}`,
    `write the client id of the identity${inPlaceOf(value)}`,
  );
}

export type ReadEntries = ReturnType<typeof readObjects>;

/**
 * Entries of `objects`, by the spec that contains them. The worker reads a class at each poll, and its spec remains the same object until
 * the class changes.
 */
const entries = new WeakCache<SecretProviderClassSpec, ReadEntries>();

export function hasReadEntries(spec: SecretProviderClassSpec): boolean {
  return entries.has(spec);
}

/** Returns undefined if the class has not been read yet. To read it may take long. */
export function readEntriesOf(spec: SecretProviderClassSpec): ReadEntries | undefined {
  return entries.get(spec);
}

/** Reads the entries once for each spec, however many callers there are. */
export function entriesOf(spec: SecretProviderClassSpec): ReadEntries {
  return entries.getOrCreate(spec, () => readObjects(parameter(spec.parameters ?? {}, "objects")));
}

/** Stores entries that another thread has read, before the class is read. */
export function rememberEntries(spec: SecretProviderClassSpec, read: ReadEntries): void {
  entries.getOrCreate(spec, () => read);
}

/** Runs steps 9 to 14. */
function readContent(
  parameters: ClassParameters,
  identity: SupportedIdentity,
  spec: SecretProviderClassSpec,
): Result<ProviderClass, ClassProblem> {
  const raw = entriesOf(spec);
  if (!raw.ok) return raw;
  const tooMany = objectsProblem(raw.value);
  if (tooMany) return failed(tooMany);
  // Without objects there is nothing to fetch, and the provider does not check the vault's name either.
  const problem = raw.value.length > 0 ? (addressProblem(parameters) ?? identityProblem(parameters)) : undefined;
  if (problem) return failed(withUnfilled(problem, parameters, raw.value));
  const narrowed = narrowObjects(raw.value);
  if (!narrowed.ok) return narrowed;
  const objects = narrowed.value;
  const secretData = secretDataOf(spec);
  if (!secretData.ok) return secretData;
  const selectors = objectSelectorsOf(spec);
  if (!selectors.ok) return selectors;
  const { vaultName, tenantId, cloud } = parameters;
  return ok({
    address: {
      vaultUrl: `https://${vaultName}.${cloud.vaultSuffix}/`,
      authorityHost: cloud.authorityHost,
      tenantId,
      ...(cloud.isCustom === undefined ? {} : { customScope: cloud.scope }),
      ...(cloud.apiVersion === undefined ? {} : { apiVersion: cloud.apiVersion }),
    },
    scope: cloud.scope,
    identity,
    objects,
    warnings: warningsOf(objects),
  });
}

/**
 * Reads a class up to the point where its identity is necessary, with the order and the texts of Azure provider v1.8.2. The provider checks
 * the credentials before the objects. A caller does the same if it gets the identity before it calls `readObjects`. Never throws, and takes
 * time bounded by the size of the input.
 */
export function openProviderClass(spec: SecretProviderClassSpec | undefined, options: ParseOptions): OpenedClass {
  const provider = spec?.provider ?? "";
  if (provider !== "" && provider !== PROVIDER) return { kind: "notOurs", provider };
  if (!spec || provider === "")
    return { kind: "invalid", problem: invalidClass(`provider not set in ${options.owner}`, "spec.provider", "write azure") };
  const tooMany = secretObjectsProblem(spec.secretObjects ?? []);
  if (tooMany) return { kind: "invalid", problem: tooMany };
  const given = spec.parameters ?? {};
  if (Object.keys(given).length === 0) {
    const message = `parameters not set in ${options.owner}`;
    return { kind: "invalid", problem: invalidClass(message, "spec.parameters", "set keyvaultName, tenantID and objects") };
  }
  const parameters = readParameters(given, options);
  if (!parameters.ok) return { kind: "invalid", problem: parameters.error };
  const identity = supportIdentity(parameters.value.identity, options);
  if (!identity.ok) return { kind: "invalid", problem: identity.error };
  const content = () => readContent(parameters.value, identity.value, spec);
  return { kind: "opened", identity: identity.value, readObjects: content };
}

/** Reads everything of a class that needs no other input. */
export function parseProviderClass(spec: SecretProviderClassSpec | undefined, options: ParseOptions): ParsedClass {
  const opened = openProviderClass(spec, options);
  if (opened.kind !== "opened") return opened;
  const parsed = opened.readObjects();
  return parsed.ok ? { kind: "class", providerClass: parsed.value } : { kind: "invalid", problem: parsed.error };
}

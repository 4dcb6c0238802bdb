import { findByFile, hasHistory, stemOf } from "../content/version-history.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { parameter } from "../provider-class/identity-mode.ts";
import { type ClassObject, narrowObjects } from "../provider-class/object-rules.ts";
import { type CloudOptions, readParameters } from "../provider-class/parameters.ts";
import { entriesOf } from "../read-class.ts";
import { entryKey, filesOfEntry, type SecretObjectEntries } from "../secret-data/data-entries.ts";
import { nearestSpelling } from "../spelling.ts";
import { timeOf } from "../written-at.ts";

/** A key of a Secret that a class names, and the object from which its file is made. */
export interface NamedKey {
  readonly key: string;
  readonly object: ClassObject;
  /** Place in the object's history; undefined for an object without a history. */
  readonly index: number | undefined;
}

export interface NamedSecret {
  readonly name: string;
  readonly keys: readonly NamedKey[];
}

/** Objects and Secrets that a class names, even if the objects cannot be fetched. */
export interface ReadClass {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number | undefined;
  /** Unix milliseconds. */
  readonly createdAt: number | undefined;
  /** For example, `https://shop.vault.azure.net`. Only the vault's name if the class's cloud is unknown. */
  readonly vault: string;
  readonly objects: readonly ClassObject[];
  readonly secrets: readonly NamedSecret[];
}

export type ClassReading =
  | { readonly kind: "class"; readonly read: ReadClass }
  /** The text of the class does not name its objects in a readable way. */
  | { readonly kind: "unreadable"; readonly why: string };

/** Entries of a class that create Secrets, with the effective names of the Secrets. */
export type NamedSecretObjects = readonly (SecretObjectEntries & { readonly secretName: string })[];

/** Reads the objects and Secrets that a class of the Azure provider names. A wrong identity does not matter. */
export function readClass(spc: SecretProviderClass, secretObjects: NamedSecretObjects, cloud: CloudOptions): ClassReading {
  const { namespace = "", name, generation, creationTimestamp } = spc.metadata;
  const parameters = spc.spec?.parameters ?? {};
  const raw = entriesOf(spc.spec ?? {});
  if (!raw.ok) return { kind: "unreadable", why: raw.error.message };
  const narrowed = narrowObjects(raw.value);
  if (!narrowed.ok) return { kind: "unreadable", why: narrowed.error.message };
  const objects = narrowed.value;
  return {
    kind: "class",
    read: {
      namespace,
      name,
      generation,
      createdAt: timeOf(creationTimestamp),
      vault: vaultOf(parameters, cloud),
      objects,
      secrets: secretsOf(secretObjects, objects),
    },
  };
}

function vaultOf(parameters: Readonly<Record<string, string>>, cloud: CloudOptions): string {
  const read = readParameters(parameters, cloud);
  const address = read.ok ? `https://${read.value.vaultName}.${read.value.cloud.vaultSuffix}` : parameter(parameters, "keyvaultName");
  return address.toLowerCase();
}

function secretsOf(secretObjects: NamedSecretObjects, objects: readonly ClassObject[]): readonly NamedSecret[] {
  const find = findByFile(objects, (object) => object);
  return secretObjects.map(({ secretName, data = [] }) => ({
    name: secretName,
    keys: data.flatMap((entry) =>
      filesOfEntry(entry).flatMap((file) => {
        const object = find(file);
        if (object === undefined) return [];
        const index = hasHistory(object) ? Number(stemOf(file).split("/").at(-1)) : undefined;
        return [{ key: entryKey(entry), object, index }];
      }),
    ),
  }));
}

/**
 * Whether a vault matches the user's pattern: its name, or its address with or without `https://`. If one of the two is only a name, the
 * names are compared.
 */
export function isVault(vault: string, wanted: string): boolean {
  const [have, want] = [hostOf(vault), hostOf(wanted)];
  const isNamed = !want.includes(".") || !have.includes(".");
  return have === want || (isNamed && have.split(".")[0] === want.split(".")[0]);
}

function hostOf(address: string): string {
  return address
    .toLowerCase()
    .replace(/^https:\/\//, "")
    .replace(/[/:].*$/, "");
}

/** Returns the name of the vault that the user may mean: one with a similar name, or one whose name contains the text. */
export function nearestVault(wanted: string, vaults: readonly string[]): string | undefined {
  const [want = "", ...names] = [wanted, ...vaults].map(vaultName);
  return nearestSpelling(want, names) ?? names.find((name) => name.includes(want));
}

/** Returns the first part of the vault's host. */
export function vaultName(vault: string): string {
  return hostOf(vault).split(".")[0] ?? "";
}

/** Returns the pinned version of the entry; undefined if the entry follows the newest version. */
export function pinOf({ version }: ClassObject): string | undefined {
  return version === "latest" ? undefined : version;
}

/** Whether the class was neither edited nor recreated after that time. Users can change the times of edits, but not the generation. */
export function isUneditedSince({ generation, createdAt }: Pick<ReadClass, "generation" | "createdAt">, at: number | undefined): boolean {
  return generation === 1 && createdAt !== undefined && at !== undefined && createdAt < at;
}

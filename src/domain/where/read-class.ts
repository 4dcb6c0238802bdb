import { findByFile, hasHistory, stemOf } from "../content/version-history.ts";
import type { SecretProviderClass } from "../kubernetes.ts";
import { parameter } from "../provider-class/identity-mode.ts";
import { type ClassObject, narrowObjects } from "../provider-class/object-rules.ts";
import { type CloudOptions, readParameters } from "../provider-class/parameters.ts";
import { entriesOf } from "../read-class.ts";
import { entryKey, filesOfEntry, type SecretObjectEntries } from "../secret-data/data-entries.ts";

/** A key of a Secret that a class names, with the object that its file is made from. */
export interface NamedKey {
  readonly key: string;
  readonly object: ClassObject;
  /** Place in the object's history; undefined for an object without one. */
  readonly index: number | undefined;
}

export interface NamedSecret {
  readonly name: string;
  readonly keys: readonly NamedKey[];
}

/** What a class names, whether or not anybody could fetch it. */
export interface ReadClass {
  readonly namespace: string;
  readonly name: string;
  /** `https://shop.vault.azure.net`; the vault's name alone where the class does not say in which cloud it is. */
  readonly vault: string;
  readonly objects: readonly ClassObject[];
  readonly secrets: readonly NamedSecret[];
}

export type ClassReading =
  | { readonly kind: "class"; readonly read: ReadClass }
  /** Its text names no objects that anybody could tell. */
  | { readonly kind: "unreadable"; readonly why: string };

/** The entries of a class that make Secrets, with their names as they count. */
export type NamedSecretObjects = readonly (SecretObjectEntries & { readonly secretName: string })[];

/** Reads what a class of ours names. Its identity may be wrong: it names its objects all the same. */
export function readClass(spc: SecretProviderClass, secretObjects: NamedSecretObjects, cloud: CloudOptions): ClassReading {
  const { namespace = "", name } = spc.metadata;
  const parameters = spc.spec?.parameters ?? {};
  const raw = entriesOf(spc.spec ?? {});
  if (!raw.ok) return { kind: "unreadable", why: raw.error.message };
  const narrowed = narrowObjects(raw.value);
  if (!narrowed.ok) return { kind: "unreadable", why: narrowed.error.message };
  const objects = narrowed.value;
  return {
    kind: "class",
    read: { namespace, name, vault: vaultOf(parameters, cloud), objects, secrets: secretsOf(secretObjects, objects) },
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

/** The pattern that a user gives for a vault: its name, or its address with or without `https://`. Where one of the two is a name, names count. */
export function isVault(vault: string, wanted: string): boolean {
  const host = (address: string): string =>
    address
      .toLowerCase()
      .replace(/^https:\/\//, "")
      .replace(/[/:].*$/, "");
  const [have, want] = [host(vault), host(wanted)];
  const isNamed = !want.includes(".") || !have.includes(".");
  return have === want || (isNamed && have.split(".")[0] === want.split(".")[0]);
}

/** The version that the entry names, and no other; undefined: the newest. */
export function pinOf({ version }: ClassObject): string | undefined {
  return version === "latest" ? undefined : version;
}

/**
 * The classes that the users of a world write, as data, so that the invariants know the intended content without reading the classes back.
 */
import { classOf } from "../../support/worker/sync-world.ts";
import type { Random } from "../time/random.ts";
import type { SimulatedVault } from "./vaults.ts";

export interface WantedEntry {
  readonly object: string;
  /** A certificate also has the certificate without its key (`cert`), and its public key (`key`). */
  readonly type: "secret" | "cert" | "key";
  /** Id of the version; undefined: the latest. */
  readonly pinned: string | undefined;
  /** File name, for an object that occurs twice. */
  readonly alias: string | undefined;
  /** `objectEncoding: base64`: the file is the decoded value. */
  readonly isDecoded: boolean;
}

export interface WantedSecret {
  readonly name: string;
  /** Indexes of the entries that have a key in the Secret. */
  readonly keys: readonly number[];
  /** Value of a label that the author sets. */
  readonly label: string | undefined;
}

export interface WantedClass {
  readonly namespace: string;
  readonly name: string;
  readonly vault: string;
  readonly entries: readonly WantedEntry[];
  readonly secrets: readonly WantedSecret[];
  readonly sync: "always" | "while-used" | "never" | undefined;
  /** Minutes; undefined: the worker's own interval. */
  readonly intervalMinutes: number | undefined;
}

/** Minutes; 0: the class has no interval. Polls cost the most and seldom show anything, so most classes have long intervals. */
const INTERVALS = [0, 2, 5, 10, 10, 30, 30, 30, 30, 60, 60, 60, 60, 60, 60, 60];

const CERTIFICATE_TYPES = ["secret", "secret", "cert", "key"] as const;

export function drawClass(
  random: Random,
  where: { readonly namespace: string; readonly name: string; readonly vault: SimulatedVault },
): WantedClass {
  const names = [...where.vault.objects.keys()];
  const count = 1 + random.below(3);
  const entries: WantedEntry[] = Array.from({ length: count }, () => {
    const object = random.pick(names);
    const isCertificate = where.vault.objects.get(object)?.isCertificate === true;
    return {
      object,
      type: isCertificate ? random.pick(CERTIFICATE_TYPES) : ("secret" as const),
      pinned: undefined,
      alias: undefined,
      // The file of a certificate is text already.
      isDecoded: random.chance(0.2) && !isCertificate,
    };
  }).filter((entry, index, all) => all.findIndex(({ object }) => object === entry.object) === index);
  const [first] = entries;
  // A usual setup before a rotation: today's version by its id, and the latest version.
  const version = first === undefined ? undefined : where.vault.objects.get(first.object)?.versions.at(-1)?.version;
  const isTwice = first !== undefined && version !== undefined && random.chance(0.25);
  const all =
    isTwice && first !== undefined
      ? [{ object: first.object, type: first.type, pinned: version, alias: `${first.object}-before`, isDecoded: false }, ...entries]
      : entries;
  const drawn = random.next();
  return {
    namespace: where.namespace,
    name: where.name,
    vault: where.vault.name,
    entries: all,
    secrets: drawSecrets(random, where.name, all.length),
    sync: drawn < 0.6 ? undefined : drawn < 0.75 ? "always" : "while-used",
    intervalMinutes: random.pick(INTERVALS) || undefined,
  };
}

/** Draws a class without secretObjects: pods mount it, and no Secret contains its values. */
export function drawMountedClass(
  random: Random,
  where: { readonly namespace: string; readonly name: string; readonly vault: SimulatedVault },
): WantedClass {
  const drawn = drawClass(random, where);
  return { ...drawn, entries: drawn.entries.filter(({ pinned }) => pinned === undefined), secrets: [], sync: undefined };
}

function drawSecrets(random: Random, name: string, entries: number): readonly WantedSecret[] {
  const count = 1 + random.below(2);
  return Array.from({ length: count }, (_, index) => {
    const keys = Array.from({ length: entries }, (__, entry) => entry).filter(() => random.chance(0.7));
    const label = random.chance(0.3) ? "of-its-author" : undefined;
    return { name: `${name}-${index}`, keys: keys.length === 0 ? [random.below(entries)] : keys, label };
  });
}

/** Changes the class slightly. The objects stay the same. */
export function slightlyChanged(random: Random, wanted: WantedClass): WantedClass {
  const drawn = random.below(4);
  // Changes only an annotation, so the class keeps its generation.
  if (drawn === 3) return { ...wanted, intervalMinutes: random.pick(INTERVALS) || undefined };
  const at = random.below(wanted.secrets.length);
  const changed = (change: (secret: WantedSecret) => WantedSecret): WantedClass => ({
    ...wanted,
    secrets: wanted.secrets.map((secret, index) => (index === at ? change(secret) : secret)),
  });
  if (drawn === 0) return changed((secret) => ({ ...secret, label: secret.label === undefined ? "added" : undefined }));
  if (drawn === 1 && (wanted.secrets[at]?.keys.length ?? 0) > 1) return changed((secret) => ({ ...secret, keys: secret.keys.slice(1) }));
  const entry = random.below(wanted.entries.length);
  const entries = wanted.entries.map((each, index) => (index === entry && isPlain(each) ? { ...each, isDecoded: !each.isDecoded } : each));
  return { ...wanted, entries };
}

/** Whether the object is not a certificate. */
function isPlain({ object }: WantedEntry): boolean {
  return object.startsWith("object-");
}

/** Returns the class with another label on each of its Secrets, as a new release of an application changes it. */
export function relabelled(wanted: WantedClass, label: string): WantedClass {
  return { ...wanted, secrets: wanted.secrets.map((secret) => ({ ...secret, label })) };
}

/** Returns the name of an entry's file, which secretObjects name. */
export function fileOf({ object, alias }: WantedEntry): string {
  return alias ?? object;
}

/** Returns the Secret key of an entry. */
export function keyOf(entry: WantedEntry): string {
  return `key-${fileOf(entry)}`;
}

/** The key that joins several entries. */
export const JOINED_KEY = "joined";
export const SEPARATOR = "|";

/** Returns the entries that a Secret joins: two, if the Secret has at least two entries with plain text. */
export function joinedIn({ entries }: WantedClass, { keys }: WantedSecret): readonly WantedEntry[] {
  const texts = keys.flatMap((index) => entries[index] ?? []).filter((entry) => isPlain(entry) && !entry.isDecoded);
  return texts.length < 2 ? [] : texts.slice(0, 2);
}

function secretDataOf(wanted: WantedClass): string {
  const joined = wanted.secrets.flatMap((secret) => {
    const files = joinedIn(wanted, secret).map((entry) => `object("${fileOf(entry)}")`);
    return files.length === 0 ? [] : [`${secret.name}:\n  ${JOINED_KEY}: join("${SEPARATOR}", ${files.join(", ")})\n`];
  });
  return joined.join("");
}

/** Returns the manifest that the author applies. */
export function manifestOf(wanted: WantedClass, tenantId: string): object {
  const { namespace, name, vault, entries, secrets, sync, intervalMinutes } = wanted;
  const annotations = {
    ...(sync === undefined ? {} : { "keyvault-injector.dev/sync": sync }),
    ...(intervalMinutes === undefined ? {} : { "keyvault-injector.dev/rotation-poll-interval": `${intervalMinutes}m` }),
  };
  const objects = entries.map(({ object, type, pinned, alias, isDecoded }) => ({
    objectName: object,
    objectType: type,
    ...(pinned === undefined ? {} : { objectVersion: pinned }),
    ...(alias === undefined ? {} : { objectAlias: alias }),
    ...(isDecoded ? { objectEncoding: "base64" } : {}),
  }));
  const secretObjects = secrets.map((secret) => ({
    secretName: secret.name,
    type: "Opaque",
    ...(secret.label === undefined ? {} : { labels: { "example.com/mark": secret.label } }),
    data: [
      ...secret.keys.flatMap((index) => {
        const entry = entries[index];
        return entry === undefined ? [] : [{ objectName: fileOf(entry), key: keyOf(entry) }];
      }),
      ...joinedIn(wanted, secret)
        .slice(0, 1)
        .map((entry) => ({ objectName: fileOf(entry), key: JOINED_KEY })),
    ],
  }));
  const secretData = secretDataOf(wanted);
  const parameters = secretData === "" ? {} : { secretData };
  return classOf({ vault, tenantId }, { namespace, name, objects, secretObjects, annotations, parameters });
}

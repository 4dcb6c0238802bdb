/** The classes that the users of a world write, as data: what a class is to mean is known without reading it back. */
import { classOf } from "../../support/worker/sync-world.ts";
import type { Random } from "../time/random.ts";
import type { SimulatedVault } from "./vaults.ts";

export interface WantedEntry {
  readonly object: string;
  /** Of a certificate also its certificate alone, and its public key. */
  readonly type: "secret" | "cert" | "key";
  /** A version by its id; undefined: the latest. */
  readonly pinned: string | undefined;
  /** File name, where one object is named twice. */
  readonly alias: string | undefined;
  /** `objectEncoding: base64`: the file is what the value decodes to. */
  readonly isDecoded: boolean;
}

export interface WantedSecret {
  readonly name: string;
  /** Keys to entries, by index. */
  readonly keys: readonly number[];
  /** Value of a label of its author's. */
  readonly label: string | undefined;
}

export interface WantedClass {
  readonly namespace: string;
  readonly name: string;
  readonly vault: string;
  readonly entries: readonly WantedEntry[];
  readonly secrets: readonly WantedSecret[];
  readonly sync: "always" | "while-used" | "never" | undefined;
  /** Minutes; undefined: the worker's own. */
  readonly intervalMinutes: number | undefined;
}

/** Minutes; 0: the class says nothing. Polls are what costs most, and seldom says anything: most classes are polled seldom. */
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
      // A certificate's file is text as it is.
      isDecoded: random.chance(0.2) && !isCertificate,
    };
  }).filter((entry, index, all) => all.findIndex(({ object }) => object === entry.object) === index);
  const [first] = entries;
  // The usual set-up before a rotation: today's version by its id, and the latest.
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

/** Without secretObjects: pods mount it, and no Secret has its values. */
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

/** The same class but for one thing that says nothing of which objects it names. */
export function slightlyChanged(random: Random, wanted: WantedClass): WantedClass {
  const drawn = random.below(4);
  // Of an annotation alone: the class keeps its generation.
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

/** No certificate. */
function isPlain({ object }: WantedEntry): boolean {
  return object.startsWith("object-");
}

/** The same class with another label on each of its Secrets, as a new release of what it is part of. */
export function relabelled(wanted: WantedClass, label: string): WantedClass {
  return { ...wanted, secrets: wanted.secrets.map((secret) => ({ ...secret, label })) };
}

/** The name of an entry's file, which secretObjects name. */
export function fileOf({ object, alias }: WantedEntry): string {
  return alias ?? object;
}

/** Of an entry: keys may not hold what file names may. */
export function keyOf(entry: WantedEntry): string {
  return `key-${fileOf(entry)}`;
}

/** The key that is made of several entries. */
export const JOINED_KEY = "joined";
export const SEPARATOR = "|";

/** Of which entries a Secret has a value together: two, where two of its entries are texts as they are. */
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

/** As its author applies it. */
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

import type { HeldVersion } from "./object-reference.ts";
import { referenceKey } from "./object-reference.ts";
import type { NamedKey, ReadClass } from "./read-class.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StatedKey, StoredSecret } from "./stored-versions.ts";
import type { Evidence } from "./usage.ts";

/** Since when a Secret has the version that it has. Times are Unix milliseconds. */
export interface Arrival {
  readonly at: number;
  /** False: then or before, because a repair writes the Secret, too. */
  readonly isExact: boolean;
  /** The Secret was made with this version: nothing that needs it could start before. */
  readonly isFirst: boolean;
}

/** What a Secret holds of an object under one key. */
export interface KeyVersion extends NamedKey {
  readonly version: string | undefined;
  readonly evidence: Evidence;
  readonly why?: string;
  readonly arrival: Arrival | undefined;
  /** Of the version in the vault. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
}

/** What the Secret of that name holds under a key that the class writes. */
export function keyVersionOf(snapshot: Snapshot, spc: ReadClass, secretName: string, named: NamedKey): KeyVersion {
  const { namespace, name: className } = spc;
  const stated = snapshot
    .classStatus(namespace, className)
    ?.secrets.get(secretName)
    ?.find(({ key, held }) => key === named.key && isOf(held, named));
  const stored = snapshot.secret(namespace, secretName);
  const { version, evidence, why } =
    stored === undefined ? byStatus(snapshot, namespace, stated) : bySecret(stored, className, named, stated);
  // Where the Secret itself tells nothing, what the worker said last of it is what there is.
  const isStated = stated !== undefined && (version === undefined || stated.held.version === version);
  return {
    ...named,
    version,
    evidence,
    ...(why === undefined ? {} : { why }),
    arrival: version === undefined ? undefined : arrivalOf(stored, isStated ? stated.since : undefined),
    updated: isStated ? stated.updated : undefined,
    expires: isStated ? stated.expires : undefined,
  };
}

type Found = Pick<KeyVersion, "version" | "evidence" | "why">;

const nothing = (why: string): Found => ({ version: undefined, evidence: "none", why });

function bySecret({ className, versions }: StoredSecret, asked: string, named: NamedKey, stated: StatedKey | undefined): Found {
  if (className !== asked) return nothing(`the Secret belongs to class ${className}`);
  const found = new Set(versions.filter((held) => isOf(held, named)).map(({ version }) => version));
  const [only, second] = found;
  if (only === undefined) return nothing("the Secret has no version of the object");
  if (second === undefined) return { version: only, evidence: "annotation" };
  // A class may name two versions of one object: the status says which key has which.
  if (stated !== undefined && found.has(stated.held.version)) return { version: stated.held.version, evidence: "annotation" };
  return nothing("the Secret has several versions of the object, and the status of the class does not show which key has which");
}

/** The Secret may not be seen, or is not there. */
function byStatus(snapshot: Snapshot, namespace: string, stated: StatedKey | undefined): Found {
  const unseen = snapshot.unseen("secrets", namespace);
  if (unseen === undefined) return nothing("the Secret does not exist, or the worker did not write it");
  if (stated === undefined) return nothing(snapshot.unseen("classStatuses", namespace) ?? unseen);
  return { version: stated.held.version, evidence: "class-status", why: unseen };
}

function isOf(held: HeldVersion, { object, index }: NamedKey): boolean {
  return referenceKey(held) === referenceKey(object) && held.index === index;
}

/** The status is written right behind the Secret: a write before it is the one that brought the version. */
function arrivalOf(stored: StoredSecret | undefined, since: number | undefined): Arrival | undefined {
  const { writtenAt, createdAt } = stored ?? {};
  const isFirst = writtenAt !== undefined && writtenAt === createdAt;
  if (since === undefined) return writtenAt === undefined ? undefined : { at: writtenAt, isExact: isFirst, isFirst };
  // One that was deleted and made again had the version before.
  return { at: Math.min(since, writtenAt ?? since), isExact: true, isFirst: isFirst && createdAt <= since };
}

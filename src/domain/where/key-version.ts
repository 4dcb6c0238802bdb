import type { HeldVersion } from "./object-reference.ts";
import { referenceKey } from "./object-reference.ts";
import type { NamedKey, ReadClass } from "./read-class.ts";
import type { Snapshot } from "./snapshot.ts";
import type { StatedKey, StoredSecret } from "./stored-versions.ts";
import type { Evidence } from "./usage.ts";

/** Time at which a Secret got its version. Times are Unix milliseconds. */
export interface Arrival {
  readonly at: number;
  /** False if the Secret may have had the version earlier, because a repair also writes the Secret. */
  readonly isExact: boolean;
  /** Whether the worker created the Secret with this version, so that no container that needs it could start earlier. */
  readonly isFirst: boolean;
}

/** Version of an object under one key of a Secret. */
export interface KeyVersion extends NamedKey {
  readonly version: string | undefined;
  readonly evidence: Evidence;
  readonly why?: string;
  readonly arrival: Arrival | undefined;
  /** Update time of the version in the vault. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
  /** The worker's status of the key, even if the Secret has another version. */
  readonly stated: StatedKey | undefined;
}

/** Determines the version that the Secret has under a key that the class writes. */
export function keyVersionOf(snapshot: Snapshot, spc: ReadClass, secretName: string, named: NamedKey): KeyVersion {
  const { namespace, name: className } = spc;
  const stated = snapshot
    .classStatus(namespace, className)
    ?.secrets.get(secretName)
    ?.find(({ key, held }) => key === named.key && isOf(held, named));
  const stored = snapshot.secret(namespace, secretName);
  const { version, evidence, why } =
    stored === undefined ? byStatus(snapshot, namespace, stated) : bySecret(stored, className, named, stated);
  // If the Secret itself shows no version, the last status of the worker is the only source.
  const isStated = stated !== undefined && (version === undefined || stated.held.version === version);
  return {
    ...named,
    version,
    evidence,
    ...(why === undefined ? {} : { why }),
    arrival: version === undefined ? undefined : arrivalOf(stored, isStated ? stated.since : undefined),
    updated: isStated ? stated.updated : undefined,
    expires: isStated ? stated.expires : undefined,
    stated,
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
  // A class may name two versions of one object. The status shows which key has which version.
  if (stated !== undefined && found.has(stated.held.version)) return { version: stated.held.version, evidence: "annotation" };
  return nothing("the Secret has several versions of the object, and the status of the class does not show which key has which");
}

/** Uses the status, because the user cannot see the Secret, or the Secret does not exist. */
function byStatus(snapshot: Snapshot, namespace: string, stated: StatedKey | undefined): Found {
  const unseen = snapshot.unseen("secrets", namespace);
  if (unseen === undefined) return nothing("the Secret does not exist, or the worker did not write it");
  if (stated === undefined) return nothing(snapshot.unseen("classStatuses", namespace) ?? unseen);
  return { version: stated.held.version, evidence: "class-status", why: unseen };
}

function isOf(held: HeldVersion, { object, index }: NamedKey): boolean {
  return referenceKey(held) === referenceKey(object) && held.index === index;
}

/** Combines the times. The worker writes the status right after the Secret, so an earlier write of the Secret brought the version. */
function arrivalOf(stored: StoredSecret | undefined, since: number | undefined): Arrival | undefined {
  const { writtenAt, createdAt } = stored ?? {};
  const isFirst = writtenAt !== undefined && writtenAt === createdAt;
  if (since === undefined) return writtenAt === undefined ? undefined : { at: writtenAt, isExact: isFirst, isFirst };
  // A recreated Secret had the version before.
  return { at: Math.min(since, writtenAt ?? since), isExact: true, isFirst: isFirst && createdAt <= since };
}

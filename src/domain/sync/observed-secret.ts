import { objectAt } from "../json-members.ts";
import type { ManagedFieldsEntry, ObjectRef } from "../kubernetes.ts";

/** A live Secret with the worker's label, without its values. */
export interface ObservedSecret {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Keys that the worker owns according to `managedFields`. Others added everything else, and the worker leaves that unchanged. */
  readonly owned: OwnedFields;
  /** Whether the values under the worker's keys are the ones that the worker wrote. */
  readonly isContentIntact: boolean;
  /**
   * Whether the Secret looks like one of this install but lacks the proof that this install created it. Anyone can set the label, the
   * annotations and the field manager.
   */
  readonly lacksProof?: boolean;
  /** Latest write by another field manager. */
  readonly lastForeign?: ForeignWrite | undefined;
  /** Whether the Secret has owner references: Kubernetes deletes it with the last of its owners. Secrets of the worker never have any. */
  readonly hasOwners?: boolean;
  /** Unix milliseconds of the worker's last change of the Secret, according to `managedFields`. */
  readonly writtenAt?: number | undefined;
  /** Unix milliseconds. */
  readonly createdAt?: number | undefined;
  /**
   * Whether the worker holds only the identity and the worker's marks, because the Secrets of the namespace use all the room. Decisions
   * about its content then need the live Secret.
   */
  readonly isPartial?: boolean;
}

/** According to `managedFields`: the field manager, which is not always the user, and the time. */
export interface ForeignWrite {
  readonly manager: string;
  /** RFC 3339. */
  readonly time: string | undefined;
}

export interface OwnedFields {
  readonly data: readonly string[];
  readonly labels: readonly string[];
  readonly annotations: readonly string[];
}

/**
 * Returns the keys that a manager owns. For the API server, its create and its applies are separate entries (`Update` and `Apply`).
 * Dropping a key from an apply removes only fields that the `Apply` entry alone owns, so this is the union of both.
 */
export function ownedFields(entries: readonly ManagedFieldsEntry[], manager: string): OwnedFields {
  const own = entries.filter((entry) => entry.manager === manager && entry.subresource === undefined);
  const keysAt = (...path: readonly string[]): readonly string[] => {
    const keys = own.flatMap((entry) => Object.keys(objectAt(entry.fieldsV1, path) ?? {}));
    return [...new Set(keys.filter((key) => key.startsWith("f:")).map((key) => key.slice(2)))];
  };
  return { data: keysAt("f:data"), labels: keysAt("f:metadata", "f:labels"), annotations: keysAt("f:metadata", "f:annotations") };
}

/**
 * Returns the latest write by a manager other than `manager`, if it is not older than the last write of `manager`: older writes were undone
 * or did no damage. A manager that only removes fields leaves no entry, so it stays unknown.
 */
export function lastForeignWrite(entries: readonly ManagedFieldsEntry[], manager: string): ForeignWrite | undefined {
  const own = entries.filter((entry) => entry.manager === manager).map(({ time = "" }) => time);
  const since = own.reduce((last, time) => (time > last ? time : last), "");
  const foreign = entries.filter((entry) => entry.manager !== undefined && entry.manager !== manager && (entry.time ?? "") >= since);
  const latest = foreign.reduce<ManagedFieldsEntry | undefined>(
    (last, entry) => (last === undefined || (entry.time ?? "") >= (last.time ?? "") ? entry : last),
    undefined,
  );
  return latest?.manager === undefined ? undefined : { manager: latest.manager, time: latest.time };
}

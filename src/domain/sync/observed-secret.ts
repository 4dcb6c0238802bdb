import { objectAt } from "../json-members.ts";
import type { ManagedFieldsEntry, ObjectRef } from "../kubernetes.ts";

/** A live Secret with our label, without its values. */
export interface ObservedSecret {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly immutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** What of it is ours, by the API server's own bookkeeping. Everything else was added by others and is left alone. */
  readonly owned: OwnedFields;
  /** The values under our keys are the ones that the worker wrote. */
  readonly isContentIntact: boolean;
  /** It looks like ours, and nothing proves that this install made it. Anybody can claim the label, the annotations and the field manager. */
  readonly lacksProof?: boolean;
  /** Who else wrote it last. */
  readonly lastForeign?: ForeignWrite | undefined;
  /** Has owners: it goes when the last of them does. Ours never have any. */
  readonly hasOwners?: boolean;
  /** Unix milliseconds of our last change of it, by the API server's own bookkeeping. */
  readonly writtenAt?: number | undefined;
  /** Unix milliseconds. */
  readonly createdAt?: number | undefined;
  /** Its namespace's Secrets leave no room for all of it: what is held are its identity and our marks. What it is to be is decided on the live one. */
  readonly isPartial?: boolean;
}

/** By the API server's own bookkeeping: the field manager, which is not always the user, and when. */
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
 * Keys that a manager owns. Its create and its applies are separate entries for the API server (`Update` and `Apply`), and
 * dropping a key from an apply removes only what the `Apply` entry owns alone: hence the union.
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
 * The latest write of anybody but `manager` that is not older than its own: what came before has been undone, or was no damage. Who only
 * removes something leaves no entry, and is not known.
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

import { Groups } from "../../domain/groups.ts";
import type { ObjectRef } from "../../domain/kubernetes.ts";

/**
 * A record as the worker holds it: as canonical JSON, which takes a fraction of the memory of parsed objects. There may be thousands of
 * records, and the worker hardly ever needs their content.
 */
export interface HeldRecord {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly key: string;
  /** Unix time in milliseconds of the signature; 0 if 0.3.0 made it. */
  readonly saved: number;
  readonly resourceVersion: number;
  /** The signature as it is in the metadata. */
  readonly signature: string;
  readonly text: string;
}

/** Records by key. During an update, a key has two records for a moment: the one with the latest signature counts. */
export class RecordIndex {
  readonly #byKey = new Groups<HeldRecord>();
  readonly #byUid = new Map<string, HeldRecord>();

  add(stored: HeldRecord): void {
    this.#byKey.set(stored.key, stored.ref.name, stored);
    if (stored.uid !== "") this.#byUid.set(stored.uid, stored);
  }

  remove({ key, ref, uid }: HeldRecord): void {
    this.#byKey.delete(key, ref.name);
    this.#byUid.delete(uid);
  }

  all(key: string): readonly HeldRecord[] {
    return this.#byKey.of(key);
  }

  newest(key: string): HeldRecord | undefined {
    return newestOf(this.all(key));
  }

  withUid(uid: string): HeldRecord | undefined {
    return this.#byUid.get(uid);
  }

  keys(): readonly string[] {
    return this.#byKey.names();
  }
}

/**
 * Returns the record that was signed last. It is not always the record that was written last: a user who can write such objects can
 * recreate an older record.
 */
export function newestOf<R extends Pick<HeldRecord, "saved" | "resourceVersion">>(records: readonly R[]): R | undefined {
  return records.toSorted((a, b) => b.saved - a.saved || b.resourceVersion - a.resourceVersion)[0];
}

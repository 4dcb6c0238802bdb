import { Groups } from "../../domain/groups.ts";
import type { ObjectRef } from "../../domain/kubernetes.ts";

/** Kept as canonical JSON, which takes a fraction of what the objects do: there may be thousands, and they are hardly ever looked into. */
export interface HeldRecord {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly key: string;
  /** Unix milliseconds of its signature; 0 where 0.3.0 made it. */
  readonly saved: number;
  readonly resourceVersion: number;
  /** As it stands in the metadata. */
  readonly signature: string;
  readonly text: string;
}

/** Records by key. During an update a key has two for a moment: the one that was signed last counts. */
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

/** Not the one that was written last: whoever may write such objects can write an older one anew. */
export function newestOf<R extends Pick<HeldRecord, "saved" | "resourceVersion">>(records: readonly R[]): R | undefined {
  return records.toSorted((a, b) => b.saved - a.saved || b.resourceVersion - a.resourceVersion)[0];
}

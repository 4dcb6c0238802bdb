import { AgingMap } from "../../domain/aging-map.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { HeldRecord, RecordIndex } from "./record-index.ts";
import { claimIn } from "./record-signature.ts";
import { type ControllerRevision, type Signing, type StoredRecord, verifiedRecord } from "./stored-record.ts";

/** Number of untrusted records that the worker remembers. It forgets the oldest first. */
const MOST_REFUSED = 10_000;

interface KnownRecordsOptions<T> extends Signing<T> {
  readonly logger: Logger;
  readonly index: RecordIndex;
}

/**
 * Verifies revisions as a watch shows them. The API server gives each revision a uid and lets no one change its data, so the worker reads
 * the data of a uid once. A change of the metadata alone costs nothing, however long the data is and however often the change comes.
 */
export class KnownRecords<T> {
  readonly #options: KnownRecordsOptions<T>;
  readonly #refused = new AgingMap<true>();

  constructor(options: KnownRecordsOptions<T>) {
    this.#options = options;
  }

  /** Returns undefined if the worker does not trust the revision. */
  held(revision: ControllerRevision): HeldRecord | undefined {
    const { index, fingerprints } = this.#options;
    const { uid = "", resourceVersion = "0" } = revision.metadata;
    const claim = claimIn(revision.metadata, fingerprints);
    if (claim.kind === "claim") {
      if (this.#refused.has(uid)) return undefined;
      const known = index.withUid(uid);
      if (known?.signature === claim.signature) return { ...known, resourceVersion: Number(resourceVersion) };
    }
    const verified = verifiedRecord(revision, this.#options);
    if (verified !== undefined) return heldRecord(verified);
    if (claim.kind === "claim") this.#refuse(uid);
    return undefined;
  }

  /** Rejects the uid for good. Otherwise a user could try one signature after another, and the worker would read the data each time. */
  #refuse(uid: string): void {
    if (uid === "") return;
    this.#refused.set(uid, true);
    if (this.#refused.size > MOST_REFUSED && this.#refused.oldest !== undefined) this.#refused.delete(this.#refused.oldest);
  }
}

export function heldRecord<T>(record: StoredRecord<T>): HeldRecord {
  const { data: _, ...stored } = record;
  return stored;
}

import type { Logger } from "../../domain/ports/logger.ts";
import type { HeldRecord, RecordIndex } from "./record-index.ts";
import { claimIn } from "./record-signature.ts";
import { type ControllerRevision, type Signing, type StoredRecord, verifiedRecord } from "./stored-record.ts";

/** So many that are not believed are remembered; the oldest is forgotten first. */
const MOST_REFUSED = 10_000;

interface KnownRecordsOptions<T> extends Signing<T> {
  readonly logger: Logger;
  readonly index: RecordIndex;
}

/**
 * Judges revisions as a watch shows them. The API server gives each a uid and lets nobody change its data, so what a uid holds is read once:
 * a change of the metadata alone costs nothing, whatever is in the data and however often it comes.
 */
export class KnownRecords<T> {
  readonly #options: KnownRecordsOptions<T>;
  readonly #refused = new Set<string>();

  constructor(options: KnownRecordsOptions<T>) {
    this.#options = options;
  }

  /** Undefined for one that is not believed. */
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

  /** Whatever signature it is given next: trying one after another would have the data read each time. */
  #refuse(uid: string): void {
    if (uid === "") return;
    this.#refused.add(uid);
    const [oldest] = this.#refused;
    if (this.#refused.size > MOST_REFUSED && oldest !== undefined) this.#refused.delete(oldest);
  }
}

export function heldRecord<T>(record: StoredRecord<T>): HeldRecord {
  const { data: _, ...stored } = record;
  return stored;
}

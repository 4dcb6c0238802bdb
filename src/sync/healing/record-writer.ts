import { createHash } from "node:crypto";
import { SNAPSHOT_ANNOTATIONS, SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import { canonical } from "../../domain/healing/snapshot.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import type { Fingerprints } from "../fingerprints.ts";
import { CREATED_WITHIN_MS, recordNameOf, type SignedPart, sign } from "./record-signature.ts";
import {
  type ControllerRevision,
  type JudgedRecord,
  judgeRecord,
  type RecordKind,
  type SignedData,
  type StoredRecord,
} from "./stored-record.ts";

const WRITTEN = { fieldManager: FIELD_MANAGER };

export interface RecordWriterOptions<T> {
  readonly kind: RecordKind<T>;
  readonly kube: KubeClient;
  readonly fingerprints: Fingerprints;
  readonly clock: Clock;
}

/** Attempts to sign a record by the clock that the API server last showed. Several API servers may answer, each with its own clock. */
const ATTEMPTS = 3;

interface Signed<T> extends SignedData<T> {
  /** Unix time in milliseconds by the worker's own clock. */
  readonly began: number;
}

/** A revision that contains the record. Another process may have created it. */
interface Written<T> {
  readonly revision: ControllerRevision;
  /** The verdict that every other process will reach. */
  readonly judged: JudgedRecord<T>;
}

/** Creates signed records. If the API server's clock differs from the worker's, signs by the API server's clock. */
export class RecordWriter<T> {
  readonly #options: RecordWriterOptions<T>;
  /** Milliseconds by which the API server's clock is known to be ahead of the worker's. */
  #ahead = 0;

  constructor(options: RecordWriterOptions<T>) {
    this.#options = options;
  }

  /**
   * Creates a signed record. `after`: the time at which the previous record of the key was signed. Throws, and leaves nothing behind, if no
   * process would trust the record that the API server created.
   */
  async write(data: T, after: number, signal: AbortSignal): Promise<StoredRecord<T>> {
    const text = canonical(data);
    for (let attempt = 1; ; attempt++) {
      const [began, saved] = [this.#options.clock.now(), this.#time(after)];
      const { revision, judged } = await this.#create({ data, text, saved, began }, signal);
      if (judged.kind === "genuine") return judged.record;
      const { namespace = "", name, uid } = revision.metadata;
      await this.#options.kube.delete(RESOURCES.controllerRevisions, { namespace, name }, uid === undefined ? {} : { uid }, signal);
      if (attempt === ATTEMPTS) throw notBelieved(judged);
    }
  }

  /**
   * Returns a time later than that of the previous record, unless the clock that signed the previous record has been set back since. No
   * process would trust such a late time, so the new record gets the current time. It counts as soon as the previous record is deleted.
   */
  #time(after: number): number {
    const now = this.#options.clock.now() + this.#ahead;
    return after - now > CREATED_WITHIN_MS / 2 ? now : Math.max(now, after + 1);
  }

  /**
   * Creates the revision, unless it exists. Its name contains a digest of the content, so an existing revision of the same name is the same
   * record, unless someone changed it on purpose.
   */
  async #create(signed: Signed<T>, signal: AbortSignal): Promise<Written<T>> {
    const { kind, kube, fingerprints } = this.#options;
    const part: SignedPart = { label: kind.label, namespace: kind.namespaceOf(signed.data), text: signed.text };
    const body = this.#revision(signed, recordNameOf(fingerprints, part));
    const made = await this.#post(body, signal);
    if (made !== undefined) return this.#made(made, signed);
    const { namespace = "", name } = body.metadata;
    const found = await kube.read<ControllerRevision>(RESOURCES.controllerRevisions, { namespace, name }, signal);
    const known = found.kind === "found" ? this.#judged(found.object) : undefined;
    if (known?.judged.kind === "genuine") return known;
    const other = this.#revision(signed, recordNameOf(fingerprints, { ...part, text: `${signed.saved} ${signed.text}` }));
    return this.#made(await kube.create(RESOURCES.controllerRevisions, other, WRITTEN, signal), signed);
  }

  #judged(revision: ControllerRevision): Written<T> {
    return { revision, judged: judgeRecord(revision, this.#options) };
  }

  /**
   * Notes the difference between the clocks and verifies the revision. Concurrent writes all find the same difference, so the worker stores
   * it and does not add it up.
   */
  #made(revision: ControllerRevision, { saved, began }: Signed<T>): Written<T> {
    const created = Date.parse(revision.metadata.creationTimestamp ?? "");
    if (Math.abs(created - saved) > CREATED_WITHIN_MS / 2) this.#ahead = created - began;
    return this.#judged(revision);
  }

  /** Returns undefined if the name is taken. */
  async #post(body: ControllerRevision, signal: AbortSignal): Promise<ControllerRevision | undefined> {
    try {
      return await this.#options.kube.create(RESOURCES.controllerRevisions, body, WRITTEN, signal);
    } catch (error) {
      if (error instanceof KubeError && error.code === "AlreadyExists") return undefined;
      throw error;
    }
  }

  /**
   * Returns the revision to create. It has only the worker's own label: a StatefulSet adopts, and later deletes, a ControllerRevision whose
   * labels match its selector.
   */
  #revision({ data, text, saved }: SignedData<T>, digest: string): ControllerRevision {
    const { kind, fingerprints } = this.#options;
    const namespace = kind.namespaceOf(data);
    const place = createHash("sha256").update(kind.keyOf(data)).digest("hex").slice(0, 16);
    return {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      metadata: {
        name: `${kind.prefix}-${place}-${digest}`,
        namespace,
        labels: { [SNAPSHOT_LABEL]: kind.label },
        annotations: {
          ...kind.annotationsOf(data),
          // For 0.3.0, after a downgrade.
          [SNAPSHOT_ANNOTATIONS.content]: fingerprints.formerOfText(text),
          [SNAPSHOT_ANNOTATIONS.signature]: sign(fingerprints, { label: kind.label, namespace, text }, saved),
        },
      },
      revision: kind.revisionOf(data),
      data,
    };
  }
}

function notBelieved<T>(judged: Exclude<JudgedRecord<T>, { readonly kind: "genuine" }>): KubeError {
  const why = judged.kind === "forged" ? judged.why : "it is being deleted";
  return new KubeError("Unavailable", `the API server's clock, or another writer, made a new record invalid: ${why}`, {
    retry: { kind: "backoff" },
  });
}

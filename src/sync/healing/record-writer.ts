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
import { type ControllerRevision, judgeRecord, type RecordKind, type SignedData, type StoredRecord, storedAs } from "./stored-record.ts";

const WRITTEN = { fieldManager: FIELD_MANAGER };

export interface RecordWriterOptions<T> {
  readonly kind: RecordKind<T>;
  readonly kube: KubeClient;
  readonly fingerprints: Fingerprints;
  readonly clock: Clock;
}

/** What a creation gave. */
interface Written<T> {
  readonly record: StoredRecord<T>;
  /** Unix milliseconds by the API server's clock; undefined for a record that was there already. */
  readonly created: number | undefined;
}

/** Creates signed records. Where the API server's clock is another than ours, it signs by that clock. */
export class RecordWriter<T> {
  readonly #options: RecordWriterOptions<T>;
  /** Milliseconds that the API server's clock is known to be ahead of ours. */
  #ahead = 0;

  constructor(options: RecordWriterOptions<T>) {
    this.#options = options;
  }

  /** `after`: when the one that it follows was signed. */
  async write(data: T, after: number, signal: AbortSignal): Promise<StoredRecord<T>> {
    const text = canonical(data);
    const [began, saved] = [this.#options.clock.now(), this.#time(after)];
    const { record, created } = await this.#create({ data, text, saved }, signal);
    if (created === undefined || Math.abs(created - saved) <= CREATED_WITHIN_MS / 2) return record;
    // Of several that are written side by side each finds the same difference, which counts once.
    this.#ahead = created - began;
    await this.#options.kube.delete(RESOURCES.controllerRevisions, record.ref, { uid: record.uid }, signal);
    return (await this.#create({ data, text, saved: this.#time(after) }, signal)).record;
  }

  #time(after: number): number {
    return Math.max(this.#options.clock.now() + this.#ahead, after + 1);
  }

  /** The name is a digest of the content: what has it is this very record, unless somebody changed it on purpose. */
  async #create(signed: SignedData<T>, signal: AbortSignal): Promise<Written<T>> {
    const { kind, kube, fingerprints } = this.#options;
    const part: SignedPart = { label: kind.label, namespace: kind.namespaceOf(signed.data), text: signed.text };
    const body = this.#revision(signed, recordNameOf(fingerprints, part));
    const made = await this.#post(body, signal);
    if (made !== undefined) return this.#written(made, signed);
    const { namespace = "", name } = body.metadata;
    const found = await kube.read<ControllerRevision>(RESOURCES.controllerRevisions, { namespace, name }, signal);
    const known = found.kind === "found" ? judgeRecord(found.object, this.#options) : undefined;
    if (known?.kind === "genuine") return { record: known.record, created: undefined };
    const other = this.#revision(signed, recordNameOf(fingerprints, { ...part, text: `${signed.saved} ${signed.text}` }));
    return this.#written(await kube.create(RESOURCES.controllerRevisions, other, WRITTEN, signal), signed);
  }

  /** Undefined where the name is taken. */
  async #post(body: ControllerRevision, signal: AbortSignal): Promise<ControllerRevision | undefined> {
    try {
      return await this.#options.kube.create(RESOURCES.controllerRevisions, body, WRITTEN, signal);
    } catch (error) {
      if (error instanceof KubeError && error.code === "AlreadyExists") return undefined;
      throw error;
    }
  }

  #written(made: ControllerRevision, signed: SignedData<T>): Written<T> {
    const created = Date.parse(made.metadata.creationTimestamp ?? "");
    return { record: storedAs(made, this.#options.kind, signed), created: Number.isNaN(created) ? undefined : created };
  }

  /** Only our label: a StatefulSet adopts, and later deletes, a ControllerRevision whose labels match its selector. */
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

import { createHash } from "node:crypto";
import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { Logger } from "../domain/ports/logger.ts";

export interface EventSinkOptions {
  /** `keyvault-injector-sync` and the like: shown by kubectl as the event's source. */
  readonly component: string;
  /** The pod's name. */
  readonly instance: string;
  readonly fieldManager: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Events that wait to be posted, at most; default 256. */
  readonly capacity?: number;
}

export interface KubeEventSink extends EventSink {
  /** Events that were never posted: the queue was full, or the API server refused them. */
  readonly dropped: number;
  /** Resolves when nothing waits. */
  drained(): Promise<void>;
}

type Emitted = Parameters<EventSink["emit"]>[0];

/** What is known of one event that may come again. */
interface Series {
  readonly event: Emitted;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** kube-apiserver refuses a longer one. */
const MESSAGE_BYTES = 1_024;

const CAPACITY = 256;

/** Events live for an hour in the API server; more series than this at a time are not told apart, only counted anew. */
const REMEMBERED = 1_024;

/**
 * Posts core/v1 Events one after the other, in the order of their first occurrence. The same event on the same object is one Event whose
 * count rises; while it waits it is not queued twice. Stops with the signal.
 */
export function createEventSink(client: KubeClient, options: EventSinkOptions, signal: AbortSignal): KubeEventSink {
  return new QueuedEventSink(client, options, signal);
}

class QueuedEventSink implements KubeEventSink {
  readonly #client: KubeClient;
  readonly #options: EventSinkOptions;
  readonly #signal: AbortSignal;
  readonly #series = new Map<string, Series>();
  readonly #queue = new Set<string>();
  #posting: Promise<void> | undefined;
  #dropped = 0;

  constructor(client: KubeClient, options: EventSinkOptions, signal: AbortSignal) {
    this.#client = client;
    this.#options = options;
    this.#signal = signal;
  }

  get dropped(): number {
    return this.#dropped;
  }

  emit(event: Emitted): void {
    const name = nameOf(event);
    if (!this.#queue.has(name) && (this.#signal.aborted || this.#queue.size >= (this.#options.capacity ?? CAPACITY))) {
      this.#drop(event, "too many events wait");
      return;
    }
    const now = this.#options.clock.now();
    const known = this.#series.get(name);
    this.#series.delete(name);
    this.#series.set(name, { event: remembered(event), first: known?.first ?? now, last: now, count: (known?.count ?? 0) + 1 });
    this.#queue.add(name);
    this.#forgetOldest();
    this.#start();
  }

  async drained(): Promise<void> {
    while (this.#posting !== undefined) await this.#posting;
  }

  #start(): void {
    this.#posting ??= this.#postAll().finally(() => {
      this.#posting = undefined;
      // Emitted after the last was posted and before this ran.
      if (this.#queue.size > 0) this.#start();
    });
  }

  /** What is emitted meanwhile is posted by the same loop. */
  async #postAll(): Promise<void> {
    for (const name of this.#queue) {
      this.#queue.delete(name);
      const series = this.#series.get(name);
      if (series !== undefined && !this.#signal.aborted) await this.#post(name, series);
    }
  }

  async #post(name: string, series: Series): Promise<void> {
    const { fieldManager } = this.#options;
    try {
      await this.#client.apply(RESOURCES.events, this.#body(name, series), { fieldManager, force: true }, this.#signal);
    } catch (error) {
      this.#drop(series.event, error);
    }
  }

  #body(name: string, { event, first, last, count }: Series): KubeObject {
    const { regarding, type, reason, message } = event;
    const { component, instance } = this.#options;
    const { uid, resourceVersion } = regarding.metadata;
    const body = {
      apiVersion: "v1",
      kind: "Event",
      // The API server wants events of cluster-scoped objects in `default`.
      metadata: { namespace: regarding.metadata.namespace ?? "default", name },
      involvedObject: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        name: regarding.metadata.name,
        ...(regarding.metadata.namespace === undefined ? {} : { namespace: regarding.metadata.namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      },
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      reportingInstance: instance,
      firstTimestamp: seconds(first),
      lastTimestamp: seconds(last),
      count,
    };
    return body;
  }

  #drop(event: Emitted, cause: unknown): void {
    this.#dropped++;
    const { kind, metadata } = event.regarding;
    this.#options.logger.warn("event not posted", {
      kind,
      namespace: metadata.namespace,
      name: metadata.name,
      reason: event.reason,
      error: cause,
    });
  }

  #forgetOldest(): void {
    for (const name of this.#series.keys()) {
      if (this.#series.size <= REMEMBERED) return;
      if (!this.#queue.has(name)) this.#series.delete(name);
    }
  }
}

/** Without the object's content, which may be as large as an object can be. */
function remembered({ regarding: { apiVersion, kind, metadata }, message, ...event }: Emitted): Emitted {
  const { name, namespace, uid, resourceVersion } = metadata;
  const place = namespace === undefined ? { name } : { name, namespace };
  const version = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { ...event, regarding: { apiVersion, kind, metadata: { ...place, ...version } }, message: shortened(message, MESSAGE_BYTES) };
}

/** The same event on the same object has the same name, in this process and in the next. */
function nameOf({ regarding, type, reason, message }: Emitted): string {
  const identity = JSON.stringify([regarding.kind, regarding.metadata.uid ?? regarding.metadata.name, type, reason, message]);
  const digest = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  return `${regarding.metadata.name.slice(0, 253 - digest.length - 1).replace(/[.-]+$/, "")}.${digest}`;
}

/** RFC 3339 without fractions, which is what `meta/v1.Time` holds. */
function seconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** Cut between two characters. */
function shortened(text: string, bytes: number): string {
  const encoded = Buffer.from(text, "utf8");
  if (encoded.length <= bytes) return text;
  let end = bytes - 3; // Room for the ellipsis.
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${encoded.subarray(0, end).toString("utf8")}…`;
}

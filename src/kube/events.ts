import { createHash } from "node:crypto";
import { type KubeObject, RESOURCES } from "../domain/kubernetes.ts";
import { objectKey, refOfKey } from "../domain/object-key.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { EventSink } from "../domain/ports/event-sink.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { tenantHasRoom } from "../domain/schedule/fair-share.ts";
import { ReadyKeys, type Taken } from "../runtime/ready-keys.ts";

export interface EventSinkOptions {
  /** Source of the event that kubectl shows, such as `keyvault-injector-sync`. */
  readonly component: string;
  /** Name of the pod. */
  readonly instance: string;
  readonly fieldManager: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this replica may emit events now; default: always. Events that already wait are posted in any case. */
  readonly mayEmit?: () => boolean;
  /** Maximum number of events that wait to be posted, at most half of them from one namespace; default 512. */
  readonly capacity?: number;
}

export interface KubeEventSink extends EventSink {
  /** Number of events that were never posted because the queue was full or the API server rejected them. */
  readonly dropped: number;
  /** Resolves when no event waits. */
  drained(): Promise<void>;
  /** Posts the waiting events for a few seconds at most. Drops the events that remain then, and those emitted later. */
  close(): Promise<void>;
}

type Emitted = Parameters<EventSink["emit"]>[0];

/** State of one event that may occur again. */
interface Series {
  readonly event: Emitted;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** kube-apiserver rejects a longer message. */
const MESSAGE_BYTES = 1_024;

const CAPACITY = 512;

/**
 * Number of namespaces whose events are posted at the same time. If all of them hang, the next namespace waits until one request times out.
 * The number is lower than the number of connections that writes leave free.
 */
const NAMESPACES_AT_A_TIME = 8;

/** Time in milliseconds for the events that wait at the end: a small part of the time that a pod has to end. */
const LAST_POSTS_MS = 3_000;

/**
 * Number of series that the sink remembers; the API server keeps Events for an hour. If there are more, the count of a forgotten series
 * starts at 1.
 */
const REMEMBERED = 1_024;

/**
 * Posts core/v1 Events. It posts the events of one namespace one after the other, in the order of their first occurrence, and the events of
 * several namespaces in parallel. A namespace that is slow or has too many events, for example behind an admission webhook, delays and
 * drops only its own events. The same event on the same object is one Event whose count rises. While it waits, it is not queued twice.
 */
export function createEventSink(client: KubeClient, options: EventSinkOptions): KubeEventSink {
  return new QueuedEventSink(client, options);
}

class QueuedEventSink implements KubeEventSink {
  readonly #client: KubeClient;
  readonly #options: EventSinkOptions;
  /** Key: the key of the Event. */
  readonly #series = new Map<string, Series>();
  readonly #ready = new ReadyKeys(NAMESPACES_AT_A_TIME, {
    of: (key) => ({ tenant: refOfKey(key).namespace, backend: refOfKey(key).namespace }),
    perBackend: 1,
  });
  readonly #posting = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #isClosed = false;
  #dropped = 0;

  constructor(client: KubeClient, options: EventSinkOptions) {
    this.#client = client;
    this.#options = options;
  }

  get dropped(): number {
    return this.#dropped;
  }

  emit(event: Emitted): void {
    const key = keyOf(event);
    const problem = this.#whyNot(refOfKey(key).namespace, key);
    if (problem !== undefined) {
      this.#drop(event, problem);
      return;
    }
    const now = this.#options.clock.now();
    const known = this.#series.get(key);
    this.#series.delete(key);
    this.#series.set(key, { event: remembered(event), first: known?.first ?? now, last: now, count: (known?.count ?? 0) + 1 });
    this.#ready.add(key, now);
    this.#forgetOldest();
    this.#postWaiting();
  }

  async drained(): Promise<void> {
    while (this.#posting.size > 0) await Promise.all(this.#posting);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const isDrained = new AbortController();
    const bound = this.#options.clock.sleep(LAST_POSTS_MS, isDrained.signal).then(
      () => this.#stop.abort(new Error("the worker stops")),
      () => undefined,
    );
    await this.drained();
    isDrained.abort();
    await bound;
  }

  /** Returns why an event of the namespace cannot wait. */
  #whyNot(namespace: string, key: string): string | undefined {
    if (this.#options.mayEmit?.() === false) return "the lease was not renewed in time, and another replica may hold it";
    if (this.#ready.has(key)) return undefined;
    if (this.#isClosed) return "the worker stops";
    const free = (this.#options.capacity ?? CAPACITY) - this.#ready.size;
    return tenantHasRoom(this.#ready.waitingOf(namespace), free) ? undefined : "too many events are waiting";
  }

  #postWaiting(): void {
    for (let taken = this.#ready.take(); taken !== undefined; taken = this.#ready.take()) {
      const post = this.#post(taken).finally(() => this.#posting.delete(post));
      this.#posting.add(post);
    }
  }

  async #post(taken: Taken): Promise<void> {
    const series = this.#series.get(taken.key);
    if (series !== undefined) await this.#apply(taken.key, series);
    this.#ready.giveBack(taken);
    this.#postWaiting();
  }

  async #apply(key: string, series: Series): Promise<void> {
    const { fieldManager } = this.#options;
    try {
      await this.#client.apply(RESOURCES.events, this.#body(key, series), { fieldManager, force: true }, this.#stop.signal);
    } catch (error) {
      this.#drop(series.event, error);
    }
  }

  #body(key: string, { event, first, last, count }: Series): KubeObject {
    const { regarding, type, reason, message } = event;
    const { component, instance } = this.#options;
    const { uid, resourceVersion } = regarding.metadata;
    const body = {
      apiVersion: "v1",
      kind: "Event",
      metadata: refOfKey(key),
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
    for (const key of this.#series.keys()) {
      if (this.#series.size <= REMEMBERED) return;
      if (!this.#ready.has(key)) this.#series.delete(key);
    }
  }
}

/** Drops the object's content, which may be as large as an object can be. */
function remembered({ regarding: { apiVersion, kind, metadata }, message, ...event }: Emitted): Emitted {
  const { name, namespace, uid, resourceVersion } = metadata;
  const place = namespace === undefined ? { name } : { name, namespace };
  const version = { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { ...event, regarding: { apiVersion, kind, metadata: { ...place, ...version } }, message: shortened(message, MESSAGE_BYTES) };
}

/** Returns a key that is the same for the same event on the same object, in this process and in the next. */
function keyOf({ regarding, type, reason, message }: Emitted): string {
  const identity = JSON.stringify([regarding.kind, regarding.metadata.uid ?? regarding.metadata.name, type, reason, message]);
  const digest = createHash("sha256").update(identity).digest("hex").slice(0, 16);
  const name = `${regarding.metadata.name.slice(0, 253 - digest.length - 1).replace(/[.-]+$/, "")}.${digest}`;
  // The API server requires events of cluster-scoped objects to be in `default`.
  return objectKey({ namespace: regarding.metadata.namespace ?? "default", name });
}

/** Returns RFC 3339 without fractions, the format of `meta/v1.Time`. */
function seconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** Cuts between two characters. */
function shortened(text: string, bytes: number): string {
  const encoded = Buffer.from(text, "utf8");
  if (encoded.length <= bytes) return text;
  let end = bytes - 3; // Room for the ellipsis.
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${encoded.subarray(0, end).toString("utf8")}…`;
}

import type { KubeObject, Resource } from "../domain/kubernetes.ts";
import { type Clock, monotonicClock } from "../domain/ports/clock.ts";
import type { ListOptions } from "../domain/ports/kube-client.ts";
import { type Attempt, noAnswer, parseStatus, refusedBy, type Status } from "./errors.ts";
import { METADATA_OBJECT, parseObject } from "./pages.ts";
import { collectionPath, withQuery } from "./paths.ts";
import { asKubeError, type Transport } from "./transport.ts";

export type WatchEvent =
  | { readonly kind: "changed" | "deleted"; readonly object: KubeObject }
  | { readonly kind: "bookmark"; readonly resourceVersion: string }
  | { readonly kind: "error"; readonly status: Status | undefined };

export interface WatchOptions extends ListOptions {
  readonly resource: Resource;
  readonly resourceVersion: string;
  /** Time after which the server ends the watch. */
  readonly timeoutSeconds: number;
  /** Milliseconds without a byte after which the connection counts as dead. */
  readonly idleMs: number;
  /** See `ReflectorOptions`. */
  readonly metadataOnly?: boolean;
}

/** The abort reason of our own timers. It is not a failure of a watch that was accepted. */
class WatchOver extends Error {
  override readonly name = "WatchOver";
}

/** The server ends a watch itself; the client does so this much later (milliseconds). */
const GRACE_MS = 5_000;

/**
 * Yields the events of one watch, from the accepted request to its end. Throws `KubeError` if the server refuses it or the connection
 * breaks.
 */
export async function* watchEvents(
  access: { readonly transport: Transport; readonly clock: Clock; readonly onAccepted: () => void },
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  const { resource, namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
  const attempt: Attempt = { verb: "watch", resource, ...(namespace === undefined ? {} : { ref: { namespace } }) };
  const query = { labelSelector, fieldSelector, resourceVersion, timeoutSeconds, watch: true, allowWatchBookmarks: true };
  const guard = new IdleGuard(access.clock, options, signal);
  let isAccepted = false;
  try {
    const path = withQuery(collectionPath(resource, namespace), query);
    const accept = options.metadataOnly === true ? METADATA_OBJECT : undefined;
    const stream = await access.transport.open({ attempt, method: "GET", path, accept }, guard.signal);
    if (stream.status !== 200) throw refusedBy(attempt, { ...stream, body: await stream.text() });
    isAccepted = true;
    access.onAccepted();
    for await (const line of readLines(guard.watched(stream.chunks))) yield parseEvent(line);
  } catch (error) {
    signal.throwIfAborted();
    const isOver = guard.signal.reason instanceof WatchOver;
    if (isOver && isAccepted) return;
    throw isOver ? noAnswer(attempt, "no answer from the API server (silence)") : asKubeError(attempt, error);
  } finally {
    guard.stop();
  }
}

/** An unreadable line becomes an error event, because the rest of the stream cannot be trusted. */
function parseEvent(line: string): WatchEvent {
  const { type, object } = parseObject(line) ?? {};
  if (typeof object !== "object" || object === null) return { kind: "error", status: undefined };
  const { metadata } = object as KubeObject; // Checked field by field.
  const isNamed = typeof metadata?.resourceVersion === "string";
  if (type === "BOOKMARK" && isNamed) return { kind: "bookmark", resourceVersion: metadata.resourceVersion };
  if ((type === "ADDED" || type === "MODIFIED") && isNamed) return { kind: "changed", object: object as KubeObject };
  if (type === "DELETED" && isNamed) return { kind: "deleted", object: object as KubeObject };
  return { kind: "error", status: parseStatus(JSON.stringify(object)) };
}

/** Ends a watch that is silent or outlives the server's own limit, because a dead peer sends nothing. */
class IdleGuard {
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #stopped = new AbortController();
  readonly signal: AbortSignal;
  #lastByte: number;

  constructor(clock: Clock, options: WatchOptions, outer: AbortSignal) {
    // A change of the machine's clock must neither cause nor hide silence.
    this.#clock = monotonicClock(clock);
    this.#lastByte = this.#clock.now();
    this.signal = AbortSignal.any([outer, this.#over.signal]);
    const timers = AbortSignal.any([outer, this.#stopped.signal]);
    // Both reject when their signal aborts, which is not a failure of the watch.
    this.#watchSilence(options.idleMs, timers).catch(() => undefined);
    this.#end(options.timeoutSeconds * 1_000 + GRACE_MS, timers).catch(() => undefined);
  }

  async *watched(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.#lastByte = this.#clock.now();
      yield chunk;
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #watchSilence(idleMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const silent = this.#clock.now() - this.#lastByte;
      if (silent >= idleMs) break;
      await this.#clock.sleep(idleMs - silent, signal);
    }
    this.#over.abort(new WatchOver("silent"));
  }

  async #end(milliseconds: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(milliseconds, signal);
    this.#over.abort(new WatchOver("the server did not end the watch"));
  }
}

/** Maximum bytes of a line. A longer line cannot be a Kubernetes object: etcd holds 1.5 MiB by default, and JSON may triple that. */
const LINE_LIMIT = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * Splits a byte stream into lines. Decodes each line as a whole, so that a chunk's end never cuts a character in two. Skips empty lines.
 * Drops an unfinished last line, since its object is incomplete. Throws if a line exceeds the limit (bytes).
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, limit: number = LINE_LIMIT): AsyncGenerator<string, void, undefined> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString("utf8");
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line.trim() !== "") yield line;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > limit) throw new Error(`a line of more than ${limit} bytes`);
  }
}

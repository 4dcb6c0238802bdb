import { formatDuration } from "../domain/duration.ts";
import type { KubeObject, ObjectRef } from "../domain/kubernetes.ts";
import { type Clock, monotonicClock } from "../domain/ports/clock.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector, ReflectorOptions } from "../domain/ports/kube-watcher.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { isVersionOlder } from "../domain/resource-version.ts";
import type { PooledKubeConfig } from "./config.ts";
import type { ApiContact } from "./contact.ts";
import { type Kept, ObjectCopy, objectRefOf } from "./object-copy.ts";
import { listPages, PAGE_SIZE } from "./pages.ts";
import { type Plan, planAfter, type ReflectorStep, type StepOutcome } from "./reflector-steps.ts";
import { asKubeError, createTransport, type Transport } from "./transport.ts";
import { watchEvents } from "./watch-stream.ts";

export interface KubeWatcherOptions {
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Returns a number in [0, 1), which spreads reconnections. */
  readonly random: () => number;
  /** Objects per page of a list; default 500. */
  readonly pageSize?: number;
  /** Milliseconds of silence after which a watch is reopened; default 75,000. A bookmark arrives about every 60,000. */
  readonly idleMs?: number;
  /** Time limit of a list request in milliseconds; default 15,000. */
  readonly requestTimeoutMs?: number;
  readonly contact?: ApiContact;
}

/** Faults of the live copies themselves, in one sentence each; undefined if there are none. */
export interface WatcherHealth {
  /**
   * A copy is no longer kept up to date, or has not attempted anything for so long that it never will. This is a bug, and a restart fixes
   * it.
   */
  stuck(): string | undefined;
  /** A copy has received and attempted nothing for several times as long as a silence may last. */
  stalled(): string | undefined;
}

const IDLE_MS = 75_000;

/** As in client-go: five to ten minutes, random, so that watches are not all renewed at once. */
const WATCH_SECONDS = { least: 300, most: 600 };

/** A watch that ends sooner and received nothing was useless: the reflector waits before the next one. */
const SHORT_WATCH_MS = 1_000;

/** In far less time than these limits (milliseconds), a working copy receives a bookmark, or gives up a silent watch and tries again. */
const STALLED_MS = 360_000;
const STUCK_MS = 720_000;

/** Progress of a step, in case it fails. */
interface Progress {
  step: ReflectorStep;
  wasUseful: boolean;
}

/** Creates live copies of collections. Each uses a list and the watch that follows it. */
export function createKubeWatcher(config: PooledKubeConfig, options: KubeWatcherOptions): KubeWatcher & WatcherHealth {
  const transport = createTransport(config, options);
  const stopwatch = monotonicClock(options.clock);
  const alive = new Map<{ readonly lastSign: number }, string>();
  let stopped: string | undefined;
  const silentFor = (milliseconds: number): string | undefined => {
    const now = stopwatch.now();
    const silent = [...alive].find(([{ lastSign }]) => now - lastSign > milliseconds)?.[1];
    return silent === undefined
      ? undefined
      : `the watch of ${silent} has received and attempted nothing for ${formatDuration(milliseconds)}`;
  };
  return {
    reflect: <T>(wanted: ReflectorOptions<T>, signal: AbortSignal): Reflector<T> => {
      const reflector = new ListAndWatch(transport, options, wanted);
      alive.set(reflector, wanted.resource.plural);
      const ended = (): void => void alive.delete(reflector);
      reflector.run(signal).then(ended, (error: unknown) => {
        ended();
        if (signal.aborted) return;
        stopped ??= `the watch of ${wanted.resource.plural} has stopped`;
        options.logger.error("reflector stopped", { resource: wanted.resource.plural, error });
      });
      return reflector;
    },
    stuck: () => stopped ?? silentFor(STUCK_MS),
    stalled: () => stopped ?? silentFor(STALLED_MS),
  };
}

class ListAndWatch<T> implements Reflector<T> {
  readonly #transport: Transport;
  readonly #options: KubeWatcherOptions;
  /** Measures durations, since someone may set the machine's clock in the meantime. */
  readonly #stopwatch: Clock;
  readonly #wanted: ReflectorOptions<T>;
  readonly #logger: Logger;
  readonly #copy: ObjectCopy<T>;
  readonly #waiting = new Set<() => void>();
  #hasSynced = false;
  #isServed: boolean | undefined;
  #lastActivity: number;
  #heardAt: number;
  #unbrokenSince: number;
  #isFollowed = false;
  #lastSign: number;
  /** Aborted by `relist`. There is one for each step. */
  #interrupt = new AbortController();
  #isRelistWanted = false;

  constructor(transport: Transport, options: KubeWatcherOptions, wanted: ReflectorOptions<T>) {
    this.#transport = transport;
    this.#options = options;
    this.#stopwatch = monotonicClock(options.clock);
    this.#wanted = wanted;
    this.#lastActivity = options.clock.now();
    this.#unbrokenSince = this.#lastActivity;
    this.#heardAt = this.#stopwatch.now();
    this.#lastSign = this.#heardAt;
    this.#logger = options.logger.child({ resource: wanted.resource.plural });
    this.#copy = new ObjectCopy((ref, change) => this.#guarded("change handler failed", ref, () => wanted.onChange?.(ref, change)));
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get isUnserved(): boolean {
    return this.#isServed === false;
  }

  get lastActivity(): number {
    return this.#lastActivity;
  }

  get silentFor(): number {
    return this.#stopwatch.now() - this.#heardAt;
  }

  /** Time of the last step, response, or event, by the stopwatch. Failures count, too. */
  get lastSign(): number {
    return this.#lastSign;
  }

  get unbrokenSince(): number {
    return this.#unbrokenSince;
  }

  get isFollowed(): boolean {
    return this.#isFollowed;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#copy.get(ref);
  }

  list(): readonly T[] {
    return this.#copy.list();
  }

  relist(): void {
    this.#hasSynced = false;
    this.#isRelistWanted = true;
    this.#interrupt.abort();
  }

  async synced(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#hasSynced) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#waiting.add(resolve);
    try {
      await promise;
    } finally {
      this.#waiting.delete(resolve);
      signal.removeEventListener("abort", abort);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    let plan: Plan = { step: { kind: "list" }, delayMs: 0, failures: 0 };
    while (!signal.aborted) {
      this.#interrupt = new AbortController();
      if (this.#isRelistWanted) this.#interrupt.abort();
      this.#isRelistWanted = false;
      this.#lastSign = this.#stopwatch.now();
      const outcome = await this.#attempt(plan, AbortSignal.any([signal, this.#interrupt.signal]));
      if (signal.aborted) return;
      // A watch that ended normally continues at once from where it was.
      if (outcome.kind !== "listed" && outcome.kind !== "ended") this.#isFollowed = false;
      plan = planAfter(outcome, plan.failures, this.#options.random);
      this.#logFailure(outcome, plan);
      if (outcome.kind === "failed") this.#wanted.observer?.failed?.(outcome.error);
    }
  }

  async #attempt({ step, delayMs }: Plan, signal: AbortSignal): Promise<StepOutcome> {
    const progress: Progress = { step, wasUseful: false };
    try {
      if (delayMs > 0) await this.#options.clock.sleep(delayMs, signal);
      signal.throwIfAborted();
      return step.kind === "list" ? await this.#list(signal) : await this.#watch(step.resourceVersion, progress, signal);
    } catch (error) {
      if (signal.aborted) return { kind: "relist" };
      return this.#failure(asKubeError({ verb: step.kind, resource: this.#wanted.resource }, error), progress);
    }
  }

  #failure(error: KubeError, { step, wasUseful }: Progress): StepOutcome {
    if (error.code === "Gone") return { kind: "expired", wasUseful };
    if (error.code !== "NotFound") return { kind: "failed", step, error, wasUseful };
    this.#hasSynced = false;
    this.#setServed(false);
    return { kind: "unserved" };
  }

  async #list(signal: AbortSignal): Promise<StepOutcome> {
    const { resource, namespace, labelSelector, fieldSelector, metadataOnly } = this.#wanted;
    const selection = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
    const keep = (object: KubeObject): Kept<T> | undefined => {
      this.#lastSign = this.#stopwatch.now();
      return this.#keep(object);
    };
    const request = { ...selection, resource, metadataOnly, pageSize: this.#options.pageSize ?? PAGE_SIZE, keep };
    const { items, resourceVersion } = await listPages(this.#transport, request, signal);
    this.#touch();
    this.#unbrokenSince = this.#lastActivity;
    this.#isFollowed = true;
    this.#copy.replace(items.filter((kept) => kept !== undefined));
    this.#guarded("change handler failed", {}, () => this.#wanted.observer?.listed?.(namespace));
    // A handler may have requested another list while it processed this one.
    if (!this.#isRelistWanted) this.#hasSynced = true;
    this.#setServed(true);
    if (this.#hasSynced) for (const resolve of this.#waiting) resolve();
    return { kind: "listed", resourceVersion };
  }

  async #watch(from: string, progress: Progress, signal: AbortSignal): Promise<StepOutcome> {
    const { clock, random, idleMs } = this.#options;
    const started = this.#stopwatch.now();
    let resourceVersion = from;
    const timeoutSeconds = WATCH_SECONDS.least + Math.floor((WATCH_SECONDS.most - WATCH_SECONDS.least) * random());
    const access = { transport: this.#transport, clock, onAccepted: () => this.#touch() };
    const request = { ...this.#wanted, resourceVersion, timeoutSeconds, idleMs: idleMs ?? IDLE_MS };
    for await (const event of watchEvents(access, request, signal)) {
      const { wasUseful } = progress;
      if (event.kind === "error") return event.status?.code === 410 ? { kind: "expired", wasUseful } : { kind: "broken", wasUseful };
      this.#touch();
      this.#isFollowed = true;
      const version = event.kind === "bookmark" ? event.resourceVersion : (event.object.metadata.resourceVersion ?? resourceVersion);
      if (isVersionOlder(version, resourceVersion)) return this.#restored(wasUseful);
      resourceVersion = version;
      // To continue from an earlier point after a cut would replay old states of objects over newer ones.
      Object.assign(progress, { step: { kind: "watch", resourceVersion }, wasUseful: true });
      if (event.kind === "changed") this.#changed(event.object);
      if (event.kind === "deleted") this.#copy.delete(objectRefOf(event.object));
      // Once a list was requested, the rest of the chunk must not be reported as current.
      signal.throwIfAborted();
    }
    const lasted = this.#stopwatch.now() - started;
    if (!progress.wasUseful && lasted >= request.idleMs) return { kind: "silent" };
    return { kind: "ended", resourceVersion, wasUseful: progress.wasUseful || lasted >= SHORT_WATCH_MS };
  }

  /** The server has another history: nothing in the copy is current before the next list. */
  #restored(wasUseful: boolean): StepOutcome {
    this.#hasSynced = false;
    return { kind: "restored", wasUseful };
  }

  #changed(object: KubeObject): void {
    const kept = this.#keep(object);
    if (kept === undefined) this.#copy.delete(objectRefOf(object));
    else this.#copy.set(kept);
  }

  #keep(object: KubeObject): Kept<T> | undefined {
    const ref = objectRefOf(object);
    const value = this.#guarded("projection failed", ref, () => this.#wanted.project(object));
    if (value === undefined) return undefined;
    return { ref, uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, value };
  }

  #setServed(served: boolean): void {
    if (this.#isServed === served) return;
    this.#isServed = served;
    this.#logger.info(served ? "kind is served" : "kind is not served");
  }

  #touch(): void {
    this.#lastActivity = this.#options.clock.now();
    this.#heardAt = this.#stopwatch.now();
    this.#lastSign = this.#heardAt;
  }

  /** Runs a handler. If it fails, the stream continues. */
  #guarded<R>(message: string, ref: Partial<ObjectRef>, action: () => R): R | undefined {
    try {
      return action();
    } catch (error) {
      this.#logger.error(message, { ...ref, error });
      return undefined;
    }
  }

  #logFailure(outcome: StepOutcome, { delayMs, failures }: Plan): void {
    if (outcome.kind === "failed") this.#logger.warn("list or watch failed", { error: outcome.error, failures, delayMs });
    if (outcome.kind === "broken") this.#logger.warn("watch sent an error; listing again", { failures, delayMs });
    if (outcome.kind === "silent") this.#logger.info("watch was silent; listing again", { failures, delayMs });
    if (outcome.kind === "restored")
      this.#logger.warn("the API server's resource versions went backwards; listing again", { failures, delayMs });
    if (outcome.kind === "expired") this.#logger.info("watch history expired; listing again", { failures, delayMs });
  }
}

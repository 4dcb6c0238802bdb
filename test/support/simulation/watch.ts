import type { KubeObject, ObjectRef } from "../../../src/domain/kubernetes.ts";
import { objectKey } from "../../../src/domain/object-key.ts";
import type { Clock } from "../../../src/domain/ports/clock.ts";
import type { Reflector, ReflectorOptions } from "../../../src/domain/ports/kube-watcher.ts";

interface WatchSource<T> {
  readonly options: ReflectorOptions<T>;
  readonly clock: Clock;
  readonly isWanted: (object: KubeObject) => boolean;
  readonly list: () => readonly KubeObject[];
  /** Returns false while the API server does not answer lists. */
  readonly isListable: () => boolean;
}

interface Kept<T> {
  readonly ref: ObjectRef;
  /** Version of the object. */
  readonly version: string;
  readonly value: T;
}

/** A live copy that receives each change one microtask after it happened, until it is cut off. */
export class SimulatedWatch<T> implements Reflector<T> {
  readonly options: ReflectorOptions<T>;
  readonly #source: WatchSource<T>;
  readonly #copy = new Map<string, Kept<T>>();
  #hasSynced = false;
  #unbrokenSince: number;
  /** Time at which the stream was cut. Undefined while it is intact. */
  #cutAt: number | undefined;

  constructor(source: WatchSource<T>) {
    this.options = source.options;
    this.#source = source;
    this.#unbrokenSince = source.clock.now();
    queueMicrotask(() => this.#list());
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  readonly isUnserved = false;

  get lastActivity(): number {
    return this.#cutAt ?? this.#source.clock.now();
  }

  get silentFor(): number {
    return this.#source.clock.now() - this.lastActivity;
  }

  get unbrokenSince(): number {
    return this.#unbrokenSince;
  }

  get isFollowed(): boolean {
    return this.#cutAt === undefined;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#copy.get(objectKey(ref))?.value;
  }

  list(): readonly T[] {
    return [...this.#copy.values()].map(({ value }) => value);
  }

  relist(): void {
    this.#hasSynced = false;
    queueMicrotask(() => this.#list());
  }

  async synced(): Promise<void> {
    await Promise.resolve();
  }

  /** Interrupts the stream: the copy misses all later changes. */
  cut(): void {
    this.#cutAt = this.#source.clock.now();
  }

  /** Lists again, as after an expired history. */
  mend(): void {
    this.#cutAt = undefined;
    this.#hasSynced = false;
    this.#list();
  }

  report(previous: KubeObject | undefined, current: KubeObject | undefined): void {
    if (!this.#hasSynced || this.#cutAt !== undefined) return;
    const object = current ?? previous;
    if (object === undefined || (!this.#source.isWanted(object) && !this.#copy.has(keyOf(object)))) return;
    queueMicrotask(() => this.#set(refOf(object), current !== undefined && this.#source.isWanted(current) ? current : undefined));
  }

  #list(): void {
    if (this.#hasSynced || !this.#source.isListable()) return;
    this.#unbrokenSince = this.#source.clock.now();
    const all = this.#source.list();
    const present = new Set(all.map(keyOf));
    for (const [key, { ref }] of this.#copy) if (!present.has(key)) this.#set(ref, undefined);
    // Like a real one, a list reports only differences.
    for (const object of all) if (this.#copy.get(keyOf(object))?.version !== versionOf(object)) this.#set(refOf(object), object);
    this.#hasSynced = true;
    this.options.observer?.listed?.(this.options.namespace);
  }

  #set(ref: ObjectRef, object: KubeObject | undefined): void {
    const key = objectKey(ref);
    const previous = this.#copy.get(key)?.value;
    const current = object === undefined ? undefined : this.options.project(object);
    if (previous === undefined && current === undefined) return;
    if (object === undefined || current === undefined) this.#copy.delete(key);
    else this.#copy.set(key, { ref, version: versionOf(object), value: current });
    this.options.onChange?.(ref, { previous, current });
  }
}

function keyOf({ metadata }: KubeObject): string {
  return objectKey(metadata);
}

function versionOf({ metadata: { uid, resourceVersion } }: KubeObject): string {
  return `${uid}/${resourceVersion}`;
}

function refOf({ metadata }: KubeObject): ObjectRef {
  return metadata.namespace === undefined ? { name: metadata.name } : { namespace: metadata.namespace, name: metadata.name };
}

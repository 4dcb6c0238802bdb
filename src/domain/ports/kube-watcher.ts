import type { KubeObject, ObjectRef, Resource } from "../kubernetes.ts";
import type { ListOptions } from "./kube-client.ts";
import type { KubeError } from "./kube-error.ts";

/** A change seen by a watch. `previous` is absent for an addition, `current` for a deletion. */
export interface Change<T> {
  readonly previous: T | undefined;
  readonly current: T | undefined;
}

/** Live copy of a collection. `project` decides what is kept in memory. */
export interface Reflector<T> {
  /** True after the first complete list, false again while the kind is unserved. */
  readonly hasSynced: boolean;
  /** The API server has no such kind at the moment. The copy is kept as it was last seen. */
  readonly isUnserved: boolean;
  /** Unix milliseconds of the last list, event or bookmark. */
  readonly lastActivity: number;
  /** Milliseconds since {@link lastActivity}, by no clock that anybody sets. */
  readonly silentFor: number;
  /** Unix milliseconds of the last complete list: what came and went before, and since the end of the watch before it, was not seen. */
  readonly unbrokenSince: number;
  /** What comes and goes now is seen. False from the end of a watch by a failure until it goes on where it was, or all is listed anew. */
  readonly isFollowed: boolean;
  get(ref: ObjectRef): T | undefined;
  list(): readonly T[];
  /** Drops the copy's claim to be current and lists anew. */
  relist(): void;
  /** Resolves when `hasSynced` first holds; rejects when the signal aborts. */
  synced(signal: AbortSignal): Promise<void>;
}

export interface ReflectorOptions<T> extends ListOptions {
  readonly resource: Resource;
  /** Called once per object received; return what to keep, undefined to ignore the object. */
  readonly project: (object: KubeObject) => T | undefined;
  /** Called in order, after the copy was updated. Must not throw and must not block: enqueue a key and return. */
  readonly onChange?: (ref: ObjectRef, change: Change<T>) => void;
  readonly observer?: ReflectorObserver;
  /** The API server leaves everything but the metadata out, of lists and watches alike: values of Secrets are neither sent nor read. */
  readonly metadataOnly?: boolean;
}

/** Told of the copy as a whole. Must not throw. */
export interface ReflectorObserver {
  /**
   * After each complete list, when the changes that it showed are reported: what it lacks is not there. `namespace`: of this one alone, while
   * others may be in the middle of theirs; undefined: of all.
   */
  readonly listed?: (namespace: string | undefined) => void;
  /** A list or a watch was refused, or got no answer; it is tried again. */
  readonly failed?: (error: KubeError) => void;
}

export interface KubeWatcher {
  /** Starts at once and runs until the signal aborts. */
  reflect<T>(options: ReflectorOptions<T>, signal: AbortSignal): Reflector<T>;
}

import type { KubeObject, ObjectRef, Resource } from "../kubernetes.ts";
import type { ListOptions } from "./kube-client.ts";
import type { KubeError } from "./kube-error.ts";

/** A change seen by a watch. `previous` is absent for an addition, `current` for a deletion. */
export interface Change<T> {
  readonly previous: T | undefined;
  readonly current: T | undefined;
}

/** Live copy of a collection. `project` decides which parts stay in memory. */
export interface Reflector<T> {
  /** True after the first complete list, false again while the kind is unserved. */
  readonly hasSynced: boolean;
  /** Whether the API server does not serve the kind at the moment. The copy keeps its last state. */
  readonly isUnserved: boolean;
  /** Unix milliseconds of the last list, event or bookmark. */
  readonly lastActivity: number;
  /** Milliseconds since {@link lastActivity}, by a clock that no one can set. */
  readonly silentFor: number;
  /**
   * Unix milliseconds of the last complete list. The copy may have missed objects that were created and deleted between the end of the
   * previous watch and this list.
   */
  readonly unbrokenSince: number;
  /**
   * Whether the copy currently sees every change. False after a watch failed, until it resumes at the same place or a new list completes.
   */
  readonly isFollowed: boolean;
  get(ref: ObjectRef): T | undefined;
  list(): readonly T[];
  /** Marks the copy as not current and lists again. */
  relist(): void;
  /** Resolves when `hasSynced` becomes true for the first time; rejects when the signal aborts. */
  synced(signal: AbortSignal): Promise<void>;
}

export interface ReflectorOptions<T> extends ListOptions {
  readonly resource: Resource;
  /** Called once per received object. Returns the part to keep, or undefined to ignore the object. */
  readonly project: (object: KubeObject) => T | undefined;
  /** Called in order, after the copy was updated. Must not throw and must not block: enqueue a key and return. */
  readonly onChange?: (ref: ObjectRef, change: Change<T>) => void;
  readonly observer?: ReflectorObserver;
  /**
   * Whether the API server omits everything except the metadata, in lists and watches, so that values of Secrets are neither sent nor read.
   */
  readonly metadataOnly?: boolean;
}

/** Receives notice about the copy as a whole. Must not throw. */
export interface ReflectorObserver {
  /**
   * Called after each complete list, once the changes from it were reported: objects that the list lacks do not exist. `namespace`: the
   * list covers only this namespace, while lists of others may be in progress; undefined: all.
   */
  readonly listed?: (namespace: string | undefined) => void;
  /** Called if a list or a watch was rejected or got no answer. It is retried. */
  readonly failed?: (error: KubeError) => void;
}

export interface KubeWatcher {
  /** Starts immediately and runs until the signal aborts. */
  reflect<T>(options: ReflectorOptions<T>, signal: AbortSignal): Reflector<T>;
}

import { isDeepStrictEqual } from "node:util";
import type { KubeObject, ObjectRef } from "../domain/kubernetes.ts";
import { objectKey } from "../domain/object-key.ts";
import type { Change } from "../domain/ports/kube-watcher.ts";

/** The remembered part of one object. */
export interface Kept<T> {
  readonly ref: ObjectRef;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly value: T;
}

export type Report<T> = (ref: ObjectRef, change: Change<T>) => void;

/** The kept objects by address. Every update reports its change after making it. */
export class ObjectCopy<T> {
  readonly #entries = new Map<string, Kept<T>>();
  readonly #report: Report<T>;

  constructor(report: Report<T>) {
    this.#report = report;
  }

  get(ref: ObjectRef): T | undefined {
    return this.#entries.get(objectKey(ref))?.value;
  }

  list(): readonly T[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  set(next: Kept<T>): void {
    const key = objectKey(next.ref);
    const previous = this.#entries.get(key);
    // The same name has another UID: the deletion in between was not received, and callers that follow deletions must get it.
    if (previous !== undefined && previous.uid !== next.uid) {
      this.delete(next.ref);
      this.set(next);
      return;
    }
    this.#entries.set(key, next);
    this.#report(next.ref, { previous: previous?.value, current: next.value });
  }

  delete(ref: ObjectRef): void {
    const previous = this.#entries.get(objectKey(ref));
    if (previous === undefined) return;
    this.#entries.delete(objectKey(ref));
    this.#report(ref, { previous: previous.value, current: undefined });
  }

  /** Adopts a complete list: deletions first, then new and changed objects in the order of the list. */
  replace(all: readonly Kept<T>[]): void {
    const present = new Set(all.map(({ ref }) => objectKey(ref)));
    for (const [key, { ref }] of this.#entries) if (!present.has(key)) this.delete(ref);
    for (const next of all) {
      const previous = this.#entries.get(objectKey(next.ref));
      if (previous === undefined || !isSame(previous, next)) this.set(next);
    }
  }
}

/** Compares the content as well: a CRD whose schema was cut serves other content under the same resourceVersion. */
function isSame<T>(previous: Kept<T>, next: Kept<T>): boolean {
  return previous.uid === next.uid && previous.resourceVersion === next.resourceVersion && isDeepStrictEqual(previous.value, next.value);
}

export function objectRefOf({ metadata }: KubeObject): ObjectRef {
  return metadata.namespace === undefined ? { name: metadata.name } : { namespace: metadata.namespace, name: metadata.name };
}

import type { KubeObject, ObjectRef } from "../../src/domain/kubernetes.ts";
import { objectKey } from "../../src/domain/object-key.ts";
import type { Clock } from "../../src/domain/ports/clock.ts";
import type { KubeClient, ReadResult } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector, ReflectorOptions } from "../../src/domain/ports/kube-watcher.ts";

/**
 * ControllerRevisions in memory, with what only an API server gives an object: uid, version and the time of its creation, by a clock that a
 * test can move. Only the calls that records take.
 */
export class RevisionServer {
  readonly #clock: Pick<Clock, "now">;
  readonly #objects = new Map<string, KubeObject>();
  readonly #watchers = new Set<(object: KubeObject, isGone: boolean) => void>();
  #version = 0;
  /** What is made has no time of its creation. */
  isUndated = false;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  get all(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  /** As somebody with the right to write them does. */
  post<T extends KubeObject>(body: T): T {
    const version = ++this.#version;
    const creationTimestamp = new Date(this.#clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const { uid: _, ...metadata } = body.metadata;
    const given = { uid: `uid-${version}`, resourceVersion: `${version}`, ...(this.isUndated ? {} : { creationTimestamp }) };
    const made = { ...body, metadata: { ...metadata, ...given } };
    this.#objects.set(objectKey(made.metadata), made);
    for (const report of this.#watchers) report(made, false);
    return made;
  }

  /** With other metadata; a test alone changes the data, which is the same then. */
  change(object: KubeObject): void {
    this.#objects.set(objectKey(object.metadata), object);
    for (const report of this.#watchers) report(object, false);
  }

  /** With what a request to delete leaves of an object that has a finalizer. */
  hold(object: KubeObject): void {
    const going = { ...object, metadata: { ...object.metadata, finalizers: ["x/y"], deletionTimestamp: "2026-11-26T00:00:00Z" } };
    this.#objects.set(objectKey(object.metadata), going);
    for (const report of this.#watchers) report(going, false);
  }

  remove(ref: ObjectRef): boolean {
    const gone = this.#objects.get(objectKey(ref));
    if (gone === undefined) return false;
    this.#objects.delete(objectKey(ref));
    for (const report of this.#watchers) report(gone, true);
    return true;
  }

  readonly kube: Pick<KubeClient, "create" | "read" | "delete"> = {
    create: async (_resource, body) => {
      if (!this.#objects.has(objectKey(body.metadata))) return this.post(body);
      throw new KubeError("AlreadyExists", `${body.metadata.name} exists`, { retry: { kind: "never" } });
    },
    read: async <T extends KubeObject>(_resource: unknown, ref: ObjectRef): Promise<ReadResult<T>> => {
      const object = this.#objects.get(objectKey(ref));
      return object === undefined ? { kind: "absent" } : { kind: "found", object: object as T }; // Of the one kind there is.
    },
    delete: async (_resource, ref) => this.remove(ref),
  };

  readonly watcher: KubeWatcher = {
    reflect: <T>({ labelSelector = "", project, onChange }: ReflectorOptions<T>): Reflector<T> => {
      const kept = new Map<string, T>();
      const [label = "", value] = labelSelector.split("=");
      const report = (object: KubeObject, isGone: boolean): void => {
        if (object.metadata.labels?.[label] !== value) return;
        const { namespace = "", name } = object.metadata;
        const previous = kept.get(`${namespace}/${name}`);
        const current = isGone ? undefined : project(object);
        if (current === undefined) kept.delete(`${namespace}/${name}`);
        else kept.set(`${namespace}/${name}`, current);
        onChange?.({ namespace, name }, { previous, current });
      };
      for (const object of this.#objects.values()) report(object, false);
      this.#watchers.add(report);
      return {
        hasSynced: true,
        isUnserved: false,
        lastActivity: 0,
        silentFor: 0,
        unbrokenSince: 0,
        isFollowed: true,
        get: (ref) => kept.get(objectKey(ref)),
        list: () => [...kept.values()],
        relist: () => undefined,
        synced: async () => undefined,
      };
    },
  };
}

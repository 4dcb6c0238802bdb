import type { KubeObject, ObjectRef } from "../../../src/domain/kubernetes.ts";
import { objectKey } from "../../../src/domain/object-key.ts";
import type { KubeWatcher, Reflector, ReflectorOptions } from "../../../src/domain/ports/kube-watcher.ts";

/** Live copies that the test updates with one object after the other, like watches. */
export interface ToldCopies {
  readonly watcher: KubeWatcher;
  /** Updates every copy of the object's kind. */
  readonly report: (object: KubeObject) => void;
  readonly tellGone: (object: KubeObject) => void;
  /** Watched kinds, one for each copy. */
  readonly kinds: () => readonly string[];
  /** Kept values of all objects, in all copies. */
  readonly held: () => readonly unknown[];
  /** Kept values of one object, in all copies of its kind. */
  readonly heldOf: (object: KubeObject) => readonly unknown[];
}

interface Copy {
  readonly kind: string;
  readonly objects: ReadonlyMap<string, unknown>;
  readonly report: (object: KubeObject, isGone: boolean) => void;
}

export function toldCopies(): ToldCopies {
  const copies: Copy[] = [];
  const reflect = <T>({ resource, project, onChange }: ReflectorOptions<T>): Reflector<T> => {
    const objects = new Map<string, T>();
    copies.push({
      kind: resource.kind,
      objects,
      report: (object, isGone) => {
        const { metadata } = object;
        const previous = objects.get(objectKey(metadata));
        const current = isGone ? undefined : project(object);
        if (current === undefined) objects.delete(objectKey(metadata));
        else objects.set(objectKey(metadata), current);
        onChange?.(metadata, { previous, current });
      },
    });
    const asked = { get: (ref: ObjectRef) => objects.get(objectKey(ref)), list: () => [...objects.values()], hasSynced: true };
    return { ...asked, synced: () => Promise.resolve() } as unknown as Reflector<T>; // The code under test uses nothing else.
  };
  const report = (object: KubeObject, isGone: boolean): void => {
    for (const copy of copies) if (copy.kind === object.kind) copy.report(object, isGone);
  };
  return {
    watcher: { reflect },
    report: (object) => report(object, false),
    tellGone: (object) => report(object, true),
    kinds: () => copies.map(({ kind }) => kind),
    heldOf: ({ kind, metadata }) => copies.flatMap((copy) => (copy.kind === kind ? [copy.objects.get(objectKey(metadata))] : [])),
    held: () => copies.flatMap(({ objects }) => [...objects.values()]),
  };
}

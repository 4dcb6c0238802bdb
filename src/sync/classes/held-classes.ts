import { type KubeObject, type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { Change, KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { type HeldClass, heldClass } from "../../domain/provider-class/held-class.ts";
import { Claims } from "../../domain/sync/claims.ts";
import { ALL_CLASSES_BYTES, Room } from "../room.ts";

/** All classes, as far as the worker has room for them. */
export interface HeldClasses extends Pick<Reflector<HeldClass>, "hasSynced" | "get" | "list" | "relist"> {
  /** Classes of the namespace that name the Secret, oldest first. */
  claimants(namespace: string, secretName: string): readonly SecretProviderClass[];
  /** Reads a class that waited for room and has room now. Returns whether the worker holds the class from now on. */
  admit(waiting: HeldClass, signal: AbortSignal): Promise<boolean>;
}

export interface HeldClassesOptions {
  readonly watcher: KubeWatcher;
  readonly kube: Pick<KubeClient, "read">;
  /** Called for every change, in order, after the live copy was updated. */
  readonly onChange: (change: Pick<Change<HeldClass>, "previous" | "current">) => void;
  /** Requests a reconcile of the class. */
  readonly requeue: (classKey: string) => void;
}

export function startHeldClasses({ watcher, kube, onChange, requeue }: HeldClassesOptions, signal: AbortSignal): HeldClasses {
  const room = new Room({ allBytes: ALL_CLASSES_BYTES, onRoom: requeue });
  const claims = new Claims();
  /** Classes that had to wait for room, read after they got it. The next change in the watch replaces each of them. */
  const admitted = new Map<string, HeldClass>();
  const project = (object: KubeObject): HeldClass => {
    const key = objectKey(object.metadata);
    const { uid = "" } = object.metadata;
    const held = heldClass(object, (bytes) => room.take(key, { uid, bytes }));
    if (held.excess !== undefined && held.excess !== "namespace") room.leave(key);
    return held;
  };
  const whole = (watched: HeldClass): HeldClass => {
    const read = watched.excess === "namespace" ? admitted.get(objectKey(watched.metadata)) : undefined;
    return read !== undefined && isSameVersion(read, watched) ? read : watched;
  };
  const reflector: Reflector<HeldClass> = watcher.reflect<HeldClass>(
    {
      resource: RESOURCES.secretProviderClasses,
      project,
      onChange: (ref, { previous, current }) => {
        const key = objectKey(ref);
        const before = previous && whole(previous);
        admitted.delete(key);
        // Another object may have the name by now. It got its own room when the worker received it.
        if (current === undefined) room.leave(key, previous?.metadata.uid ?? "");
        claims.note({ previous: before, current });
        onChange({ previous: before, current });
        requeue(key);
      },
      observer: { listed: (namespace) => room.keepOnly(reflector, namespace) },
    },
    signal,
  );
  const admit = async (waiting: HeldClass, readSignal: AbortSignal): Promise<boolean> => {
    const { namespace = "", name } = waiting.metadata;
    const key = objectKey({ namespace, name });
    if (!room.has(key)) return false;
    const found = await kube.read<SecretProviderClass>(RESOURCES.secretProviderClasses, { namespace, name }, readSignal);
    // The watch delivers a newer version, and that version has the room.
    if (found.kind !== "found" || !isSameVersion(found.object, waiting) || reflector.get({ namespace, name }) !== waiting) return false;
    const read = project(found.object);
    if (read.excess !== undefined) return false;
    admitted.set(key, read);
    claims.note({ previous: waiting, current: read });
    return true;
  };
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get: (ref: ObjectRef) => {
      const watched = reflector.get(ref);
      return watched && whole(watched);
    },
    list: () => reflector.list().map(whole),
    relist: () => reflector.relist(),
    claimants: (namespace, secretName) => claims.of(namespace, secretName),
    admit,
  };
}

function isSameVersion(one: SecretProviderClass, other: SecretProviderClass): boolean {
  const [a, b] = [one.metadata, other.metadata];
  return a.uid === b.uid && a.resourceVersion === b.resourceVersion;
}

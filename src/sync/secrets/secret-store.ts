import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { Groups } from "../../domain/groups.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { keyIn, objectKey } from "../../domain/object-key.ts";
import type { Change, KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { heldSecret } from "../../domain/sync/held-secret.ts";
import { lastForeignWrite, type ObservedSecret, ownedFields } from "../../domain/sync/observed-secret.ts";
import { lastWriteOf } from "../../domain/written-at.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { type Fingerprints, isFormer } from "../fingerprints.ts";
import { ALL_SECRETS_BYTES, ALL_UNPROVEN_SECRETS_BYTES, Room } from "../room.ts";

/**
 * Live Secrets that have a label of the worker, by the class that they name. The worker fingerprints the values on arrival and drops them.
 */
export interface SecretStore {
  readonly hasSynced: boolean;
  /** Whether the worker reads no Secrets and knows only what it wrote. */
  readonly isBlind: boolean;
  get(ref: ObjectRef): ObservedSecret | undefined;
  readonly size: number;
  /** Number of Secrets of which the worker holds only a part, for lack of room. */
  readonly withoutRoom: number;
  /** `classKey`: `namespace/name` of the class. */
  ofClass(classKey: string): readonly ObservedSecret[];
}

export interface SecretStoreOptions {
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  readonly logger: Pick<Logger, "warn">;
  /** Called with the key of a class whose Secret changed. */
  readonly onChange: (classKey: string) => void;
  /** Default: the marks of Secrets in the namespace of their class. */
  readonly marks?: SecretMarks;
}

/** The label that Secrets of a store have, and the class that such a Secret belongs to. */
export interface SecretMarks {
  /** Key of the label. Its value is `"true"`. */
  readonly label: string;
  /** `namespace/name` of the class. */
  readonly classKeyOf: (secret: ObservedSecret) => string | undefined;
}

/** Marks of copies, which are in other namespaces than their class. */
export const COPY_MARKS: SecretMarks = {
  label: COPY_LABEL,
  classKeyOf: ({ annotations }) => keyIn(annotations[COPY_ANNOTATIONS.copiedFrom]),
};

export function startSecretStore(options: SecretStoreOptions, signal: AbortSignal): SecretStore & Pick<Reflector<ObservedSecret>, "list"> {
  const { watcher, fingerprints, logger, onChange, marks = MANAGED_MARKS } = options;
  const byClass = new SecretsByClass(marks.classKeyOf);
  const rooms = new SecretRooms();
  /**
   * Uids of Secrets that the worker has seen with their proof. A user who edits the annotation removes the proof, but the worker still
   * knows the Secret.
   */
  const proven = new Set<string>();
  const reflector: Reflector<ObservedSecret> = watcher.reflect<ObservedSecret>(
    {
      resource: RESOURCES.secrets,
      labelSelector: `${marks.label}=true`,
      project: (object) => {
        const observed = remembering(proven, observeStoredSecret(object, fingerprints));
        return heldSecret(observed, (bytes) => rooms.take(observed, bytes));
      },
      onChange: (ref, change) => {
        byClass.note(change);
        if (isNewlyWithoutRoom(change)) logger.warn("a Secret is too large to keep", { secret: objectKey(ref) });
        if (change.current === undefined) rooms.leave(ref, change.previous?.uid);
        const { previous, current } = change;
        if (previous !== undefined && previous.uid !== current?.uid) proven.delete(previous.uid);
        const named = [change.previous, change.current].map((secret) => (secret === undefined ? undefined : marks.classKeyOf(secret)));
        for (const key of new Set(named)) if (key !== undefined) onChange(key);
      },
      observer: { listed: (namespace) => rooms.keepOnly(reflector, namespace) },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    isBlind: false,
    get: (ref) => reflector.get(ref),
    list: () => reflector.list(),
    get size() {
      return reflector.list().length;
    },
    get withoutRoom() {
      return reflector.list().filter(({ isPartial }) => isPartial === true).length;
    },
    ofClass: (classKey) => byClass.of(classKey),
  };
}

/** Whether one of the worker's own Secrets no longer has room. Forged Secrets cause no log lines. */
function isNewlyWithoutRoom({ previous, current }: Change<ObservedSecret>): boolean {
  return current?.isPartial === true && current.lacksProof !== true && previous?.isPartial !== true;
}

function remembering(proven: Set<string>, secret: ObservedSecret): ObservedSecret {
  if (secret.lacksProof === true) return proven.has(secret.uid) ? { ...secret, lacksProof: false } : secret;
  proven.add(secret.uid);
  return secret;
}

/** Whether a version up to 0.3.0 wrote the Secret and its content is intact. The fingerprint is the only proof of such a Secret. */
function isIntactFormer(claimed: string, isContentIntact: boolean): boolean {
  return isContentIntact && isFormer(claimed);
}

/** Returns the Secret without its values. Also for Secrets that the worker read outside the watch. */
export function observeStoredSecret(object: KubeObject, fingerprints: Fingerprints): ObservedSecret {
  const secret: Secret = object;
  const { metadata } = secret;
  const owned = ownedFields(metadata.managedFields ?? [], FIELD_MANAGER);
  const annotations = metadata.annotations ?? {};
  const place = { namespace: metadata.namespace ?? "", name: metadata.name };
  const claimed = annotations[SECRET_ANNOTATIONS.content] ?? "";
  const isContentIntact = fingerprints.isOfData(claimed, place, { data: secret.data ?? {}, keys: owned.data });
  return {
    ref: place,
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    type: secret.type ?? "Opaque",
    immutable: secret.immutable === true,
    labels: metadata.labels ?? {},
    annotations,
    owned,
    isContentIntact,
    lacksProof: !(fingerprints.hasProof(claimed, place) || isIntactFormer(claimed, isContentIntact)),
    lastForeign: lastForeignWrite(metadata.managedFields ?? [], FIELD_MANAGER),
    hasOwners: (metadata.ownerReferences ?? []).length > 0,
    writtenAt: lastWriteOf(metadata.managedFields ?? [], FIELD_MANAGER),
    createdAt: metadata.creationTimestamp === undefined ? undefined : Date.parse(metadata.creationTimestamp),
  };
}

/**
 * A Secret without room does not wait for it: the worker reads the Secret right before a write, and asks for room again when the Secret
 * changes.
 */
class SecretRooms {
  readonly #proven = new Room({ allBytes: ALL_SECRETS_BYTES, onRoom: "nobodyWaits" });
  /** Separate room, so that forged Secrets take none from the worker's own. */
  readonly #unproven = new Room({ allBytes: ALL_UNPROVEN_SECRETS_BYTES, onRoom: "nobodyWaits" });

  take({ ref, uid, lacksProof }: ObservedSecret, bytes: number): boolean {
    const [room, other] = lacksProof === true ? [this.#unproven, this.#proven] : [this.#proven, this.#unproven];
    const key = objectKey(ref);
    other.leave(key);
    return room.take(key, { uid, bytes });
  }

  leave(ref: ObjectRef, uid: string | undefined): void {
    for (const room of [this.#proven, this.#unproven]) room.leave(objectKey(ref), uid);
  }

  keepOnly(...listed: Parameters<Room["keepOnly"]>): void {
    for (const room of [this.#proven, this.#unproven]) room.keepOnly(...listed);
  }
}

/** Secrets by the class that they name, so that the worker does not search all Secrets for every class. */
export class SecretsByClass {
  readonly #byClass = new Groups<ObservedSecret>();
  readonly #classKeyOf: SecretMarks["classKeyOf"];

  constructor(ofSecret: SecretMarks["classKeyOf"] = classKeyOf) {
    this.#classKeyOf = ofSecret;
  }

  /** Call this for every change of a Secret, in order. */
  note({ previous, current }: Change<ObservedSecret>): void {
    if (previous !== undefined) this.#drop(previous);
    const key = current === undefined ? undefined : this.#classKeyOf(current);
    if (current === undefined || key === undefined) return;
    this.#byClass.set(key, objectKey(current.ref), current);
  }

  /** `classKey`: `namespace/name` of the class. */
  of(classKey: string): readonly ObservedSecret[] {
    return this.#byClass.of(classKey);
  }

  #drop(secret: ObservedSecret): void {
    const key = this.#classKeyOf(secret);
    if (key !== undefined) this.#byClass.delete(key, objectKey(secret.ref));
  }
}

/** Returns `namespace/name` of the class that the Secret names. */
export function classKeyOf({ ref, annotations }: ObservedSecret): string | undefined {
  const name = annotations[SECRET_ANNOTATIONS.class];
  return name === undefined ? undefined : `${ref.namespace ?? ""}/${name}`;
}

const MANAGED_MARKS: SecretMarks = { label: MANAGED_LABEL, classKeyOf };

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

/** Live Secrets that carry a label of ours, by the class that they name. Values are fingerprinted on arrival and dropped. */
export interface SecretStore {
  readonly hasSynced: boolean;
  /** Nothing is read: it is all by the worker's own word. */
  readonly isBlind: boolean;
  get(ref: ObjectRef): ObservedSecret | undefined;
  /** How many there are. */
  readonly size: number;
  /** How many of them are held in part, for lack of room. */
  readonly withoutRoom: number;
  /** Of `namespace/name` of a class. */
  ofClass(classKey: string): readonly ObservedSecret[];
}

export interface SecretStoreOptions {
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  readonly logger: Pick<Logger, "warn">;
  /** Key of a class whose Secret changed. */
  readonly onChange: (classKey: string) => void;
  /** Default: those that classes have in their own namespace. */
  readonly marks?: SecretMarks;
}

/** What of a Secret says that it is one of these, and whose. */
export interface SecretMarks {
  /** With the value `"true"`. */
  readonly label: string;
  /** `namespace/name` of the class. */
  readonly classKeyOf: (secret: ObservedSecret) => string | undefined;
}

/** Copies, in other namespaces than the class's. */
export const COPY_MARKS: SecretMarks = {
  label: COPY_LABEL,
  classKeyOf: ({ annotations }) => keyIn(annotations[COPY_ANNOTATIONS.copiedFrom]),
};

export function startSecretStore(options: SecretStoreOptions, signal: AbortSignal): SecretStore & Pick<Reflector<ObservedSecret>, "list"> {
  const { watcher, fingerprints, logger, onChange, marks = MANAGED_MARKS } = options;
  const byClass = new SecretsByClass(marks.classKeyOf);
  const rooms = new SecretRooms();
  /** Uids of those that were seen with their proof: who edits the annotation takes the proof away, not what is known. */
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

/** Of the worker's own. Whoever forges Secrets writes no log. */
function isNewlyWithoutRoom({ previous, current }: Change<ObservedSecret>): boolean {
  return current?.isPartial === true && current.lacksProof !== true && previous?.isPartial !== true;
}

function remembering(proven: Set<string>, secret: ObservedSecret): ObservedSecret {
  if (secret.lacksProof === true) return proven.has(secret.uid) ? { ...secret, lacksProof: false } : secret;
  proven.add(secret.uid);
  return secret;
}

/** What 0.3.0 wrote has no other proof than its fingerprint. */
function isIntactFormer(claimed: string, isContentIntact: boolean): boolean {
  return isContentIntact && isFormer(claimed);
}

/** The Secret without its values. Also for a Secret that was read outside the watch. */
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

/** Nobody waits for room: what has none is read where it is to be written, and asks again with its next change. */
class SecretRooms {
  readonly #proven = new Room({ allBytes: ALL_SECRETS_BYTES, onRoom: "nobodyWaits" });
  /** Whoever forges Secrets takes nothing from the worker's own. */
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

/** Secrets by the class that they name, without a look at every Secret for every class. */
export class SecretsByClass {
  readonly #byClass = new Groups<ObservedSecret>();
  readonly #classKeyOf: SecretMarks["classKeyOf"];

  constructor(ofSecret: SecretMarks["classKeyOf"] = classKeyOf) {
    this.#classKeyOf = ofSecret;
  }

  /** To be told of every change of a Secret, in order. */
  note({ previous, current }: Change<ObservedSecret>): void {
    if (previous !== undefined) this.#drop(previous);
    const key = current === undefined ? undefined : this.#classKeyOf(current);
    if (current === undefined || key === undefined) return;
    this.#byClass.set(key, objectKey(current.ref), current);
  }

  /** Of `namespace/name` of a class. */
  of(classKey: string): readonly ObservedSecret[] {
    return this.#byClass.of(classKey);
  }

  #drop(secret: ObservedSecret): void {
    const key = this.#classKeyOf(secret);
    if (key !== undefined) this.#byClass.delete(key, objectKey(secret.ref));
  }
}

/** `namespace/name` of the class that the Secret names. */
export function classKeyOf({ ref, annotations }: ObservedSecret): string | undefined {
  const name = annotations[SECRET_ANNOTATIONS.class];
  return name === undefined ? undefined : `${ref.namespace ?? ""}/${name}`;
}

const MANAGED_MARKS: SecretMarks = { label: MANAGED_LABEL, classKeyOf };

import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { Groups } from "../../domain/groups.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { Change, KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { lastForeignWrite, lastWriteOf, type ObservedSecret, ownedFields } from "../../domain/sync/observed-secret.ts";
import { FIELD_MANAGER } from "../field-manager.ts";
import { type Fingerprints, isFormer } from "../fingerprints.ts";

/** Live Secrets that carry a label of ours, by the class that they name. Values are fingerprinted on arrival and dropped. */
export interface SecretStore {
  readonly hasSynced: boolean;
  /** Nothing is read: it is all by the worker's own word. */
  readonly isBlind: boolean;
  get(ref: ObjectRef): ObservedSecret | undefined;
  /** How many there are. */
  readonly size: number;
  /** Of `namespace/name` of a class. */
  ofClass(classKey: string): readonly ObservedSecret[];
}

export interface SecretStoreOptions {
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
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
  classKeyOf: ({ annotations }) => annotations[COPY_ANNOTATIONS.copiedFrom],
};

export function startSecretStore(options: SecretStoreOptions, signal: AbortSignal): SecretStore & Pick<Reflector<ObservedSecret>, "list"> {
  const { watcher, fingerprints, onChange, marks = MANAGED_MARKS } = options;
  const byClass = new SecretsByClass(marks.classKeyOf);
  /** Uids of those that were seen with their proof: who edits the annotation takes the proof away, not what is known. */
  const proven = new Set<string>();
  const reflector: Reflector<ObservedSecret> = watcher.reflect<ObservedSecret>(
    {
      resource: RESOURCES.secrets,
      labelSelector: `${marks.label}=true`,
      project: (object) => remembering(proven, observe(object, fingerprints)),
      onChange: (_ref, change) => {
        byClass.note(change);
        const { previous, current } = change;
        if (previous !== undefined && previous.uid !== current?.uid) proven.delete(previous.uid);
        const named = [change.previous, change.current].map((secret) => (secret === undefined ? undefined : marks.classKeyOf(secret)));
        for (const key of new Set(named)) if (key !== undefined) onChange(key);
      },
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
    ofClass: (classKey) => byClass.of(classKey),
  };
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
export function observe(object: KubeObject, fingerprints: Fingerprints): ObservedSecret {
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

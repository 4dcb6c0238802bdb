import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../domain/annotations.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret } from "../domain/kubernetes.ts";
import type { KubeWatcher, Reflector } from "../domain/ports.ts";
import { lastForeignWrite, lastWriteOf, type ObservedSecret, ownedFields } from "../domain/sync/observed-secret.ts";
import { type Fingerprints, isSameFingerprint } from "./content-hmac.ts";
import { FIELD_MANAGER } from "./field-manager.ts";

/** Live Secrets that carry our label, by the class that they name. Values are fingerprinted on arrival and dropped. */
export interface SecretStore {
  readonly hasSynced: boolean;
  get(ref: ObjectRef): ObservedSecret | undefined;
  /** Of `namespace/name` of a class. */
  ofClass(classKey: string): readonly ObservedSecret[];
}

export interface SecretStoreOptions {
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  /** Key of a class whose Secret changed. */
  readonly onChange: (classKey: string) => void;
}

export function startSecretStore({ watcher, fingerprints, onChange }: SecretStoreOptions, signal: AbortSignal): SecretStore {
  const index = new Map<string, Map<string, ObservedSecret>>();
  const reflector: Reflector<ObservedSecret> = watcher.reflect<ObservedSecret>(
    {
      resource: RESOURCES.secrets,
      labelSelector: `${MANAGED_LABEL}=true`,
      project: (object) => observe(object, fingerprints),
      onChange: (ref, { previous, current }) => {
        const before = previous === undefined ? undefined : classKeyOf(previous);
        const after = current === undefined ? undefined : classKeyOf(current);
        if (before !== undefined) forget(index, before, ref.name);
        if (after !== undefined && current !== undefined) remember(index, after, current);
        for (const key of new Set([before, after])) if (key !== undefined) onChange(key);
      },
    },
    signal,
  );
  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get: (ref) => reflector.get(ref),
    ofClass: (classKey) => [...(index.get(classKey)?.values() ?? [])],
  };
}

/** The Secret without its values. Also for a Secret that was read outside the watch. */
export function observe(object: KubeObject, fingerprints: Fingerprints): ObservedSecret {
  const secret: Secret = object;
  const { metadata } = secret;
  const owned = ownedFields(metadata.managedFields ?? [], FIELD_MANAGER);
  const annotations = metadata.annotations ?? {};
  const fingerprint = fingerprints.ofEncodedData(secret.data ?? {}, owned.data);
  return {
    ref: { namespace: metadata.namespace ?? "", name: metadata.name },
    uid: metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    type: secret.type ?? "Opaque",
    immutable: secret.immutable === true,
    labels: metadata.labels ?? {},
    annotations,
    owned,
    isContentIntact: isSameFingerprint(annotations[SECRET_ANNOTATIONS.content] ?? "", fingerprint),
    lastForeign: lastForeignWrite(metadata.managedFields ?? [], FIELD_MANAGER),
    hasOwners: (metadata.ownerReferences ?? []).length > 0,
    writtenAt: lastWriteOf(metadata.managedFields ?? [], FIELD_MANAGER),
    createdAt: metadata.creationTimestamp === undefined ? undefined : Date.parse(metadata.creationTimestamp),
  };
}

function classKeyOf({ ref, annotations }: ObservedSecret): string | undefined {
  const name = annotations[SECRET_ANNOTATIONS.class];
  return name === undefined ? undefined : `${ref.namespace ?? ""}/${name}`;
}

function remember(index: Map<string, Map<string, ObservedSecret>>, classKey: string, secret: ObservedSecret): void {
  const ofClass = index.get(classKey) ?? new Map<string, ObservedSecret>();
  ofClass.set(secret.ref.name, secret);
  index.set(classKey, ofClass);
}

function forget(index: Map<string, Map<string, ObservedSecret>>, classKey: string, name: string): void {
  const ofClass = index.get(classKey);
  ofClass?.delete(name);
  if (ofClass?.size === 0) index.delete(classKey);
}

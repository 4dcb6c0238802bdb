import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { ObjectRef } from "../../domain/kubernetes.ts";
import { objectKey, refOfKey } from "../../domain/object-key.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { ClassStatus } from "../../domain/sync/status-fields.ts";
import { type SecretStore, SecretsByClass } from "./secret-store.ts";

/**
 * Secrets with `--secret-access=blind`, in which case the worker never reads a Secret. The store contains the API server's answers to the
 * worker's own writes and, after a start, the names from the class statuses.
 */
export interface BlindSecrets extends SecretStore {
  remember(secret: ObservedSecret): void;
  forget(ref: ObjectRef): void;
}

export function createBlindSecrets(statusOf: (ref: ObjectRef) => ClassStatus | undefined): BlindSecrets {
  const written = new Map<string, ObservedSecret>();
  const byClass = new SecretsByClass();
  return {
    hasSynced: true,
    isBlind: true,
    get: (ref) => written.get(objectKey(ref)),
    get size() {
      return written.size;
    },
    withoutRoom: 0,
    ofClass: (classKey) => {
      const { namespace, name: className } = refOfKey(classKey);
      const reported = (statusOf({ namespace, name: className })?.secrets ?? [])
        .filter(({ name, state }) => state !== "Conflict" && !written.has(`${namespace}/${name}`))
        .map(({ name }) => assumed({ namespace, name }, className));
      return [...byClass.of(classKey), ...reported];
    },
    remember: (secret) => {
      const key = objectKey(secret.ref);
      byClass.note({ previous: written.get(key), current: secret });
      written.set(key, secret);
    },
    forget: (ref) => {
      const key = objectKey(ref);
      byClass.note({ previous: written.get(key), current: undefined });
      written.delete(key);
    },
  };
}

/**
 * Returns a Secret that an earlier process wrote, according to the class status. When the worker writes or deletes the Secret, the
 * admission policy decides whether it is the worker's own.
 */
function assumed(ref: ObjectRef, className: string): ObservedSecret {
  return {
    ref,
    uid: "",
    resourceVersion: "",
    type: "",
    immutable: false,
    labels: { [MANAGED_LABEL]: "true" },
    annotations: { [SECRET_ANNOTATIONS.class]: className },
    owned: { data: [], labels: [MANAGED_LABEL], annotations: [] },
    isContentIntact: true,
  };
}

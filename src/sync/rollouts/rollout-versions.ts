import { createHash } from "node:crypto";
import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { MirroredVersions, NamespaceSecrets } from "../../domain/rollout/versions.ts";
import { secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { SecretStore } from "../secrets/secret-store.ts";

/** Hash of version ids, which are no secret. Sixteen characters tell more versions apart than a cluster will see. */
export function stampOf(objects: readonly string[]): string {
  return createHash("sha256").update(objects.join("\n")).digest("hex").slice(0, 16);
}

type Times = Pick<MirroredVersions, "since" | "isFirst">;

/**
 * Since when a Secret has the versions that it has. The API server keeps the time of our last write, which may be later: a repair
 * writes too. Whoever saw the versions before remembers the earlier time.
 */
export class VersionTimes {
  readonly #known = new Map<string, Times & { readonly objects: string }>();

  of({ ref, writtenAt, createdAt }: ObservedSecret, objects: string, now: number): Times {
    const key = objectKey(ref);
    const known = this.#known.get(key);
    if (known?.objects === objects) return known;
    const times = {
      objects,
      since: writtenAt ?? now,
      isFirst: known === undefined && (writtenAt === undefined || writtenAt === createdAt),
    };
    this.#known.set(key, times);
    return times;
  }
}

export interface NamespaceSecretsInput {
  readonly namespace: string;
  readonly classes: readonly SecretProviderClass[];
  readonly secrets: SecretStore;
  readonly times: VersionTimes;
  readonly now: number;
}

export function namespaceSecrets({ namespace, classes, secrets, times, now }: NamespaceSecretsInput): NamespaceSecrets {
  const byClass = new Map<string, readonly string[]>();
  for (const provider of classes) {
    if (provider.metadata.namespace !== namespace) continue;
    byClass.set(
      provider.metadata.name,
      secretObjectsOf(provider).map(({ secretName }) => secretName),
    );
  }
  const mirrored = new Set([...byClass.values()].flat());
  return {
    secretsOf: (className) => byClass.get(className),
    isMirrored: (secretName) => mirrored.has(secretName),
    versionsIn: (secretName): MirroredVersions | undefined => {
      const secret = secrets.get({ namespace, name: secretName });
      const objects = secret?.annotations[SECRET_ANNOTATIONS.objects];
      if (secret === undefined || objects === undefined || objects === "") return undefined;
      const { since, isFirst } = times.of(secret, objects, now);
      return { objects: objects.split(","), since, isFirst };
    },
  };
}

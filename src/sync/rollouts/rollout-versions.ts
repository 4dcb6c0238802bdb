import { createHash } from "node:crypto";
import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { objectKey, refOf } from "../../domain/object-key.ts";
import type { MountedVersions } from "../../domain/rollout/mounted-versions.ts";
import type { MirroredVersions, NamespaceSecrets } from "../../domain/rollout/versions.ts";
import { mountedVersions } from "../../domain/sync/mounted-versions.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { StatusStore } from "../classes/status-store.ts";
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
  readonly mounts: MountsInput;
  readonly now: number;
}

/** What says of classes that mirror nothing which versions a pod mounts. */
export interface MountsInput {
  readonly statuses: Pick<StatusStore, "get">;
  /** Nobody asks the vault because of the class, by the word of its author or of the operator. */
  readonly isSwitchedOff: (provider: SecretProviderClass) => boolean;
}

/** What the versions in a namespace were at one moment; each Secret is read once. */
export function namespaceSecrets({ namespace, classes, secrets, times, mounts, now }: NamespaceSecretsInput): NamespaceSecrets {
  const ofNamespace = new Map(classes.filter(({ metadata }) => metadata.namespace === namespace).map((each) => [each.metadata.name, each]));
  const byClass = new Map<string, readonly string[]>();
  for (const provider of ofNamespace.values()) {
    byClass.set(
      provider.metadata.name,
      secretObjectsOf(provider).map(({ secretName }) => secretName),
    );
  }
  const mirrored = new Set([...byClass.values()].flat());
  const versions = new Map<string, MirroredVersions | undefined>();
  const versionsIn = (secretName: string): MirroredVersions | undefined => {
    const secret = secrets.get({ namespace, name: secretName });
    const objects = secret?.annotations[SECRET_ANNOTATIONS.objects];
    if (secret === undefined || objects === undefined || objects === "") return undefined;
    const { since, isFirst } = times.of(secret, objects, now);
    return { objects: objects.split(","), since, isFirst };
  };
  return {
    secretsOf: (className) => byClass.get(className),
    isMirrored: (secretName) => mirrored.has(secretName),
    mountedOf: (className) => mountedOf(ofNamespace.get(className), className, mounts),
    versionsIn: (secretName) => {
      if (!versions.has(secretName)) versions.set(secretName, versionsIn(secretName));
      return versions.get(secretName);
    },
  };
}

function mountedOf(
  provider: SecretProviderClass | undefined,
  className: string,
  { statuses, isSwitchedOff }: MountsInput,
): MountedVersions {
  if (provider === undefined) return { kind: "unknown", why: `its class ${className} does not exist` };
  if (!isOurs(provider)) return { kind: "none", why: `its class ${className} is another provider's` };
  if (isSwitchedOff(provider)) return { kind: "none", why: `nobody asks the vault for its class ${className}, which is switched off` };
  return mountedVersions(className, { generation: provider.metadata.generation ?? 0, status: statuses.get(refOf(provider)) });
}

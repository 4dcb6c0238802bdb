import { createHash } from "node:crypto";
import { SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { refOf } from "../../domain/object-key.ts";
import type { MountedVersions } from "../../domain/rollout/mounted-versions.ts";
import type { MirroredVersions, NamespaceSecrets } from "../../domain/rollout/versions.ts";
import { mountedVersions } from "../../domain/sync/mounted-versions.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { WeakCache } from "../../domain/weak-cache.ts";
import type { StatusStore } from "../classes/status-store.ts";
import type { SecretStore } from "../secrets/secret-store.ts";

/** Returns the hash of version ids, which are not secret. Sixteen characters distinguish more versions than a cluster will see. */
export function stampOf(objects: readonly string[]): string {
  return createHash("sha256").update(objects.join("\n")).digest("hex").slice(0, 16);
}

type Times = Pick<MirroredVersions, "since" | "isFirst">;

/**
 * Number of Secret names per namespace that the worker remembers although no class names them any more. A class can name others with each
 * edit.
 */
const MOST_FORMER = 1_000;

/**
 * Stamps of the objects that a Secret names. Each reconcile of a namespace goes through all its Secrets, and most of them are unchanged.
 */
const STAMPS = new WeakCache<ObservedSecret, string>();

/**
 * Times since which Secrets have their versions. The API server keeps the time of the worker's last write, which may be later, because a
 * repair is a write, too. A process that saw the versions before remembers the earlier time.
 */
export class VersionTimes {
  /**
   * By namespace and name of each Secret that was seen, with the last written ones at the end. The stamp is a short hash of the versions.
   */
  readonly #known = new Map<string, Map<string, Times & { readonly stamp: string }>>();

  of(secret: ObservedSecret, objects: string, now: number): Times {
    const { writtenAt, createdAt } = secret;
    const { namespace = "", name } = secret.ref;
    const ofNamespace = this.#known.get(namespace) ?? new Map<string, Times & { readonly stamp: string }>();
    this.#known.set(namespace, ofNamespace);
    const known = ofNamespace.get(name);
    const stamp = STAMPS.getOrCreate(secret, () => stampOf([objects]));
    if (known?.stamp === stamp) return known;
    const times = {
      stamp,
      since: writtenAt ?? now,
      isFirst: known === undefined && (writtenAt === undefined || writtenAt === createdAt),
    };
    ofNamespace.delete(name);
    ofNamespace.set(name, times);
    return times;
  }

  has(namespace: string): boolean {
    return this.#known.has(namespace);
  }

  /** Call this when the namespace has neither classes nor workloads any more. */
  forget(namespace: string): void {
    this.#known.delete(namespace);
  }

  /** Forgets the names of the namespace that no class names, except those that were written last. */
  tidy(namespace: string, named: ReadonlySet<string>): void {
    const known = this.#known.get(namespace);
    if (known === undefined || known.size <= named.size + MOST_FORMER) return;
    const former = [...known.keys()].filter((name) => !named.has(name));
    for (const name of former.slice(0, -MOST_FORMER)) known.delete(name);
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

/** Source of the versions that pods mount from classes without synced Secrets. */
export interface MountsInput {
  readonly statuses: Pick<StatusStore, "get">;
  /** Whether the author or the operator switched off sync for the class. */
  readonly isSwitchedOff: (provider: SecretProviderClass) => boolean;
}

/** Returns the versions in a namespace at one moment. Reads each Secret once. */
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
  times.tidy(namespace, mirrored);
  const versions = new Map<string, ReturnType<NamespaceSecrets["versionsIn"]>>();
  const versionsIn: NamespaceSecrets["versionsIn"] = (secretName) => {
    const secret = secrets.get({ namespace, name: secretName });
    const objects = secret?.annotations[SECRET_ANNOTATIONS.objects];
    if (secret === undefined || objects === undefined || objects === "") return secret?.isPartial === true ? "noRoom" : undefined;
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
  if (!isOurs(provider)) return { kind: "none", why: `its class ${className} belongs to another provider` };
  if (isSwitchedOff(provider))
    return { kind: "none", why: `sync of its class ${className} is turned off, so the worker does not query the vault for it` };
  return mountedVersions(className, { generation: provider.metadata.generation ?? 0, status: statuses.get(refOf(provider)) });
}

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

/** Hash of version ids, which are no secret. Sixteen characters tell more versions apart than a cluster will see. */
export function stampOf(objects: readonly string[]): string {
  return createHash("sha256").update(objects.join("\n")).digest("hex").slice(0, 16);
}

type Times = Pick<MirroredVersions, "since" | "isFirst">;

/** Names of a namespace's Secrets that its classes name no more: so many are remembered. A class can name others with each edit. */
const MOST_FORMER = 1_000;

/** Of the objects that a Secret names: each look at a namespace goes through all of its Secrets, most of which are as they were. */
const STAMPS = new WeakCache<ObservedSecret, string>();

/**
 * Since when a Secret has the versions that it has. The API server keeps the time of our last write, which may be later: a repair
 * writes too. Whoever saw the versions before remembers the earlier time.
 */
export class VersionTimes {
  /** By namespace and name of a Secret that was seen, those that were written last at the end: what it was made from as a hash, which is short. */
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

  /** Forgets those names of the namespace that were written longest ago and that no class names. */
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

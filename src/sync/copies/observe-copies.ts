import { COPY_ANNOTATIONS } from "../../domain/annotations.ts";
import { takesFrom } from "../../domain/grants/mirror-consent.ts";
import { mirrorTargets } from "../../domain/grants/mirror-targets.ts";
import type { ObjectRef, SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyIn, refOfKey } from "../../domain/object-key.ts";
import type { CopiesObservation, CopyingClass, CopyStanding } from "../../domain/sync/copies/copies-plan.ts";
import type { CopySource } from "../../domain/sync/copies/copy-plan.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { isWrittenFor } from "../../domain/sync/secret-plan.ts";
import { switchedOffBy } from "../../domain/sync/switched-off.ts";
import type { Consumers } from "../classes/consumers.ts";
import type { HeldClasses } from "../classes/held-classes.ts";
import { isMirrored } from "../classes/observe.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { Serves } from "../shard.ts";
import type { Grants } from "../vault/find-identity.ts";
import type { WorkerSettings } from "../worker-settings.ts";

/** The live copies of a cluster on which decisions about copies of Secrets are based. */
export interface CopyCaches {
  readonly settings: WorkerSettings;
  readonly install: ServedInstall;
  readonly classes: Pick<HeldClasses, "get">;
  /** Secrets of the classes, in the classes' own namespaces. */
  readonly secrets: Pick<SecretStore, "ofClass">;
  /** Copies, in other namespaces. */
  readonly copies: Pick<SecretStore, "ofClass" | "get">;
  readonly consumers: Pick<Consumers, "isUsed">;
  readonly grants: Pick<Grants, "consentOf">;
  /** Returns the mark of copies that have the content of the Secret. */
  readonly markOf: (source: ObservedSecret) => string;
}

/** The namespaces in which copies are written, and the classes whose copies are written. */
interface ServedInstall {
  /** Empty: all namespaces. */
  readonly namespaces: readonly string[];
  /** `serves`: whether this worker writes the copies for the classes of a namespace, wherever the copies are. */
  readonly shard: { readonly serves: Serves };
}

/** Classes of other shards, as they are now; undefined for a class that does not exist. */
export type ForeignClasses = ReadonlyMap<string, SecretProviderClass | undefined>;

/**
 * Returns the classes of other shards (`namespace/name`) whose copies have names that this class wants, with the places of those copies.
 * The live copies contain nothing about those classes.
 */
export function foreignOwners(
  caches: CopyCaches,
  { spc, sources, standingOf }: CopiesObservation,
): ReadonlyMap<string, readonly CopyRef[]> {
  const granted = spc.kind === "present" ? spc.namespaces.filter((namespace) => standingOf(namespace) === "granted") : [];
  const refs = granted.flatMap((namespace) => sources.map(({ secret }) => ({ namespace, name: secret.ref.name })));
  const owners = new Map<string, readonly CopyRef[]>();
  for (const ref of refs) {
    const owner = keyIn(caches.copies.get(ref)?.annotations[COPY_ANNOTATIONS.copiedFrom]);
    if (owner !== undefined && isForeign(caches.install, owner)) owners.set(owner, [...(owners.get(owner) ?? []), ref]);
  }
  return owners;
}

type CopyRef = Required<ObjectRef>;

/**
 * Whether the class belongs to another shard. A namespace outside the install does not count: an edited annotation must not make the worker
 * read there.
 */
function isForeign({ namespaces, shard }: ServedInstall, classKey: string): boolean {
  const { namespace } = refOfKey(classKey);
  return isServed(namespaces, namespace) && !shard.serves(namespace);
}

function isServed(namespaces: readonly string[], namespace: string): boolean {
  return namespaces.length === 0 || namespaces.includes(namespace);
}

/** Returns undefined if nothing can be concluded from the class, because it is held in part or now belongs to another provider. */
export function observeCopies(caches: CopyCaches, key: string, foreign: ForeignClasses = new Map()): CopiesObservation | undefined {
  const spc = caches.classes.get(refOfKey(key));
  if (spc !== undefined && (spc.excess !== undefined || !isOurs(spc))) return undefined;
  return {
    key,
    resourceVersion: spc?.metadata.resourceVersion,
    spc: copyingClass(caches, spc),
    sources: sourcesOf(caches, key),
    copies: caches.copies.ofClass(key),
    standingOf: (namespace) => standing(caches, key, namespace),
    copyAt: (ref) => caches.copies.get(ref),
    isClaimedBy: (classKey, { namespace = "", name }) => isClaimed(caches, classKey, { namespace, name }, foreign),
  };
}

function copyingClass(caches: CopyCaches, spc: SecretProviderClass | undefined): CopyingClass {
  if (spc === undefined) return { kind: "absent" };
  const { namespaces, problems } = mirrorTargets(spc);
  if (switchedOffBy(spc, caches.settings) !== undefined) return { kind: "switchedOff", namespaces };
  const secretNames = secretObjectsOf(spc).map(({ secretName }) => secretName);
  return { kind: "present", namespaces, isListUnclear: problems.length > 0, secretNames, isMirrored: isMirrored(caches, spc) };
}

/** Returns the Secrets that the worker wrote for the class, without Secrets whose marks of the worker were edited. */
function sourcesOf({ secrets, markOf }: CopyCaches, key: string): readonly CopySource[] {
  const { name } = refOfKey(key);
  return secrets
    .ofClass(key)
    .filter((secret) => isWrittenFor(secret, name))
    .map((secret) => ({ classKey: key, secret, mark: markOf(secret) }));
}

function standing({ install, grants }: CopyCaches, key: string, namespace: string): CopyStanding {
  if (!isServed(install.namespaces, namespace)) return "notServed";
  const consent = grants.consentOf(namespace);
  if (consent?.isTerminating === true) return "terminating";
  return consent !== undefined && takesFrom(consent, key) ? "granted" : "notGranted";
}

/**
 * Whether the class has a copy there, too. A class that is missing while its Secret exists still counts, because it may be restored in a
 * moment. For a class of another shard, only `foreign` is known.
 */
function isClaimed(
  { install, classes, secrets }: CopyCaches,
  classKey: string,
  ref: CopyRef,
  foreign: ForeignClasses,
): boolean | undefined {
  const names = (spc: SecretProviderClass): boolean => mirrorTargets(spc).namespaces.includes(ref.namespace);
  if (isForeign(install, classKey)) {
    const other = foreign.get(classKey);
    return other === undefined ? (foreign.has(classKey) ? false : undefined) : names(other);
  }
  if (!secrets.ofClass(classKey).some((secret) => secret.ref.name === ref.name)) return false;
  const spc = classes.get(refOfKey(classKey));
  return spc === undefined || names(spc);
}

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
import type { Consumers } from "../classes/consumers.ts";
import type { HeldClasses } from "../classes/held-classes.ts";
import { isMirrored } from "../classes/observe.ts";
import { switchedOffBy } from "../classes/plan.ts";
import type { SecretStore } from "../secrets/secret-store.ts";
import type { Serves } from "../shard.ts";
import type { Grants } from "../vault/find-identity.ts";
import type { WorkerSettings } from "../worker-settings.ts";

/** The live copies of a cluster that decisions about copies of Secrets go by. */
export interface CopyCaches {
  readonly settings: WorkerSettings;
  readonly install: ServedInstall;
  readonly classes: Pick<HeldClasses, "get">;
  /** Of the classes, in their own namespaces. */
  readonly secrets: Pick<SecretStore, "ofClass">;
  /** In other namespaces. */
  readonly copies: Pick<SecretStore, "ofClass" | "get">;
  readonly consumers: Pick<Consumers, "isUsed">;
  readonly grants: Pick<Grants, "consentOf">;
  /** What copies carry that have the content of the Secret. */
  readonly markOf: (source: ObservedSecret) => string;
}

/** Which namespaces copies are written in, and of which classes. */
interface ServedInstall {
  /** None: all. */
  readonly namespaces: readonly string[];
  /** `serves`: whether this worker writes the copies of a namespace's classes, wherever they are. */
  readonly shard: { readonly serves: Serves };
}

/** Classes of other shards, as they are now; undefined: there is none. */
export type ForeignClasses = ReadonlyMap<string, SecretProviderClass | undefined>;

/**
 * Classes of other shards (`namespace/name`) whose copies have the names that this class wants, with these names: nothing of those classes is in
 * the live copies.
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

/** Outside the install's namespaces there is no class of anybody's: whoever edited an annotation has nothing read by it. */
function isForeign({ namespaces, shard }: ServedInstall, classKey: string): boolean {
  const { namespace } = refOfKey(classKey);
  return isServed(namespaces, namespace) && !shard.serves(namespace);
}

function isServed(namespaces: readonly string[], namespace: string): boolean {
  return namespaces.length === 0 || namespaces.includes(namespace);
}

/** Undefined while nothing may be concluded from the class: it is held in part, or was given to another provider. */
export function observeCopies(caches: CopyCaches, key: string, foreign: ForeignClasses = new Map()): CopiesObservation | undefined {
  const spc = caches.classes.get(refOfKey(key));
  if (spc !== undefined && (spc.excess !== undefined || !isOurs(spc))) return undefined;
  return {
    key,
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

/** One that was edited is left until it is repaired. */
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

/** Also by a class that is missing while its Secret is there: it may be back in a moment. Of one of another shard nothing is known but what was asked. */
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

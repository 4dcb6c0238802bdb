import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject, SecretProviderClass } from "../kubernetes.ts";
import { WeakCache } from "../weak-cache.ts";
import { wordsOf } from "../words.ts";
import type { ObservedSecret } from "./observed-secret.ts";

/** Label on every Secret that the CSI driver's own sync created. The driver caches only Secrets with this label. */
export const DRIVER_MANAGED_LABEL = "secrets-store.csi.k8s.io/managed";

export interface TakeOverFacts {
  readonly className: string;
  /** Names in the class's annotation `adopt`. */
  readonly adopts: readonly string[];
  readonly wanted: { readonly name: string; readonly type: string };
  /** The Secret that has the name but not the worker's label. */
  readonly live: ObservedSecret;
  /** Field manager that wrote it first, if the API server reports one. */
  readonly writer: string | undefined;
  /** Name of the ClusterRoleBinding that lets the driver's own sync write Secrets; undefined if there is none. */
  readonly driverSync: string | undefined;
  /** `--adopt-driver-secrets` */
  readonly adoptDriverSecrets: boolean;
  /** The oldest class of the namespace that names the Secret, synced or not: the driver may have created the Secret for that class. */
  readonly oldestClass: string | undefined;
}

export type TakeOver =
  | { readonly kind: "take"; readonly from: "owner" | "driver" }
  | { readonly kind: "refused"; readonly message: string };

/**
 * Decides whether the worker takes over a Secret that it did not create. Without consent of the Secret's owner, or proof that the driver's
 * sync is off, the worker leaves it unchanged.
 */
export function takeOver(facts: TakeOverFacts): TakeOver {
  const { wanted, live } = facts;
  const byDriver = driverRefusal(facts);
  if (byDriver !== undefined) return refused(byDriver);
  const consent = consentOf(facts);
  if (consent.kind === "refused") return consent;
  if (live.type !== wanted.type)
    return refused(
      `Secret ${wanted.name} cannot be taken over: its type is ${live.type}, and the class wants ${wanted.type}; set type to ${live.type} in the class, or choose another secretName`,
    );
  return live.immutable ? refused(`Secret ${wanted.name} cannot be taken over: it is immutable; choose another secretName`) : consent;
}

function consentOf(facts: TakeOverFacts): TakeOver {
  const { className, wanted, live } = facts;
  const isDriverMade = isMadeByDriver(live);
  const isListed = facts.adopts.includes(wanted.name);
  const agreesTo = live.annotations[SECRET_ANNOTATIONS.adoptableBy];
  if (isListed && agreesTo === className) return { kind: "take", from: "owner" };
  const { oldestClass = className } = facts;
  if (isDriverMade && facts.adoptDriverSecrets && oldestClass === className) return { kind: "take", from: "driver" };
  if (isDriverMade && facts.adoptDriverSecrets) return refused(olderClassMessage({ ...facts, oldestClass }));
  if (isDriverMade)
    return refused(
      `Secret ${wanted.name} was created by the CSI driver's own sync, and --adopt-driver-secrets is false, so the worker leaves it unchanged. Delete the Secret, or choose another secretName`,
    );
  if (isListed)
    return refused(
      `Secret ${wanted.name} is not managed by the worker, and its owner has not allowed the class to take it over; set the annotation ${SECRET_ANNOTATIONS.adoptableBy}: ${className} on the Secret`,
    );
  if (agreesTo === className)
    return refused(
      `Secret ${wanted.name} allows the class to take it over, but the class does not request this; list the Secret in the annotation ${CLASS_ANNOTATIONS.adopt} of the class`,
    );
  const by = facts.writer === undefined ? "" : ` (written by ${facts.writer})`;
  return refused(
    `Secret ${wanted.name} exists but is not managed by the worker${by}, so the worker leaves it unchanged. Delete the Secret, or choose another secretName`,
  );
}

/** Guide for Secrets that the driver's own sync writes. */
export const DRIVER_SYNC_GUIDE = "docs/how-to/migrate-from-the-drivers-sync.md";

/** Returns why the worker leaves a Secret to the driver, which goes on writing it; undefined if the driver does not. */
export function driverRefusal({
  wanted,
  live,
  driverSync,
  adoptDriverSecrets,
}: Pick<TakeOverFacts, "wanted" | "live" | "driverSync" | "adoptDriverSecrets">): string | undefined {
  if (!isMadeByDriver(live) || driverSync === undefined) return undefined;
  const what = `Secret ${wanted.name} is written by the CSI driver's own sync, which ClusterRoleBinding ${driverSync}`;
  if (driverSync === AKS_BINDING)
    return `${what} of AKS's Key Vault add-on allows; move its secretObject to a class that no pod mounts, and delete the Secret: the worker then creates it`;
  const then = adoptDriverSecrets ? "; the worker then takes over the Secret" : "";
  return `${what} allows; turn that sync off (set syncSecret.enabled: false in the driver's chart, or delete the binding)${then}`;
}

function isMadeByDriver({ labels }: ObservedSecret): boolean {
  return labels[DRIVER_MANAGED_LABEL] === "true";
}

/** The author of a class does not necessarily have rights to a Secret that the driver created for another class. */
function olderClassMessage({ className, wanted, oldestClass }: TakeOverFacts & { readonly oldestClass: string }): string {
  return (
    `Secret ${wanted.name} was created by the CSI driver's own sync, and the older class ${oldestClass} also names it, so the worker leaves it unchanged. ` +
    `Sync ${oldestClass}, remove the Secret from that class, or allow the takeover on both sides: ${wanted.name} in the annotation ${CLASS_ANNOTATIONS.adopt} ` +
    `of ${className}, and ${SECRET_ANNOTATIONS.adoptableBy}: ${className} on the Secret`
  );
}

function refused(message: string): TakeOver {
  return { kind: "refused", message };
}

const adopted = new WeakCache<SecretProviderClass, readonly string[]>();

/** Returns the names in the class's annotation `adopt`. Callers request them for each Secret of the class, so they are parsed once. */
export function adoptedNames(provider: SecretProviderClass): readonly string[] {
  return adopted.getOrCreate(provider, () => wordsOf(provider.metadata.annotations?.[CLASS_ANNOTATIONS.adopt]));
}

/** Whether the Secret existed before the class. The class gives it back and never deletes it. */
export function isAdopted({ annotations }: ObservedSecret): boolean {
  return annotations[SECRET_ANNOTATIONS.adopted] === "true";
}

/**
 * Whether the class gives the Secret back. The worker never deletes a Secret that its owner marked, even if the worker created it. The
 * policy rejects such a deletion, too.
 */
export function isGivenBack(secret: ObservedSecret): boolean {
  return isAdopted(secret) || secret.annotations[SECRET_ANNOTATIONS.adoptableBy] !== undefined;
}

/** Whether both sides still agree. */
export function isAdoptionAgreed({ ref, annotations }: ObservedSecret, className: string, adopts: readonly string[]): boolean {
  return adopts.includes(ref.name) && annotations[SECRET_ANNOTATIONS.adoptableBy] === className;
}

/** Whether the Secret has a mark by which the driver, or the garbage collector, would change or delete it. */
export function hasDriverMarks({ labels, hasOwners }: ObservedSecret): boolean {
  return labels[DRIVER_MANAGED_LABEL] !== undefined || hasOwners === true;
}

/** Names that every release of the driver's chart and manifests uses. Vendors put their own prefix before them. */
const ROLE = "secretprovidersyncing-role";
const BINDING = "secretprovidersyncing-rolebinding";

/** AKS manages the objects of its Key Vault add-on, and its documentation names no setting that turns the sync off. */
const AKS_BINDING = `aks-${BINDING}`;

interface ClusterRoleBinding extends KubeObject {
  readonly roleRef?: { readonly name?: string };
  readonly subjects?: readonly unknown[] | null;
}

/** Whether a ClusterRoleBinding gives the CSI driver's own sync the right to write Secrets. */
export function isOfDriverSync(object: KubeObject): boolean {
  const { metadata, roleRef, subjects }: ClusterRoleBinding = object;
  return (subjects ?? []).length > 0 && (metadata.name.endsWith(BINDING) || (roleRef?.name ?? "").endsWith(ROLE));
}

import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../annotations.ts";
import type { KubeObject, SecretProviderClass } from "../kubernetes.ts";
import { WeakCache } from "../weak-cache.ts";
import { wordsOf } from "../words.ts";
import type { ObservedSecret } from "./observed-secret.ts";

/** On every Secret that the CSI driver's own sync made; its cache holds these and no others. */
export const DRIVER_MANAGED_LABEL = "secrets-store.csi.k8s.io/managed";

export interface TakeOverFacts {
  readonly className: string;
  /** Names of the annotation `adopt` of the class. */
  readonly adopts: readonly string[];
  readonly wanted: { readonly name: string; readonly type: string };
  /** The Secret that has the name, and not our label. */
  readonly live: ObservedSecret;
  /** Manager that wrote it first, where the API server says. */
  readonly writer: string | undefined;
  /** What lets the driver's own sync write Secrets; undefined while nothing does. */
  readonly driverSync: string | undefined;
  /** `--adopt-driver-secrets` */
  readonly adoptDriverSecrets: boolean;
  /** The oldest class of the namespace that names the Secret, mirrored or not: the driver may have made it for that one. */
  readonly oldestClass: string | undefined;
}

export type TakeOver =
  | { readonly kind: "take"; readonly from: "owner" | "driver" }
  | { readonly kind: "refused"; readonly message: string };

/** Whether a Secret that is not ours becomes ours. Without the word of its owner, or of the driver's end, it is left alone. */
export function takeOver(facts: TakeOverFacts): TakeOver {
  const { wanted, live } = facts;
  const isDriverMade = live.labels[DRIVER_MANAGED_LABEL] === "true";
  if (isDriverMade && facts.driverSync !== undefined) return refused(driverMessage(facts));
  const consent = consentOf(facts, isDriverMade);
  if (consent.kind === "refused") return consent;
  if (live.type !== wanted.type)
    return refused(`Secret ${wanted.name} cannot be taken over: its type is ${live.type}, and the class wants ${wanted.type}`);
  return live.immutable ? refused(`Secret ${wanted.name} cannot be taken over: it is immutable`) : consent;
}

function consentOf(facts: TakeOverFacts, isDriverMade: boolean): TakeOver {
  const { className, wanted, live } = facts;
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

function driverMessage({ wanted, driverSync, adoptDriverSecrets }: TakeOverFacts): string {
  const then = adoptDriverSecrets ? "; the worker then takes over the Secret" : "";
  return `Secret ${wanted.name} is written by the CSI driver's own sync, which ${driverSync ?? "its role"} allows; turn that sync off (set syncSecret.enabled: false in the driver's chart, or delete the binding)${then}`;
}

/** Who writes a class need not have a say in what the driver made for another one. */
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

/** Names in the annotation `adopt` of a class. Asked for each of its Secrets, read once. */
export function adoptedNames(provider: SecretProviderClass): readonly string[] {
  return adopted.getOrCreate(provider, () => wordsOf(provider.metadata.annotations?.[CLASS_ANNOTATIONS.adopt]));
}

/** It was there before the class, which gives it back and never deletes it. */
export function isAdopted({ annotations }: ObservedSecret): boolean {
  return annotations[SECRET_ANNOTATIONS.adopted] === "true";
}

/** What its owner marked is never deleted, whoever made it: the policy refuses that too. */
export function isGivenBack(secret: ObservedSecret): boolean {
  return isAdopted(secret) || secret.annotations[SECRET_ANNOTATIONS.adoptableBy] !== undefined;
}

/** Both sides still agree. */
export function isAdoptionAgreed({ ref, annotations }: ObservedSecret, className: string, adopts: readonly string[]): boolean {
  return adopts.includes(ref.name) && annotations[SECRET_ANNOTATIONS.adoptableBy] === className;
}

/** A mark by which the driver, or the garbage collector for it, would lay hands on the Secret. */
export function hasDriverMarks({ labels, hasOwners }: ObservedSecret): boolean {
  return labels[DRIVER_MANAGED_LABEL] !== undefined || hasOwners === true;
}

/** Names that every release of the driver's chart and manifests uses; vendors put a prefix of their own before them. */
const ROLE = "secretprovidersyncing-role";
const BINDING = "secretprovidersyncing-rolebinding";

interface ClusterRoleBinding extends KubeObject {
  readonly roleRef?: { readonly name?: string };
  readonly subjects?: readonly unknown[] | null;
}

/** Whether a ClusterRoleBinding gives the CSI driver's own sync the right to write Secrets. */
export function isOfDriverSync(object: KubeObject): boolean {
  const { metadata, roleRef, subjects }: ClusterRoleBinding = object;
  return (subjects ?? []).length > 0 && (metadata.name.endsWith(BINDING) || (roleRef?.name ?? "").endsWith(ROLE));
}

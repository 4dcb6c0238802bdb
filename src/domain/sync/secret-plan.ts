import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../annotations.ts";
import { hasEntries } from "../text-map.ts";
import type { ObservedSecret, OwnedFields } from "./observed-secret.ts";
import { hasDriverMarks } from "./take-over.ts";

/** A Secret as it should be, without its values: their fingerprint stands for them. */
export interface WantedSecret {
  readonly name: string;
  readonly type: string;
  /** Of the class; ours are added here. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
  /** `type/name@version`, sorted. */
  readonly objects: readonly string[];
  readonly fingerprint: string;
}

export type SecretAction =
  | { readonly kind: "keep" }
  /** First write: a POST, so that a taken name is refused instead of overwritten. */
  | { readonly kind: "create" }
  | { readonly kind: "apply"; readonly onto: Onto; readonly removed: OwnedFields; readonly why: string }
  /** What the API server does not let anybody change: delete and create. */
  | { readonly kind: "replace"; readonly onto: Onto; readonly why: string }
  | { readonly kind: "conflict"; readonly message: string };

/**
 * The Secret as the plan saw it, which is the precondition of every later write: what was decided on an older one, by a leader that was
 * stopped in between for one, is refused.
 */
export type Onto = Pick<ObservedSecret, "uid" | "resourceVersion">;

export function ontoOf({ uid, resourceVersion }: ObservedSecret): Onto {
  return { uid, resourceVersion };
}

export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Labels and annotations of the Secret: the class's own and ours. */
export function metadataFor(wanted: WantedSecret, className: string): Metadata {
  return {
    labels: { ...wanted.labels, [MANAGED_LABEL]: "true" },
    annotations: {
      ...wanted.annotations,
      [SECRET_ANNOTATIONS.class]: className,
      [SECRET_ANNOTATIONS.objects]: wanted.objects.join(","),
      [SECRET_ANNOTATIONS.content]: wanted.fingerprint,
    },
  };
}

export interface PlanFacts {
  readonly className: string;
  readonly observed: ObservedSecret | undefined;
  /** Whether a class of that name exists and names this Secret. An annotation alone may have been edited. */
  readonly isClaimedBy: (className: string) => boolean;
  /** An older class that names this Secret too: it comes first where nobody has it yet. */
  readonly preferredOwner?: string | undefined;
}

/** Who has it keeps it, whatever the age: a class that comes back after its CRD went is the youngest. */
export function currentOwner({ className, observed, isClaimedBy, preferredOwner }: PlanFacts): string | undefined {
  const owner = observed?.annotations[SECRET_ANNOTATIONS.class];
  return owner !== undefined && (owner === className || isClaimedBy(owner)) ? owner : preferredOwner;
}

export function planSecret(wanted: WantedSecret, facts: PlanFacts): SecretAction {
  const { className, observed } = facts;
  const owner = currentOwner(facts);
  if (owner !== undefined && owner !== className) {
    const message = `Secret ${wanted.name} is written by the class ${owner}, and the class ${className} also names that Secret; give one of the two classes another secretName`;
    return { kind: "conflict", message };
  }
  if (observed === undefined) return { kind: "create" };
  if (observed.type !== wanted.type) {
    return {
      kind: "replace",
      onto: ontoOf(observed),
      why: `its type is ${observed.type} instead of ${wanted.type}, and a Secret's type cannot be changed`,
    };
  }
  const why = difference(wanted, className, observed);
  if (why === undefined) return { kind: "keep" };
  if (observed.immutable && (!observed.isContentIntact || observed.annotations[SECRET_ANNOTATIONS.content] !== wanted.fingerprint)) {
    return { kind: "replace", onto: ontoOf(observed), why: "it is immutable and its content must change" };
  }
  return { kind: "apply", onto: ontoOf(observed), removed: removedFields(wanted, className, observed), why };
}

function difference(wanted: WantedSecret, className: string, observed: ObservedSecret): string | undefined {
  if (!observed.isContentIntact) return "its data was edited";
  if (observed.annotations[SECRET_ANNOTATIONS.content] !== wanted.fingerprint) return "the content changed";
  if (hasDriverMarks(observed)) return "it has owners, or the label of the CSI driver's own sync";
  return metadataDifference(metadataFor(wanted, className), observed, removedFields(wanted, className, observed));
}

/** Why labels and annotations of a Secret that is ours are not as they should be. `removed`: of {@link unwantedFields}. */
export function metadataDifference(
  metadata: Metadata,
  observed: Pick<ObservedSecret, "labels" | "annotations">,
  removed: OwnedFields,
): string | undefined {
  if (!hasEntries(observed.labels, metadata.labels)) return "its labels were edited";
  if (!hasEntries(observed.annotations, metadata.annotations)) return "its annotations were edited";
  return removed.data.length + removed.labels.length + removed.annotations.length > 0
    ? "entries of the worker are no longer wanted"
    : undefined;
}

function removedFields(wanted: WantedSecret, className: string, { owned }: ObservedSecret): OwnedFields {
  return unwantedFields(owned, wanted.keys, metadataFor(wanted, className));
}

/** Ours, but no longer wanted. An apply that omits them is not enough where the create wrote them. */
export function unwantedFields(owned: OwnedFields, wantedKeys: readonly string[], { labels, annotations }: Metadata): OwnedFields {
  const keys = new Set(wantedKeys);
  return {
    data: owned.data.filter((key) => !keys.has(key)),
    labels: owned.labels.filter((key) => !Object.hasOwn(labels, key)),
    annotations: owned.annotations.filter((key) => !Object.hasOwn(annotations, key)),
  };
}

/**
 * Written by us, not somebody's copy of such a Secret. A copy has our label, but whoever copied it owns the label; a copy that claims our
 * field manager as well lacks the proof.
 */
export function isWrittenFor({ annotations, owned, lacksProof }: ObservedSecret, className: string): boolean {
  return annotations[SECRET_ANNOTATIONS.class] === className && owned.labels.includes(MANAGED_LABEL) && lacksProof !== true;
}

import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../annotations.ts";
import { hasEntries } from "../text-map.ts";
import { argoAnnotations } from "./argo-cd.ts";
import type { ObservedSecret, OwnedFields } from "./observed-secret.ts";
import { hasDriverMarks } from "./take-over.ts";

/** The desired Secret without its values; their fingerprint represents them. */
export interface WantedSecret {
  readonly name: string;
  readonly type: string;
  /** Labels and annotations from the class. {@link metadataFor} adds the worker's own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
  /** `type/name@version`, sorted. */
  readonly objects: readonly string[];
  readonly fingerprint: string;
}

export type SecretAction =
  | { readonly kind: "keep" }
  /** First write: a POST, so that the API server rejects a name that is already in use instead of overwriting the Secret. */
  | { readonly kind: "create" }
  | { readonly kind: "apply"; readonly onto: Onto; readonly removed: OwnedFields; readonly why: string }
  /** A change that the API server rejects: delete and create. */
  | { readonly kind: "replace"; readonly onto: Onto; readonly why: string }
  | { readonly kind: "conflict"; readonly message: string };

/**
 * The Secret as the plan saw it, which is the precondition of every later write. The API server rejects a write that was planned for an
 * older Secret, for example by a leader that was paused in between.
 */
export type Onto = Pick<ObservedSecret, "uid" | "resourceVersion">;

export function ontoOf({ uid, resourceVersion }: ObservedSecret): Onto {
  return { uid, resourceVersion };
}

export interface Metadata {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Returns labels and annotations of the Secret: the class's and the worker's. */
export function metadataFor(wanted: WantedSecret, className: string): Metadata {
  return {
    labels: { ...wanted.labels, [MANAGED_LABEL]: "true" },
    annotations: {
      ...wanted.annotations,
      ...argoAnnotations(wanted.labels),
      [SECRET_ANNOTATIONS.class]: className,
      [SECRET_ANNOTATIONS.objects]: wanted.objects.join(","),
      [SECRET_ANNOTATIONS.content]: wanted.fingerprint,
    },
  };
}

export interface PlanFacts {
  readonly className: string;
  readonly observed: ObservedSecret | undefined;
  /** Whether a class of that name exists and names this Secret. The annotation alone is not proof, because someone may have edited it. */
  readonly isClaimedBy: (className: string) => boolean;
  /** An older class that also names this Secret: it takes precedence if no class writes the Secret yet. */
  readonly preferredOwner?: string | undefined;
}

/**
 * Returns the class that owns the Secret. A class that already writes the Secret keeps it, whatever its age: a class that is restored after
 * the loss of its CRD is the youngest.
 */
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

/** Returns why labels and annotations of the worker's Secret are not as desired. `removed`: result of {@link unwantedFields}. */
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

/** Returns fields that the worker owns but no longer wants. An apply that omits them does not remove fields that the create wrote. */
export function unwantedFields(owned: OwnedFields, wantedKeys: readonly string[], { labels, annotations }: Metadata): OwnedFields {
  const keys = new Set(wantedKeys);
  return {
    data: owned.data.filter((key) => !keys.has(key)),
    labels: owned.labels.filter((key) => !Object.hasOwn(labels, key)),
    annotations: owned.annotations.filter((key) => !Object.hasOwn(annotations, key)),
  };
}

/**
 * Whether the worker wrote the Secret for the class. A copy made by a user has the worker's label, but the user's field manager owns the
 * label. A copy that also uses the worker's field manager lacks the proof.
 */
export function isWrittenFor({ annotations, owned, lacksProof }: ObservedSecret, className: string): boolean {
  return annotations[SECRET_ANNOTATIONS.class] === className && owned.labels.includes(MANAGED_LABEL) && lacksProof !== true;
}

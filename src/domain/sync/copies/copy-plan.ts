import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../annotations.ts";
import { keyIn } from "../../object-key.ts";
import { argoAnnotations } from "../argo-cd.ts";
import type { ObservedSecret, OwnedFields } from "../observed-secret.ts";
import { type Metadata, metadataDifference, type Onto, ontoOf, unwantedFields } from "../secret-plan.ts";
import { hasDriverMarks } from "../take-over.ts";

/** A Secret of a class that is to be copied, without its values. */
export interface CopySource {
  /** `namespace/name` of the class. */
  readonly classKey: string;
  readonly secret: ObservedSecret;
  /** Value of the annotation `source-content` on copies that have the content of this Secret. */
  readonly mark: string;
}

export type CopyWrite =
  /** A POST, so that the API server rejects a name that is already in use instead of overwriting the Secret. */
  | { readonly kind: "create" }
  | { readonly kind: "apply"; readonly onto: Onto; readonly removed: OwnedFields; readonly why: string }
  /** A change that the API server rejects: delete and create. */
  | { readonly kind: "replace"; readonly onto: Onto; readonly why: string };

export type CopyStep =
  | { readonly kind: "keep" }
  | CopyWrite
  | { readonly kind: "conflict"; readonly why: string }
  /** The worker does not know yet whether the class that the copy names has a copy there, too. */
  | { readonly kind: "unclear" }
  /** The worker holds only part of the Secret or of the copy, because memory for its namespace ran out. It reads the whole object first. */
  | { readonly kind: "unread" };

/** Whether the class (`namespace/name`) that a copy names has a copy there. */
type CopyClaim = (classKey: string) => boolean | undefined;

/**
 * Plans the write of one copy. `observed`: the Secret with the label of a copy under the name; undefined if there is none. `isClaimedBy`:
 * whether that class (`namespace/name`) has a copy there, too; undefined if that is not known yet. The annotation alone is not proof,
 * because someone may have edited it.
 */
export function planCopy(
  source: CopySource,
  { observed, isClaimedBy }: { readonly observed: ObservedSecret | undefined; readonly isClaimedBy: CopyClaim },
): CopyStep {
  const owner = keyIn(observed?.annotations[COPY_ANNOTATIONS.copiedFrom]);
  const isClaimed = owner !== undefined && owner !== source.classKey && isClaimedBy(owner);
  if (isClaimed === undefined) return { kind: "unclear" };
  if (isClaimed) return { kind: "conflict", why: `it is a copy for the class ${owner}` };
  if (observed?.labels[MANAGED_LABEL] !== undefined) return { kind: "conflict", why: `it has the label ${MANAGED_LABEL} as well` };
  if (source.secret.isPartial === true || observed?.isPartial === true) return { kind: "unread" };
  return observed === undefined ? { kind: "create" } : planOver(source, observed);
}

function planOver(source: CopySource, observed: ObservedSecret): CopyStep {
  const why = difference(source, observed);
  if (why === undefined) return { kind: "keep" };
  const cannotChange = unchangeable(source, observed);
  if (cannotChange === undefined) return { kind: "apply", onto: ontoOf(observed), removed: removedFields(source, observed), why };
  if (observed.lacksProof === true)
    return { kind: "conflict", why: `nothing proves that this install created it, so it is not deleted and recreated: ${cannotChange}` };
  return { kind: "replace", onto: ontoOf(observed), why: cannotChange };
}

/** Whether this install created the Secret as a copy. The worker does not delete a Secret that only looks like a copy. */
export function isOwnCopy({ owned, labels, lacksProof }: ObservedSecret): boolean {
  return owned.labels.includes(COPY_LABEL) && labels[MANAGED_LABEL] === undefined && lacksProof !== true;
}

/**
 * Returns labels and annotations of a copy, without the fingerprint, which is computed with the data. The labels are the ones that the
 * class gives the Secret.
 */
export function copyMetadata({ classKey, secret, mark }: CopySource): Metadata {
  const { labels, owned, annotations } = secret;
  const keys = owned.labels.filter((key) => key !== MANAGED_LABEL && Object.hasOwn(labels, key));
  const given: Readonly<Record<string, string>> = Object.fromEntries(keys.map((key) => [key, labels[key] ?? ""]));
  return {
    labels: { ...given, [COPY_LABEL]: "true" },
    annotations: {
      ...argoAnnotations(given),
      [COPY_ANNOTATIONS.copiedFrom]: classKey,
      [COPY_ANNOTATIONS.sourceContent]: mark,
      [SECRET_ANNOTATIONS.objects]: annotations[SECRET_ANNOTATIONS.objects] ?? "",
    },
  };
}

function difference(source: CopySource, observed: ObservedSecret): string | undefined {
  if (observed.annotations[COPY_ANNOTATIONS.sourceContent] !== source.mark) return "the content changed";
  if (observed.type !== source.secret.type) return "its type changed";
  if (!observed.isContentIntact) return "its data was edited";
  if (hasDriverMarks(observed)) return "it has owners, or the label of the CSI driver's own sync";
  return metadataDifference(copyMetadata(source), observed, removedFields(source, observed));
}

function unchangeable({ secret, mark }: CopySource, observed: ObservedSecret): string | undefined {
  if (observed.type !== secret.type) return `its type is ${observed.type} instead of ${secret.type}, and a Secret's type cannot be changed`;
  const isOfContent = observed.isContentIntact && observed.annotations[COPY_ANNOTATIONS.sourceContent] === mark;
  return observed.immutable && !isOfContent ? "it is immutable and its content must change" : undefined;
}

/** Keeps the fingerprint annotation: `copyMetadata` lacks it, because the fingerprint is computed with the data. */
function removedFields(source: CopySource, { owned }: ObservedSecret): OwnedFields {
  const { labels, annotations } = copyMetadata(source);
  return unwantedFields(owned, source.secret.owned.data, { labels, annotations: { ...annotations, [SECRET_ANNOTATIONS.content]: "" } });
}

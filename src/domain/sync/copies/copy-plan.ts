import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../annotations.ts";
import { keyIn } from "../../object-key.ts";
import type { ObservedSecret, OwnedFields } from "../observed-secret.ts";
import { type Metadata, metadataDifference, type Onto, ontoOf, unwantedFields } from "../secret-plan.ts";
import { hasDriverMarks } from "../take-over.ts";

/** A Secret of a class that is to be copied, without its values. */
export interface CopySource {
  /** `namespace/name` of the class. */
  readonly classKey: string;
  readonly secret: ObservedSecret;
  /** What its copies carry while they have its content. */
  readonly mark: string;
}

export type CopyWrite =
  /** A POST, so that a taken name is refused instead of overwritten. */
  | { readonly kind: "create" }
  | { readonly kind: "apply"; readonly onto: Onto; readonly removed: OwnedFields; readonly why: string }
  /** What the API server does not let anybody change: delete and create. */
  | { readonly kind: "replace"; readonly onto: Onto; readonly why: string };

export type CopyStep =
  | { readonly kind: "keep" }
  | CopyWrite
  | { readonly kind: "conflict"; readonly why: string }
  /** Nobody knows by now whether the class that it names has a copy there, too. */
  | { readonly kind: "unclear" }
  /** The worker has no room for all that it has to know of the Secret, or of the copy: that is read first. */
  | { readonly kind: "unread" };

/** Of a class (`namespace/name`) that a copy names. */
type CopyClaim = (classKey: string) => boolean | undefined;

/**
 * `observed`: what carries the label of a copy under the name; undefined where nothing does. `isClaimedBy`: whether that class
 * (`namespace/name`) has a copy there, too; undefined: nobody knows by now. An annotation alone may have been edited.
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

/** Made by this install as a copy. A Secret that only looks like one is not deleted. */
export function isOwnCopy({ owned, labels, lacksProof }: ObservedSecret): boolean {
  return owned.labels.includes(COPY_LABEL) && labels[MANAGED_LABEL] === undefined && lacksProof !== true;
}

/** But for the fingerprint of its data, which is made with the data. The labels are those that the class gives the Secret. */
export function copyMetadata({ classKey, secret, mark }: CopySource): Metadata {
  const { labels, owned, annotations } = secret;
  const given = owned.labels.filter((key) => key !== MANAGED_LABEL && Object.hasOwn(labels, key)).map((key) => [key, labels[key] ?? ""]);
  return {
    labels: { ...Object.fromEntries(given), [COPY_LABEL]: "true" },
    annotations: {
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

/** The fingerprint of its data is made with the data, and is wanted all the same. */
function removedFields(source: CopySource, { owned }: ObservedSecret): OwnedFields {
  const { labels, annotations } = copyMetadata(source);
  return unwantedFields(owned, source.secret.owned.data, { labels, annotations: { ...annotations, [SECRET_ANNOTATIONS.content]: "" } });
}

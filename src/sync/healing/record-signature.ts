import { SNAPSHOT_ANNOTATIONS } from "../../domain/annotations.ts";
import type { ObjectMeta } from "../../domain/kubernetes.ts";
import { type Fingerprints, isSameFingerprint } from "../fingerprints.ts";

/** Content and place that a signature covers. A record of another kind or namespace has another signature. */
export interface SignedPart {
  /** Value of the label that distinguishes the kinds. */
  readonly label: string;
  readonly namespace: string;
  /** The data as canonical JSON. */
  readonly text: string;
}

/**
 * Longest time in milliseconds between the signature of a record and the creation of its object. The API server sets the time of a
 * creation. The worker therefore does not trust a later copy of an older record, even from a user who can write such objects.
 */
export const CREATED_WITHIN_MS = 60_000;

const PREFIX = "v2:";

const macOf = (fingerprints: Fingerprints, { label, namespace, text }: SignedPart, saved: number): string =>
  fingerprints.ofRecord([label, namespace, String(saved), text]);

/** Signs the part. `saved`: Unix time in milliseconds by the API server's clock. */
export function sign(fingerprints: Fingerprints, part: SignedPart, saved: number): string {
  return `${PREFIX}${saved}:${macOf(fingerprints, part, saved)}`;
}

/** Returns the last part of the record's name, which is the same for the same content of the same kind and namespace. */
export function recordNameOf(fingerprints: Fingerprints, { label, namespace, text }: SignedPart): string {
  return fingerprints.ofRecord(["name", label, namespace, text]).slice(0, 16);
}

/**
 * Result of the verification. `saved`: Unix time in milliseconds of the signature. A signature of 0.3.0 has no time: it gets 0, and is
 * older than every other.
 */
type SignatureVerdict = { readonly kind: "genuine"; readonly saved: number } | RefusedSignature;

export type RefusedSignature =
  /** The record is being deleted. It does not count, even if a finalizer holds it. */
  { readonly kind: "going" } | { readonly kind: "forged"; readonly why: string };

/** Signature in the metadata of a record, before the worker knows the content of the record. */
export interface SignatureClaim {
  readonly kind: "claim";
  /** The signature as it is in the metadata. */
  readonly signature: string;
  /** Unix time in milliseconds; undefined for a signature of 0.3.0. */
  readonly saved: number | undefined;
}

/** Thirteen digits are the milliseconds of this century. Fifteen digits are still a valid date. */
const SIGNATURE = /^v2:(\d{1,15}):[0-9a-f]{64}$/;
const FORMER_SIGNATURE = /^v1:[0-9a-f]{64}$/;

const OF_OTHERS = "the signature was not made by this install, or was made for something else";
const UNSIGNED = "it has no signature of this install";

const forged = (why: string): RefusedSignature => ({ kind: "forged", why });

/**
 * Checks from the metadata alone whether the worker should read the content of the record. The content may be long, and anyone who can
 * write such objects chooses its length. A missing creation time is NaN, which fails every comparison, so the worker does not trust such a
 * record.
 */
export function claimIn(metadata: ObjectMeta, { formerUntil }: Pick<Fingerprints, "formerUntil">): SignatureClaim | RefusedSignature {
  if (metadata.deletionTimestamp !== undefined) return { kind: "going" };
  const created = Date.parse(metadata.creationTimestamp ?? "");
  const signature = metadata.annotations?.[SNAPSHOT_ANNOTATIONS.signature];
  if (signature === undefined) return formerClaim(metadata, created <= formerUntil);
  const digits = SIGNATURE.exec(signature)?.[1];
  if (digits === undefined) return forged(OF_OTHERS);
  const saved = Number(digits);
  if (Math.abs(created - saved) <= CREATED_WITHIN_MS) return { kind: "claim", signature, saved };
  return forged(`it was signed at ${new Date(saved).toISOString()}, and this is a later copy of it`);
}

function formerClaim(metadata: ObjectMeta, isOldEnough: boolean): SignatureClaim | RefusedSignature {
  const signature = metadata.annotations?.[SNAPSHOT_ANNOTATIONS.content] ?? "";
  if (!FORMER_SIGNATURE.test(signature)) return forged(UNSIGNED);
  if (!isOldEnough) return forged("it has a signature of 0.3.0, but is newer than the upgrade");
  return { kind: "claim", signature, saved: undefined };
}

/** Verifies that this install signed the record. */
export function verify(fingerprints: Fingerprints, part: SignedPart, { signature, saved }: SignatureClaim): SignatureVerdict {
  if (saved !== undefined)
    return isSameFingerprint(signature, sign(fingerprints, part, saved)) ? { kind: "genuine", saved } : forged(OF_OTHERS);
  return isSameFingerprint(signature, fingerprints.formerOfText(part.text)) ? { kind: "genuine", saved: 0 } : forged(UNSIGNED);
}

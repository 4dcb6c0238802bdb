import { SNAPSHOT_ANNOTATIONS } from "../../domain/annotations.ts";
import type { ObjectMeta } from "../../domain/kubernetes.ts";
import { type Fingerprints, isSameFingerprint } from "../fingerprints.ts";

/** What a signature is bound to. A record of another kind or namespace has another one. */
export interface SignedPart {
  /** Value of the label that tells the kinds apart. */
  readonly label: string;
  readonly namespace: string;
  /** The data as canonical JSON. */
  readonly text: string;
}

/**
 * A record is believed only as the object that was created when it was signed, within this time (milliseconds). The API server sets the
 * time of a creation, so a copy that somebody makes later of an older record is not believed, whoever may write such objects.
 */
export const CREATED_WITHIN_MS = 60_000;

const PREFIX = "v2:";

const macOf = (fingerprints: Fingerprints, { label, namespace, text }: SignedPart, saved: number): string =>
  fingerprints.ofRecord([label, namespace, String(saved), text]);

/** `saved`: Unix milliseconds by the API server's clock. */
export function sign(fingerprints: Fingerprints, part: SignedPart, saved: number): string {
  return `${PREFIX}${saved}:${macOf(fingerprints, part, saved)}`;
}

/** End of the record's name: the same content of the same thing has the same. */
export function recordNameOf(fingerprints: Fingerprints, { label, namespace, text }: SignedPart): string {
  return fingerprints.ofRecord(["name", label, namespace, text]).slice(0, 16);
}

/** Unix milliseconds of the signature; that of 0.3.0 has no time and is older than every other. */
type SignatureVerdict = { readonly kind: "genuine"; readonly saved: number } | RefusedSignature;

export type RefusedSignature =
  /** On its way out: whoever holds it back by a finalizer does not make it count. */
  { readonly kind: "going" } | { readonly kind: "forged"; readonly why: string };

/** What the metadata of a record says of its signature, before anything is known of its content. */
export interface SignatureClaim {
  readonly kind: "claim";
  /** The signature as it stands there. */
  readonly signature: string;
  /** Unix milliseconds; undefined for a signature of 0.3.0. */
  readonly saved: number | undefined;
}

/** Thirteen digits are milliseconds of this century, and fifteen are still a date. */
const SIGNATURE = /^v2:(\d{1,15}):[0-9a-f]{64}$/;
const FORMER_SIGNATURE = /^v1:[0-9a-f]{64}$/;

const OF_OTHERS = "the signature was not made by this install, or was made for something else";
const UNSIGNED = "it has no signature of this install";

const forged = (why: string): RefusedSignature => ({ kind: "forged", why });

/**
 * Whether it is worth reading what the record holds, which may be long and whose length anybody chooses who may write such objects. A missing
 * time of the creation, which compares with nothing, is none.
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

/** Whether this install signed the record. */
export function verify(fingerprints: Fingerprints, part: SignedPart, { signature, saved }: SignatureClaim): SignatureVerdict {
  if (saved !== undefined)
    return isSameFingerprint(signature, sign(fingerprints, part, saved)) ? { kind: "genuine", saved } : forged(OF_OTHERS);
  return isSameFingerprint(signature, fingerprints.formerOfText(part.text)) ? { kind: "genuine", saved: 0 } : forged(UNSIGNED);
}

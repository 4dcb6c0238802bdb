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

export type SignatureVerdict =
  /** Unix milliseconds of the signature; that of 0.3.0 has no time and is older than every other. */
  | { readonly kind: "genuine"; readonly saved: number }
  /** On its way out: whoever holds it back by a finalizer does not make it count. */
  | { readonly kind: "going" }
  | { readonly kind: "forged"; readonly why: string };

/** Whether this install signed the record, and as this object. */
export function verify(fingerprints: Fingerprints, part: SignedPart, metadata: ObjectMeta): SignatureVerdict {
  if (metadata.deletionTimestamp !== undefined) return { kind: "going" };
  const created = Date.parse(metadata.creationTimestamp ?? "");
  const claimed = metadata.annotations?.[SNAPSHOT_ANNOTATIONS.signature];
  if (claimed === undefined) return verifyFormer(fingerprints, part, { metadata, created });
  const saved = Number(claimed.slice(PREFIX.length, claimed.lastIndexOf(":")));
  if (!Number.isSafeInteger(saved) || !isSameFingerprint(claimed, sign(fingerprints, part, saved)))
    return { kind: "forged", why: "the signature was not made by this install, or was made for something else" };
  // What has no time of its creation is not believed either.
  if (!(Math.abs(created - saved) <= CREATED_WITHIN_MS))
    return { kind: "forged", why: `it was signed at ${new Date(saved).toISOString()}, and this is a later copy of it` };
  return { kind: "genuine", saved };
}

interface FormerRecord {
  readonly metadata: ObjectMeta;
  readonly created: number;
}

function verifyFormer(fingerprints: Fingerprints, { text }: SignedPart, { metadata, created }: FormerRecord): SignatureVerdict {
  const claimed = metadata.annotations?.[SNAPSHOT_ANNOTATIONS.content] ?? "";
  if (!isSameFingerprint(claimed, fingerprints.formerOfText(text))) return { kind: "forged", why: "it has no signature of this install" };
  if (!(created <= fingerprints.formerUntil)) return { kind: "forged", why: "it has a signature of 0.3.0, but is newer than the upgrade" };
  return { kind: "genuine", saved: 0 };
}

import { canonical } from "../../domain/healing/snapshot.ts";
import { isLongerThan } from "../../domain/json-size.ts";
import type { KubeObject, ObjectRef } from "../../domain/kubernetes.ts";
import { objectKey } from "../../domain/object-key.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import type { Fingerprints } from "../fingerprints.ts";
import { claimIn, type RefusedSignature, verify } from "./record-signature.ts";

/** An apps/v1 kind. It is built in, so it survives the deletion of every CRD. `data` is immutable. */
export interface ControllerRevision extends KubeObject {
  readonly revision: number;
  readonly data: unknown;
}

/** Content and place of one kind of record. */
export interface RecordKind<T> {
  /** Value of the label that distinguishes the kinds. */
  readonly label: string;
  /** First part of the record names. */
  readonly prefix: string;
  keyOf(data: T): string;
  namespaceOf(data: T): string;
  annotationsOf(data: T): Readonly<Record<string, string>>;
  revisionOf(data: T): number;
  /** Length of the longest record as JSON, in characters; no limit if not set. */
  readonly mostCharacters?: number;
  /** Logs that the worker does not trust a record, and why. */
  warnForged(logger: Logger, forged: { readonly snapshot: string; readonly why: string }): void;
  /** Whether data with the worker's signature is of this version and is in the right namespace. */
  isSound(data: T, namespace: string): boolean;
}

export interface StoredRecord<T> {
  readonly ref: ObjectRef;
  readonly uid: string;
  readonly resourceVersion: number;
  readonly key: string;
  /** Unix time in milliseconds of the signature; 0 if 0.3.0 made it. */
  readonly saved: number;
  /** The signature as it is in the metadata. */
  readonly signature: string;
  readonly data: T;
  /** The data as canonical JSON, made once because it may be long. */
  readonly text: string;
}

export interface Signing<T> {
  readonly kind: RecordKind<T>;
  readonly fingerprints: Fingerprints;
}

export type SignedData<T> = Pick<StoredRecord<T>, "data" | "text" | "saved">;

/** Returns the revision as the record that this install signed. */
function storedAs<T>(
  { metadata }: Pick<KubeObject, "metadata">,
  kind: RecordKind<T>,
  signed: SignedData<T> & Pick<StoredRecord<T>, "signature">,
): StoredRecord<T> {
  const { namespace = "", name, uid = "", resourceVersion = "0" } = metadata;
  return { ref: { namespace, name }, uid, resourceVersion: Number(resourceVersion), key: kind.keyOf(signed.data), ...signed };
}

export type JudgedRecord<T> = { readonly kind: "genuine"; readonly record: StoredRecord<T> } | RefusedSignature;

const TOO_LONG: RefusedSignature = { kind: "forged", why: "it is longer than any that this install writes" };

export function judgeRecord<T>(
  revision: Pick<ControllerRevision, "metadata" | "data">,
  { kind, fingerprints }: Signing<T>,
): JudgedRecord<T> {
  const namespace = revision.metadata.namespace ?? "";
  const claim = claimIn(revision.metadata, fingerprints);
  if (claim.kind !== "claim") return claim;
  if (kind.mostCharacters !== undefined && isLongerThan(revision.data, kind.mostCharacters)) return TOO_LONG;
  const text = canonical(revision.data);
  const verdict = verify(fingerprints, { label: kind.label, namespace, text }, claim);
  if (verdict.kind !== "genuine") return verdict;
  const data = revision.data as T; // The signature proves that the worker wrote it.
  if (!kind.isSound(data, namespace)) return { kind: "forged", why: "it belongs to another version, or to another namespace" };
  return { kind: "genuine", record: storedAs(revision, kind, { data, text, saved: verdict.saved, signature: claim.signature }) };
}

/** Returns the record in a revision; undefined if the worker does not trust the revision. */
export function recordIn<T>(revision: Pick<ControllerRevision, "metadata" | "data">, signing: Signing<T>): StoredRecord<T> | undefined {
  const judged = judgeRecord(revision, signing);
  return judged.kind === "genuine" ? judged.record : undefined;
}

/** Returns the record in a revision; undefined if the worker does not trust the revision. Logs a warning if someone forged it. */
export function verifiedRecord<T>(
  revision: ControllerRevision,
  { logger, ...signing }: Signing<T> & { readonly logger: Logger },
): StoredRecord<T> | undefined {
  const judged = judgeRecord(revision, signing);
  if (judged.kind === "genuine") return judged.record;
  if (judged.kind === "forged") signing.kind.warnForged(logger, { snapshot: objectKey(revision.metadata), why: judged.why });
  return undefined;
}

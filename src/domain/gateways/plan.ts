import type { SecretProviderClass } from "../kubernetes.ts";
import type { HeldClass } from "../provider-class/held-class.ts";
import { failed, type Result } from "../result.ts";
import { parseCertificateAddress } from "./certificate-address.ts";
import { type CertificateReader, classIdentity, type IdentityFacts } from "./class-identity.ts";
import { desiredClass, isAsDesired } from "./desired-class.ts";
import type { HeldAccount } from "./held-account.ts";
import { type HeldOwner, MAX_ENTRIES, MAX_OWNER_CHARACTERS } from "./held-owner.ts";
import { isAppRoutings, madeFor, writerOf } from "./made-for.ts";
import { ownerKey } from "./owner-kinds.ts";
import { isOwnReference, TLS_KEYS, type TlsEntry, type TlsReference } from "./tls-entry.ts";
import type { TlsOwner } from "./tls-owner.ts";

/** Everything that the worker knows about one Gateway or Ingress. */
export interface OwnerObservation {
  readonly owner: HeldOwner;
  /** Whether an operator named its class and no other controller serves that class. */
  readonly isServed: boolean;
  /** Classes that the worker created for this owner. */
  readonly made: readonly HeldClass[];
  readonly classOf: (name: string) => HeldClass | undefined;
  /** Whether the worker has just restored the class after the loss of its CRD, and has not yet handed the fields over to their writers. */
  readonly isRestored: (spc: HeldClass) => boolean;
  readonly secretOf: (className: string) => CertificateSecret;
  readonly identities: HeldIdentities;
}

export interface HeldIdentities extends IdentityFacts {
  readonly accountOf: (name: string) => HeldAccount | undefined;
}

/** State of a class's Secret, according to the status of the class. */
export interface CertificateSecret {
  /** Whether the worker has written the Secret from the vault at least once, so that references to it work. */
  readonly isMade: boolean;
  /** Reason why the Secret does not match the vault; undefined if it matches, or if this is not known yet. */
  readonly problem: string | undefined;
}

/** States of a certificate, also values of a metric label. */
export const CERTIFICATE_STATES = ["ready", "pending", "invalid", "conflict", "failed"] as const;

export type CertificateState = (typeof CERTIFICATE_STATES)[number];

/** A certificate that a listener or an Ingress requests. */
export interface Certificate {
  /** Name of its class and its Secret; empty if unknown. */
  readonly className: string;
  readonly state: CertificateState;
}

export interface GatewayNotice {
  readonly reason: "InvalidTlsOption" | "TlsConflict" | "CertificateNotSynced";
  readonly message: string;
}

export interface GatewayPlan {
  /** Classes to create or to correct. */
  readonly applied: readonly SecretProviderClass[];
  /** References to write and to remove; undefined if there is nothing to do. */
  readonly references: { readonly claimed: readonly TlsEntry[]; readonly dropped: readonly TlsEntry[] } | undefined;
  /** Classes to remove after the references to their Secrets are gone. */
  readonly removed: readonly HeldClass[];
  readonly notices: readonly GatewayNotice[];
  readonly certificates: readonly Certificate[];
}

/** Plans the changes for the entries of one owner. The plan changes nothing that others wrote. */
export function planOwner(observation: OwnerObservation): GatewayPlan {
  const { owner, isServed, made } = observation;
  if (owner.isTooLarge === true) return tooLarge(owner, isServed);
  const asking = isServed ? owner.entries.filter(({ address }) => address !== undefined) : [];
  const judged = asking.map((entry) => ({ className: entry.className, ...judge(observation, entry) }));
  const claimed = judged.flatMap(({ claim }) => claim ?? []);
  const wanted = new Set(asking.map(({ className }) => className));
  const removed = made.filter(({ metadata }) => !wanted.has(metadata.name));
  const dropped = owner.entries.filter((entry) => isDropped(entry, removed));
  const notices = judged.flatMap(({ notice }) => notice ?? []);
  const isIdle = claimed.length === 0 && dropped.length === 0;
  return {
    applied: judged.flatMap(({ applied }) => applied ?? []),
    references: isIdle ? undefined : { claimed, dropped },
    removed,
    notices: [...notices, ...(isServed ? accountNotices(owner) : [])],
    certificates: judged.map(({ className, state }) => ({ className, state })),
  };
}

/** Keeps everything unchanged, because the requests of the owner are unknown. */
function tooLarge({ kind }: HeldOwner, isServed: boolean): GatewayPlan {
  const untouched = { applied: [], references: undefined, removed: [] };
  if (!isServed) return { ...untouched, notices: [], certificates: [] };
  const field = kind === "Gateway" ? "spec.listeners" : "metadata.annotations, spec.rules and spec.tls";
  const message = `${field}: the certificate requests exceed the worker's limits for one ${kind} (${MAX_ENTRIES} listeners, ${MAX_OWNER_CHARACTERS} characters), so the worker changes nothing; split it into several ${kind === "Gateway" ? "Gateways" : "Ingresses"}, or write shorter names`;
  return { ...untouched, notices: [{ reason: "InvalidTlsOption", message }], certificates: [{ className: "", state: "invalid" }] };
}

interface Judged {
  readonly state: CertificateState;
  readonly applied?: SecretProviderClass;
  readonly claim?: TlsEntry;
  readonly notice?: GatewayNotice;
}

const invalid = (message: string): Judged => ({ state: "invalid", notice: { reason: "InvalidTlsOption", message } });
const conflict = (message: string): Judged => ({ state: "conflict", notice: { reason: "TlsConflict", message } });

function judge(observation: OwnerObservation, entry: TlsEntry): Judged {
  const { owner, identities, classOf } = observation;
  if (entry.problem !== undefined) return invalid(entry.problem);
  const address = parseCertificateAddress(entry.address ?? "");
  if (!address.ok) return invalid(`${entry.field}: ${TLS_KEYS.address} ${address.error}`);
  const identity = identityOf(entry, identities);
  if (!identity.ok) return invalid(identity.error);
  const { className: name } = entry;
  const live = classOf(name);
  if (live !== undefined && observation.isRestored(live)) return { state: "pending" };
  const taken = live === undefined ? undefined : whyTaken(owner, live);
  if (taken !== undefined) return conflict(taken);
  const desired = desiredClass({ owner, name, address: address.value, identity: identity.value });
  const reference = judgeReference(observation, entry);
  return live !== undefined && isAsDesired(live, desired) ? reference : { ...reference, applied: desired };
}

function identityOf(entry: TlsEntry, identities: HeldIdentities): Result<CertificateReader, string> {
  const { account, field } = entry;
  const problem = account === undefined ? undefined : identities.accountOf(account)?.problem;
  return problem === undefined ? classIdentity(entry, identities) : failed(`${field}: ${TLS_KEYS.account}: ${problem}`);
}

function whyTaken({ kind, object }: TlsOwner, live: HeldClass): string | undefined {
  const isOwn = madeFor(live) === ownerKey(kind, object.metadata);
  if (isOwn && !isAppRoutings(live)) return undefined;
  return `the SecretProviderClass ${live.metadata.name} is not changed: ${writerOf(live)}; remove or rename it, or leave this ${kind} to its author`;
}

function judgeReference({ secretOf, owner }: OwnerObservation, entry: TlsEntry): Judged {
  const { className, reference } = entry;
  const { isMade, problem } = secretOf(className);
  const standing = standingOf(reference);
  const claim = standing === "toWrite" && isMade ? { claim: entry } : {};
  if (problem !== undefined) {
    const message = `the Secret ${className} does not match the vault: ${problem} (SecretProviderClass ${className})`;
    return { state: "failed", ...claim, notice: { reason: "CertificateNotSynced", message } };
  }
  if (standing === "others") {
    const { field, managers } = reference;
    const writers = managers.length === 0 ? "someone else" : managers.join(", ");
    return conflict(
      `${field} is not changed: it was written by ${writers}; remove it there, name the Secret ${className} in it, or remove ${TLS_KEYS.address} from the ${owner.kind}`,
    );
  }
  return { state: isMade && standing === "settled" ? "ready" : "pending", ...claim };
}

/**
 * Returns whether to write the reference. A field that others own stays unchanged, even if it is empty. If it names the Secret, the request
 * is fulfilled, for the hosts that they chose.
 */
function standingOf({ wanted, current, managers }: TlsReference): "settled" | "toWrite" | "others" {
  if (wanted === undefined || current === "wanted") return "settled";
  if (current === "other") return "others";
  if (managers.length === 0) return "toWrite";
  return current === "ours" ? "settled" : "others";
}

/** Whether to remove the reference: only the worker wrote it, and its class is being removed. */
function isDropped(entry: TlsEntry, removed: readonly HeldClass[]): boolean {
  return isOwnReference(entry) && removed.some(({ metadata }) => metadata.name === entry.className);
}

function accountNotices({ entries }: TlsOwner): readonly GatewayNotice[] {
  return entries
    .filter(({ account, address }) => account !== undefined && address === undefined)
    .map(({ field }) => ({
      reason: "InvalidTlsOption",
      message: `${field}: ${TLS_KEYS.account} is set without ${TLS_KEYS.address}; write the certificate's address, or remove it`,
    }));
}

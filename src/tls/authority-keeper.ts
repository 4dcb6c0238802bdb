import type { KeyObject } from "node:crypto";
import { type AuthorityFacts, type AuthorityReason, authorityVerdict } from "../domain/certificates/authority-policy.ts";
import { AUTHORITY_KEYS, AUTHORITY_SECRET, authorityFieldManager } from "../domain/certificates/names.ts";
import { isOverlapLost, retire, stillTrusted, trustedAuthorities } from "../domain/certificates/overlap.ts";
import type { AuthorityCertificate } from "../domain/certificates/verdict.ts";
import { RESOURCES, type Secret } from "../domain/kubernetes.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { type AuthorityContent, type AuthorityToWrite, authoritySecretBody, readAuthority } from "./authority-secret.ts";
import { issueAuthority } from "./issue.ts";
import { newRsaKey } from "./rsa-key.ts";
import { TlsError } from "./tls-error.ts";

/** The current CA of all replicas, and the certificates to publish with it. */
export interface Authority {
  readonly certificate: AuthorityCertificate;
  readonly key: KeyObject;
  /** The current CA, and retired ones that are still trusted. */
  readonly trusted: readonly AuthorityCertificate[];
}

export interface KeptAuthority {
  readonly authority: Authority;
  /** Whether this call wrote the Secret. */
  readonly wrote: boolean;
}

export interface AuthorityKeeperOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  readonly podName: string;
}

export interface AuthorityKeeper {
  /**
   * Reads the CA Secret, and creates, repairs or rotates it if the policy requires it. `serving` is the CA of the leaf that this replica
   * serves. Throws KubeError or {@link TlsError}, but never because of the Secret's content.
   */
  ensure(serving: AuthorityCertificate | undefined, signal: AbortSignal): Promise<KeptAuthority>;
}

/**
 * Each lost race means that another replica did the work. More than a few consecutive ones mean that two writers undo each other's changes.
 */
const ATTEMPTS = 5;

/**
 * 3072 bits, the strength of AES-128, because they cost nothing here: the key is created once in eight months and signs once every few
 * days. (Leaves have 2048 bits, because each handshake pays for theirs.)
 */
const AUTHORITY_BITS = 3072;

/** A change that the Secret needs. */
interface Repair {
  readonly reason: AuthorityReason | "OverlapLost";
  readonly problem: string;
  /** Description of the change for the log. */
  readonly action: string;
  readonly content: () => Promise<AuthorityToWrite>;
}

interface Decision {
  /** The CA in the Secret, if it can be used for now. */
  readonly usable: Authority | undefined;
  readonly repair: Repair | undefined;
}

export function createAuthorityKeeper(options: AuthorityKeeperOptions): AuthorityKeeper {
  const { client, clock, namespace } = options;

  return {
    ensure: async (serving, signal) => {
      let wrote = false;
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const secret = await readSecret(client, namespace, signal);
        const { usable, repair } = decide(secret, serving, clock.now());
        if (repair === undefined && usable !== undefined) return { authority: usable, wrote };
        const outcome = repair && (await store(options, { secret, repair, isUrgent: usable === undefined }, signal));
        if (outcome === "postponed" && usable !== undefined) return { authority: usable, wrote };
        // Reads again after a write, because only the state at the API server counts.
        wrote ||= outcome === "written";
      }
      throw new TlsError(
        "Contested",
        `Secret ${namespace}/${AUTHORITY_SECRET} changed during each of ${ATTEMPTS} attempts to repair it: find out what else writes it (metadata.managedFields names the writers)`,
      );
    },
  };
}

async function readSecret(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Secret | undefined> {
  const result = await client.read<Secret>(RESOURCES.secrets, { namespace, name: AUTHORITY_SECRET }, signal);
  if (result.kind === "found") return result.object;
  if (result.kind === "absent") return undefined;
  throw new TlsError("Unserved", "the API server reports that it does not serve Secrets: check the server's address");
}

function decide(secret: Secret | undefined, serving: AuthorityCertificate | undefined, now: number): Decision {
  const content = secret === undefined ? undefined : readAuthority(secret);
  const verdict = authorityVerdict(content?.facts, now);
  const authority = content && authorityOf(content, now);
  if (verdict.kind !== "valid") {
    const { reason, message: problem } = verdict;
    const action = "created a new CA; certificates of the previous CA stay trusted for a while";
    const repair = { reason, problem, action, content: () => successor(content, serving, now) };
    return { usable: verdict.kind === "renew" ? authority : undefined, repair };
  }
  if (content === undefined || authority === undefined || !isOverlapLost(serving, authority.trusted, now)) {
    return { usable: authority, repair: undefined };
  }
  const { certificate, key } = authority;
  const previous = retire([...(serving === undefined ? [] : [serving]), ...stillTrusted(content.previous, now)], certificate, now);
  const repair: Repair = {
    reason: "OverlapLost",
    problem: "it does not contain the CA whose certificates are still served",
    action: `kept its CA and stored the previous one in ${AUTHORITY_KEYS.previous}`,
    content: () => Promise.resolve({ certificatePem: certificate.pem, key, previous }),
  };
  return { usable: authority, repair };
}

/** Creates a new CA. The current CA, the one still served and those still trusted stay trusted next to it. */
async function successor(
  content: AuthorityContent | undefined,
  serving: AuthorityCertificate | undefined,
  now: number,
): Promise<AuthorityToWrite> {
  const key = await newRsaKey(AUTHORITY_BITS);
  const current = issueAuthority(key, now);
  const retired = content === undefined ? undefined : usableCertificate(content.facts);
  const candidates = [retired, serving].filter((candidate) => candidate !== undefined);
  const kept = content === undefined ? [] : stillTrusted(content.previous, now);
  return { certificatePem: current.pem, key, previous: retire([...candidates, ...kept], current, now) };
}

function usableCertificate({ certificate }: AuthorityFacts): AuthorityCertificate | undefined {
  return typeof certificate === "string" || !certificate.canCertify ? undefined : certificate;
}

function authorityOf({ facts, key, previous }: AuthorityContent, now: number): Authority | undefined {
  const certificate = usableCertificate(facts);
  if (key === undefined || certificate === undefined) return undefined;
  return { certificate, key, trusted: trustedAuthorities(certificate, previous, now) };
}

/** Reasons that occur in every install. The others mean that someone damaged the Secret. */
const ROUTINE: ReadonlySet<string> = new Set(["SecretMissing", "NearExpiry"]);

interface Write {
  readonly secret: Secret | undefined;
  readonly repair: Repair;
  /** Whether the webhook cannot serve without this write. */
  readonly isUrgent: boolean;
}

/** `lost`: another replica was faster. `postponed`: the write failed, was logged, and can wait. */
async function store(
  { client, logger, namespace, podName }: AuthorityKeeperOptions,
  { secret, repair, isUrgent }: Write,
  signal: AbortSignal,
): Promise<"written" | "lost" | "postponed"> {
  const { reason, problem, action } = repair;
  const fields = { secret: `${namespace}/${AUTHORITY_SECRET}`, reason, problem };
  try {
    if (secret?.immutable === true) throw immutable(namespace, problem);
    const body = authoritySecretBody(await repair.content(), { namespace, ...preconditionsOf(secret) });
    // Absent: not forced, so that of several creators all but the first get a conflict. Present: forced, and only onto the version that was
    // read.
    await client.apply(RESOURCES.secrets, body, { fieldManager: authorityFieldManager(podName), force: secret !== undefined }, signal);
  } catch (error) {
    if (error instanceof KubeError && error.code === "Conflict") {
      logger.info("another replica wrote the CA Secret first", fields);
      return "lost";
    }
    if (isUrgent || !(error instanceof KubeError || error instanceof TlsError)) throw error;
    logger.warn("the CA Secret could not be written; its CA still serves", { ...fields, error: error.message });
    return "postponed";
  }
  logger[ROUTINE.has(reason) ? "info" : "warn"]("wrote the CA Secret", { ...fields, action });
  return "written";
}

/**
 * Both are required. If the object is gone, an apply with only a resourceVersion creates it, and one with only a uid is rejected as invalid
 * instead of as a conflict.
 */
function preconditionsOf(secret: Secret | undefined): { readonly uid?: string; readonly resourceVersion?: string } {
  const { uid, resourceVersion } = secret?.metadata ?? {};
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

function immutable(namespace: string, problem: string): TlsError {
  return new TlsError(
    "Immutable",
    `Secret ${namespace}/${AUTHORITY_SECRET} is immutable but must change, because ${problem}: delete it, and the webhook creates a new CA`,
  );
}

import type { KeyObject } from "node:crypto";
import { type LeafFacts, leafStep } from "../domain/certificates/leaf-policy.ts";
import { serviceDnsNames, WEBHOOK_CONFIGURATION } from "../domain/certificates/names.ts";
import { PREFLIGHT_TARGET } from "../domain/certificates/publication-policy.ts";
import { type AuthorityCertificate, instant } from "../domain/certificates/verdict.ts";
import type { CertificateSource } from "../domain/ports/certificate-source.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { KubeClient } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { type Authority, createAuthorityKeeper } from "./authority-keeper.ts";
import { publishBundle } from "./bundle-publisher.ts";
import { createHotSource } from "./hot-source.ts";
import { issueLeaf } from "./issue.ts";
import { leafFactsOf } from "./read-certificate.ts";
import { newRsaKey, privateKeyPem } from "./rsa-key.ts";
import { TlsError } from "./tls-error.ts";

export interface CertificatePassOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Namespace of the install, which contains the CA Secret and the Service. */
  readonly namespace: string;
  readonly podName: string;
  /** Name of the Service that the API server calls. */
  readonly service: string;
}

/** Result of one pass. */
export interface PassOutcome {
  /** Whether at least one step failed and was logged. */
  readonly failed: boolean;
  readonly wroteAuthority: boolean;
  readonly wroteBundle: boolean;
  /** Milliseconds after which the next pass is due at the latest. Undefined: at the regular tick. */
  readonly nextCheck: number | undefined;
}

/** `message` describes the problem, or reports that all is well. */
export interface Readiness {
  readonly ok: boolean;
  readonly message: string;
}

/** Ends of validity in Unix milliseconds; undefined until known. */
export interface CertificateEnds {
  readonly leaf: number | undefined;
  readonly authority: number | undefined;
}

/** A week does not need 128-bit strength, and the handshakes of all API servers pay for the length. */
const LEAF_BITS = 2048;

/**
 * The whole certificate machinery, level-triggered: one call of {@link CertificatePass.run} reads the current state, decides, and writes
 * only differences. If a step fails, the others still do what they can with the known state.
 */
export class CertificatePass {
  readonly #options: CertificatePassOptions;
  readonly #keeper: ReturnType<typeof createAuthorityKeeper>;
  readonly #source: ReturnType<typeof createHotSource>;
  readonly #dnsNames: readonly string[];
  #authority: Authority | undefined;
  #leaf: LeafFacts | undefined;
  /** CA of the served leaf. */
  #serving: AuthorityCertificate | undefined;
  /** Fingerprints in the live bundle, each with the time at which it was first seen there. */
  #publishedSince: ReadonlyMap<string, number> = new Map();
  /** PEM of the live bundle, if it is known. */
  #bundle: string | undefined;
  #preflightAbsence: string | undefined;
  /** Created on a pool thread while the client reads the CA from the API server: the start need not wait for this fifth of a second. */
  #firstKey: Promise<KeyObject> | undefined;
  /** The last known problem of each step. */
  readonly #problems = new Map<string, string>();

  constructor(options: CertificatePassOptions) {
    this.#options = options;
    this.#keeper = createAuthorityKeeper(options);
    this.#source = createHotSource(options.logger);
    this.#dnsNames = serviceDnsNames(options.service, options.namespace);
    this.#firstKey = newRsaKey(LEAF_BITS);
    // The code that awaits it receives the error. A failure before that must not end the process.
    this.#firstKey.catch(() => undefined);
  }

  get source(): CertificateSource {
    return this.#source;
  }

  /** The CAs that API servers trust, as PEM; undefined until known. */
  get bundle(): string | undefined {
    return this.#bundle;
  }

  get expiry(): CertificateEnds {
    return { leaf: this.#leaf?.notAfter, authority: this.#authority?.certificate.notAfter };
  }

  /** Ready if a valid leaf is served and its CA is published to the API servers. */
  readiness(): Readiness {
    const leaf = this.#leaf;
    const because = [...this.#problems.values()].map((problem) => `: ${problem}`).join("");
    if (leaf === undefined) return { ok: false, message: `no serving certificate has been issued yet${because}` };
    if (this.#options.clock.now() >= leaf.notAfter) {
      return { ok: false, message: `the serving certificate expired at ${instant(leaf.notAfter)}${because}` };
    }
    if (!this.#publishedSince.has(leaf.authority)) {
      return { ok: false, message: `the serving certificate's CA is not in the caBundle of ${WEBHOOK_CONFIGURATION}${because}` };
    }
    return { ok: true, message: `serving a certificate that expires at ${instant(leaf.notAfter)}` };
  }

  /** Rejects only if the signal aborts. */
  async run(signal: AbortSignal): Promise<PassOutcome> {
    const failed: string[] = [];
    const attempt = async <T>(step: string, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        const result = await work();
        this.#problems.delete(step);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        failed.push(step);
        this.#report(step, error);
        return undefined;
      }
    };
    const kept = await attempt("authority", () => this.#keeper.ensure(this.#serving, signal));
    this.#authority = kept?.authority ?? this.#authority;
    const authority = this.#authority;
    if (authority === undefined) return { failed: true, wroteAuthority: false, wroteBundle: false, nextCheck: undefined };
    const wroteBundle = await attempt("bundle", () => this.#publish(authority, signal));
    // The last of the writes, and not a part of readiness: pods are injected whether or not users get warnings in advance.
    const wrotePreflight = await attempt("preflight-bundle", () => this.#publishPreflight(authority, signal));
    const nextCheck = await attempt("leaf", () => this.#renewLeaf(authority));
    return {
      failed: failed.length > 0,
      wroteAuthority: kept?.wrote ?? false,
      wroteBundle: wroteBundle === true || wrotePreflight === true,
      nextCheck,
    };
  }

  async #publish({ trusted }: Authority, signal: AbortSignal): Promise<boolean> {
    const { published, wrote, blocked } = await publishBundle(this.#options, trusted, signal);
    const now = this.#options.clock.now();
    this.#publishedSince = new Map([...published].map((fingerprint) => [fingerprint, this.#publishedSince.get(fingerprint) ?? now]));
    this.#bundle = blocked === undefined ? trusted.map(({ pem }) => pem).join("") : undefined;
    this.#noteBlocked(blocked);
    return wrote;
  }

  /** An install without preflight checks is a choice. This is logged once, and is not a failure. */
  async #publishPreflight({ trusted }: Authority, signal: AbortSignal): Promise<boolean> {
    const { wrote, blocked } = await publishBundle(this.#options, trusted, signal, PREFLIGHT_TARGET);
    if (blocked !== undefined && blocked !== this.#preflightAbsence)
      this.#options.logger.info("there are no preflight checks", { problem: blocked });
    this.#preflightAbsence = blocked;
    return wrote;
  }

  async #renewLeaf({ certificate, key: authorityKey }: Authority): Promise<number | undefined> {
    const { clock, logger } = this.#options;
    const now = clock.now();
    const wanted = { dnsNames: this.#dnsNames, authority: certificate.fingerprint, now };
    const step = leafStep(this.#leaf, wanted, this.#publishedSince);
    if (step.kind === "keep") return undefined;
    if (step.kind === "wait") return step.milliseconds;
    const firstKey = this.#firstKey;
    // Cleared before the wait: if this key could not be created, the next pass needs another one.
    this.#firstKey = undefined;
    const key = await (firstKey ?? newRsaKey(LEAF_BITS));
    const cert = issueLeaf({ pem: certificate.pem, key: authorityKey }, { key, dnsNames: this.#dnsNames, now });
    const leaf = leafFactsOf(cert, certificate.fingerprint);
    this.#leaf = leaf;
    this.#serving = certificate;
    this.#source.swap({ cert, key: privateKeyPem(key) });
    logger.info("issued a serving certificate", { reason: step.reason, problem: step.message, expires: instant(leaf.notAfter) });
    return undefined;
  }

  /** Logged once per state: during an installation, the configuration may be absent for some time. */
  #noteBlocked(blocked: string | undefined): void {
    const before = this.#problems.get("publication");
    if (blocked === before) return;
    if (blocked === undefined) {
      this.#problems.delete("publication");
      return;
    }
    this.#problems.set("publication", blocked);
    this.#options.logger.warn("the CA bundle cannot be published", { problem: blocked });
  }

  #report(step: string, error: unknown): void {
    // The message of an unforeseen error may quote the data that caused it. Only errors whose messages are ours are printed.
    const isKnown = error instanceof KubeError || error instanceof TlsError;
    const problem = isKnown ? error.message : `unexpected ${error instanceof Error ? error.name : typeof error}`;
    this.#problems.set(step, problem);
    this.#options.logger.warn("a certificate step failed; retrying", { step, problem, ...(isKnown ? { code: error.code } : {}) });
  }
}

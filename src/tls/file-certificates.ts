import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { serviceDnsNames } from "../domain/certificates/names.ts";
import { instant } from "../domain/certificates/verdict.ts";
import type { ServingCertificate } from "../domain/ports/certificate-source.ts";
import type { Clock } from "../domain/ports/clock.ts";
import type { Logger } from "../domain/ports/logger.ts";
import { untilAborted } from "../runtime/lifecycle.ts";
import type { Readiness } from "./certificate-pass.ts";
import { createHotSource } from "./hot-source.ts";
import { parseCertificate, readableBundle } from "./read-certificate.ts";
import type { Certificates } from "./start-certificates.ts";

/** Files that another program keeps current, such as cert-manager through a mounted Secret. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** If undefined, the party that publishes the CA is responsible for the chain. */
  readonly caFile: string | undefined;
}

export interface FileCertificatesOptions {
  readonly files: CertificateFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespace: string;
  /** Name of the Service that the API server calls. */
  readonly service: string;
}

/**
 * Interval in milliseconds at which the files are read. File watches detect the symlink that the kubelet swaps on some file systems and
 * miss it on others. Reading a few kilobytes every two seconds costs nothing, and the kubelet itself takes up to a minute to update a
 * Secret.
 */
const TICK = 2_000;

/** A pair that can be served, with its end of validity. */
interface Pair extends ServingCertificate {
  readonly notAfter: number;
}

/** Usable content of all files, read at one time. */
interface Found {
  readonly pair: Pair;
  /** Undefined if the file is missing for a moment, or not named. */
  readonly authority: string | undefined;
}

/** Serves the content of the files, and follows their changes. Reads and writes no object of the cluster. */
export function startFileCertificates(options: FileCertificatesOptions, signal: AbortSignal): Certificates {
  const watch = new FileWatch(options);
  return {
    source: watch.source,
    ready: () => watch.readiness(),
    trusted: () => watch.authority,
    expiry: () => ({ leaf: watch.notAfter, authority: watch.authorityNotAfter }),
    lastSuccess: () => watch.lastSuccess,
    done: untilAborted(signal, async () => {
      await watch.check();
      await options.clock.sleep(TICK, signal);
    }),
  };
}

class FileWatch {
  readonly #options: FileCertificatesOptions;
  readonly #source: ReturnType<typeof createHotSource>;
  #served: Pair | undefined;
  #authority: string | undefined;
  /** Reason why the content of the files is not served. */
  #problem: string | undefined;
  #lastSuccess: number | undefined;

  constructor(options: FileCertificatesOptions) {
    this.#options = options;
    this.#source = createHotSource(options.logger);
  }

  get source(): ReturnType<typeof createHotSource> {
    return this.#source;
  }

  get authority(): string | undefined {
    return this.#authority;
  }

  get notAfter(): number | undefined {
    return this.#served?.notAfter;
  }

  get authorityNotAfter(): number | undefined {
    return this.#authority === undefined ? undefined : parseCertificate(this.#authority)?.validToDate.getTime();
  }

  get lastSuccess(): number | undefined {
    return this.#lastSuccess;
  }

  readiness(): Readiness {
    const because = this.#problem === undefined ? "" : `: ${this.#problem}`;
    if (this.#served === undefined) return { ok: false, message: `there is no serving certificate${because}` };
    const { notAfter } = this.#served;
    if (this.#options.clock.now() >= notAfter) {
      return { ok: false, message: `the serving certificate expired at ${instant(notAfter)}${because}` };
    }
    return { ok: true, message: `serving a certificate that expires at ${instant(notAfter)}` };
  }

  /**
   * Never throws: whatever the files contain, the previous pair stays in use, and with it the CA that the probe verifies it with. A CA that
   * changes alone comes with the pair that is already served.
   */
  async check(): Promise<void> {
    const first = await this.#read();
    // The two files change together, but a reader may see only one of the changes. A faulty pair is therefore read a second time.
    const found = typeof first === "string" ? await this.#read() : first;
    if (typeof found === "string") {
      this.#report(found);
      return;
    }
    this.#problem = undefined;
    this.#lastSuccess = this.#options.clock.now();
    this.#authority = found.authority ?? this.#authority;
    this.#serve(found.pair);
  }

  #serve(pair: Pair): void {
    const { cert, key, notAfter } = pair;
    if (cert === this.#served?.cert && key === this.#served.key) return;
    this.#served = pair;
    this.#source.swap({ cert, key });
    this.#options.logger.info("serving the certificate in the files", { expires: instant(notAfter) });
  }

  /** Returns the content, or its problem. Rejects a CA file without a certificate, which would keep every replica from becoming ready. */
  async #read(): Promise<Found | string> {
    const { certFile, keyFile, caFile } = this.#options.files;
    const [cert, key, authority] = await Promise.all([certFile, keyFile, caFile].map(readText));
    if (cert === undefined) return `--tls-cert-file: ${certFile} cannot be read`;
    if (key === undefined) return `--tls-key-file: ${keyFile} cannot be read`;
    const readable = authority === undefined ? undefined : readableBundle(authority);
    if (authority !== undefined && readable === undefined) return "--tls-ca-file contains no certificate in PEM";
    const names = serviceDnsNames(this.#options.service, this.#options.namespace);
    const pair = examinePair({ cert, key }, { name: names[2] ?? "", now: this.#options.clock.now() });
    return typeof pair === "string" ? pair : { pair, authority: readable };
  }

  /** Logged once per problem, because the problem lasts until a user solves it. */
  #report(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    const kept = this.#served === undefined ? "none is served" : `the previous one is served until ${instant(this.#served.notAfter)}`;
    this.#options.logger.error("the certificate in the files cannot be used", { problem, kept });
  }
}

interface Wanted {
  /** Name that the API server requests. */
  readonly name: string;
  readonly now: number;
}

/** Returns the pair, or its problem. The texts name flags, never a byte of the key. */
function examinePair({ cert, key }: ServingCertificate, { name, now }: Wanted): Pair | string {
  const certificate = parseCertificate(cert);
  if (certificate === undefined) return "--tls-cert-file contains no certificate in PEM";
  const isMatch = matches(certificate, key);
  if (isMatch === undefined) return "--tls-key-file contains no private key in PEM that can be read without a passphrase";
  if (!isMatch) return "--tls-key-file is not the key of the first certificate in --tls-cert-file";
  const notAfter = certificate.validToDate.getTime();
  if (now >= notAfter) return `the certificate in --tls-cert-file expired at ${instant(notAfter)}`;
  const notBefore = certificate.validFromDate.getTime();
  if (now < notBefore) return `the certificate in --tls-cert-file is not valid before ${instant(notBefore)}`;
  if (certificate.checkHost(name) === undefined) return `the certificate in --tls-cert-file does not name ${name}: add it to its DNS names`;
  const refusal = refusalOfTls({ cert, key });
  return refusal === undefined ? { cert, key, notAfter } : `TLS rejects the certificate in --tls-cert-file or its key: ${refusal}`;
}

/** Finds what the server would reject: a key that is too short, a signature that is too weak, a chain that cannot be read. */
function refusalOfTls(pair: ServingCertificate): string | undefined {
  try {
    createSecureContext(pair);
    return undefined;
  } catch (error) {
    // OpenSSL's own words, such as "ee key too small". The message would contain more of them, and never the key.
    const { reason, code } = error as { readonly reason?: unknown; readonly code?: unknown }; // Printed only if they are strings.
    return [reason, code].find((text) => typeof text === "string") ?? "no reason given";
  }
}

function matches(certificate: X509Certificate, key: string): boolean | undefined {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return undefined;
  }
}

async function readText(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch {
    // Missing for a moment, or permanently: the caller names the flag.
    return undefined;
  }
}

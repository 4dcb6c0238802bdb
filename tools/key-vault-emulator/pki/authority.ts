import { generateKeys, type KeyPair, type KeySpec } from "./key-pair.ts";
import { type CertificateRequest, type Issuer, issueCertificate } from "./x509.ts";

const DAY = 86_400_000;

/** Issuer of a certificate: the certificate itself, the root, or an intermediate authority below the root. */
export const ISSUERS = ["self", "root", "intermediate"] as const;

export type IssuerName = (typeof ISSUERS)[number];

interface Authority extends Issuer {
  readonly certificate: Buffer;
  /** Its own certificate and those above it, up to the root's. */
  readonly path: readonly Buffer[];
}

/** Authorities for both kinds of keys. Each is created when first needed and then reused, so that a certificate needs only one new key. */
export class Authorities {
  readonly #known = new Map<string, Promise<Authority>>();

  /** Returns DER certificates, leaf first. */
  async issue(request: Omit<CertificateRequest, "issuer" | "isAuthority">, issuer: IssuerName): Promise<readonly Buffer[]> {
    if (issuer === "self") return [issueCertificate({ ...request, isAuthority: false })];
    const authority = await this.#authority(issuer, request.keys.spec.kind);
    return [issueCertificate({ ...request, isAuthority: false, issuer: authority }), ...authority.path];
  }

  #authority(name: Exclude<IssuerName, "self">, kind: KeySpec["kind"]): Promise<Authority> {
    const key = `${kind} ${name}`;
    const known = this.#known.get(key) ?? this.#make(name, kind);
    this.#known.set(key, known);
    return known;
  }

  async #make(name: Exclude<IssuerName, "self">, kind: KeySpec["kind"]): Promise<Authority> {
    const [keys, above] = await Promise.all([
      generateKeys(kind === "RSA" ? { kind, size: 2048 } : { kind, curve: "P-256" }),
      name === "intermediate" ? this.#authority("root", kind) : undefined,
    ]);
    return authorityOf(`CN=Key Vault emulator ${kind} ${name}`, keys, above);
  }
}

function authorityOf(subject: string, keys: KeyPair, above: Authority | undefined): Authority {
  const [notBefore, notAfter] = [new Date(Date.now() - DAY), new Date(Date.now() + 3650 * DAY)];
  const certificate = issueCertificate({ subject, keys, notBefore, notAfter, isAuthority: true, dnsNames: [], issuer: above });
  return { subject, keys, certificate, path: [certificate, ...(above?.path ?? [])] };
}

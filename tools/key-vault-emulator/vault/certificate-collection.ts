import { createHash } from "node:crypto";

import type { IssuerName } from "../pki/authority.ts";
import type { KeyPair, KeySpec } from "../pki/key-pair.ts";
import type { PfxSettings } from "../pki/pkcs12.ts";
import { certificatePem } from "../pki/x509.ts";
import type { Version, VersionedCollection } from "./versioned-collection.ts";

/** https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#exportable-or-non-exportable-key */
export const CONTENT_TYPES = ["application/x-pkcs12", "application/x-pem-file"] as const;

export type ContentType = (typeof CONTENT_TYPES)[number];

/** Parameters with which the vault creates a certificate, and renews it at rotation. */
export interface CertificatePlan {
  readonly keySpec: KeySpec;
  readonly subject: string;
  readonly dnsNames: readonly string[];
  readonly issuer: IssuerName;
  readonly validityDays: number;
}

/** Form in which the secret contains key and certificates. */
export interface SecretForm {
  readonly contentType: ContentType;
  readonly pfx: PfxSettings;
  /** Key Vault writes the leaf first. An imported file keeps its own order. */
  readonly order: "leaf-first" | "root-first";
}

export interface CertificateContent {
  readonly keys: KeyPair;
  readonly leaf: Buffer;
  /** All certificates, in the order of the secret. */
  readonly certificates: readonly Buffer[];
  readonly form: SecretForm;
  /** Absent for an imported certificate. */
  readonly plan?: CertificatePlan | undefined;
}

export type StoredCertificate = Version & CertificateContent;

export type CertificateCollection = VersionedCollection<CertificateContent>;

/** Data of a certificate for tests, without the private key. */
export interface CertificateVersion extends Version {
  /** URLs of this version of the certificate, its key and its secret. */
  readonly id: string;
  readonly kid: string;
  readonly sid: string;
  readonly contentType: ContentType;
  /** The leaf only. */
  readonly certificatePem: string;
  /** Every certificate of the secret, in the secret's order. */
  readonly chainPem: readonly string[];
  readonly x5t: string;
}

export function certificateFacts(certificate: StoredCertificate, vaultUrl: string): CertificateVersion {
  const { keys: _, leaf, certificates, form, plan: __, ...version } = certificate;
  return {
    ...version,
    ...urlsOf(certificate, vaultUrl),
    contentType: form.contentType,
    certificatePem: certificatePem(leaf),
    chainPem: certificates.map(certificatePem),
    x5t: thumbprint(leaf),
  };
}

export function urlsOf({ name, version }: Version, vaultUrl: string): Pick<CertificateVersion, "id" | "kid" | "sid"> {
  const url = (kind: string): string => `${vaultUrl}${kind}/${name}/${version}`;
  return { id: url("certificates"), kid: url("keys"), sid: url("secrets") };
}

/** Base64url of the SHA-1 of the DER (RFC 7517, section 4.8). */
export function thumbprint(der: Buffer): string {
  return createHash("sha1").update(der).digest("base64url");
}

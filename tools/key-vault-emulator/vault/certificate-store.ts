import { X509Certificate } from "node:crypto";

import type { Authorities } from "../pki/authority.ts";
import { generateKeys, type KeyPair, privateDer, privatePem } from "../pki/key-pair.ts";
import { writePfx } from "../pki/pkcs12.ts";
import { certificatePem } from "../pki/x509.ts";
import {
  type CertificateContent,
  type CertificatePlan,
  type SecretForm,
  type StoredCertificate,
  urlsOf,
} from "./certificate-collection.ts";
import type { Vault } from "./vault-store.ts";
import { newVersionId, type Properties } from "./versioned-collection.ts";

const DAY = 86_400_000;

/** Creates a new key and the certificates for it. */
export async function makeCertificate(plan: CertificatePlan, form: SecretForm, authorities: Authorities): Promise<CertificateContent> {
  const { subject, dnsNames } = plan;
  const keys = await generateKeys(plan.keySpec);
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000 - DAY);
  const notAfter = new Date(notBefore.getTime() + plan.validityDays * DAY);
  const chain = await authorities.issue({ subject, dnsNames, keys, notBefore, notAfter }, plan.issuer);
  const [leaf = Buffer.alloc(0)] = chain;
  return { keys, leaf, certificates: form.order === "leaf-first" ? chain : chain.toReversed(), form, plan };
}

/** Stores a new version of certificate, key and secret under one id, like the service. */
export function storeCertificate(vault: Vault, name: string, content: CertificateContent & Properties): StoredCertificate {
  const version = newVersionId();
  const { enabled, tags } = content;
  const parsed = new X509Certificate(content.leaf);
  const properties: Properties = {
    enabled,
    tags,
    notBefore: parsed.validFromDate.getTime() / 1000,
    expires: parsed.validToDate.getTime() / 1000,
  };
  const stored = vault.certificates.add(name, { ...content, ...properties }, version);
  const { spec } = content.keys;
  vault.keys.add(stored.name, { ...properties, keyType: spec.kind, keys: content.keys, managed: true }, version);
  const { contentType } = content.form;
  vault.secrets.add(stored.name, { ...properties, value: secretValue(content), contentType, kid: urlsOf(stored, vault.url).kid }, version);
  return stored;
}

/** Certificate, key and secret share their attributes. */
export function updateCertificate(
  vault: Vault,
  key: { readonly name: string; readonly version?: string | undefined },
  changes: Properties,
): StoredCertificate | undefined {
  const changed = vault.certificates.update(key.name, key.version, changes);
  if (changed === undefined) return undefined;
  vault.keys.update(changed.name, changed.version, changes);
  vault.secrets.update(changed.name, changed.version, changes);
  return changed;
}

export function deleteCertificate(vault: Vault, name: string): boolean {
  const wasThere = vault.certificates.delete(name);
  if (wasThere) for (const collection of [vault.keys, vault.secrets]) collection.delete(name);
  return wasThere;
}

/** For PEM the key, then the certificates. For PKCS#12 the base64 of a file with an empty password. */
function secretValue({ keys, leaf, certificates, form }: CertificateContent): string {
  if (form.contentType === "application/x-pem-file") return pemOf(keys, certificates);
  return writePfx({ privateKey: privateDer(keys.privateKey), certificates, leaf }, form.pfx).toString("base64");
}

function pemOf(keys: KeyPair, certificates: readonly Buffer[]): string {
  return `${privatePem(keys.privateKey)}${certificates.map(certificatePem).join("")}`;
}

import { X509Certificate } from "node:crypto";

import { attributesOf } from "./attributes-wire.ts";
import { type StoredCertificate, thumbprint, urlsOf } from "./certificate-collection.ts";

/** JSON as in https://learn.microsoft.com/rest/api/keyvault/certificates/get-certificate/get-certificate and its neighbours. */
export function certificateBundle(certificate: StoredCertificate, vaultUrl: string): object {
  return {
    ...urlsOf(certificate, vaultUrl),
    x5t: thumbprint(certificate.leaf),
    cer: certificate.leaf.toString("base64"),
    attributes: attributesOf(certificate),
    tags: certificate.tags,
    policy: policyOf(certificate, vaultUrl),
  };
}

/** An item of a list of versions. */
export function certificateVersionItem(certificate: StoredCertificate, vaultUrl: string): object {
  return { id: urlsOf(certificate, vaultUrl).id, ...rest(certificate) };
}

/** An item of a list of certificates carries no version. */
export function certificateItem(certificate: StoredCertificate, vaultUrl: string): object {
  return { id: `${vaultUrl}certificates/${certificate.name}`, ...rest(certificate) };
}

function rest(certificate: StoredCertificate): object {
  return { x5t: thumbprint(certificate.leaf), attributes: attributesOf(certificate), tags: certificate.tags };
}

/** https://learn.microsoft.com/rest/api/keyvault/certificates/get-certificate-policy/get-certificate-policy */
export function policyOf({ name, keys, leaf, form, plan, created, updated }: StoredCertificate, vaultUrl: string): object {
  const parsed = new X509Certificate(leaf);
  const { spec } = keys;
  const dnsNames = (parsed.subjectAltName ?? "").split(", ").flatMap((entry) => (entry.startsWith("DNS:") ? [entry.slice(4)] : []));
  return {
    id: `${vaultUrl}certificates/${name}/policy`,
    key_props: {
      exportable: true,
      kty: spec.kind,
      ...(spec.kind === "RSA" ? { key_size: spec.size } : { crv: spec.curve }),
      reuse_key: false,
    },
    secret_props: { contentType: form.contentType },
    x509_props: {
      subject: plan?.subject ?? parsed.subject.split("\n").join(", "),
      sans: { dns_names: dnsNames },
      ekus: parsed.keyUsage ?? [],
      key_usage: ["digitalSignature", "keyEncipherment"],
      validity_months: Math.max(1, Math.round((parsed.validToDate.getTime() - parsed.validFromDate.getTime()) / MONTH)),
      basic_constraints: { ca: parsed.ca },
    },
    lifetime_actions: [],
    issuer: { name: plan?.issuer === "self" ? "Self" : "Unknown" },
    attributes: { enabled: true, created, updated },
  };
}

const MONTH = 30 * 86_400_000;

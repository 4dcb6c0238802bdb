import { X509Certificate } from "node:crypto";

import { attributesOf, type WirePlace } from "./attributes-wire.ts";
import { type StoredCertificate, thumbprint, urlsOf } from "./certificate-collection.ts";

/** JSON as in https://learn.microsoft.com/rest/api/keyvault/certificates/get-certificate/get-certificate and related pages. */
export function certificateBundle(certificate: StoredCertificate, place: WirePlace): object {
  return {
    ...urlsOf(certificate, place.url),
    x5t: thumbprint(certificate.leaf),
    cer: certificate.leaf.toString("base64"),
    attributes: attributesOf(certificate, place),
    tags: certificate.tags,
    policy: policyOf(certificate, place),
    pending: certificate.plan === undefined ? undefined : { id: `${place.url}certificates/${certificate.name}/pending` },
  };
}

/** An item of a list of versions. */
export function certificateVersionItem(certificate: StoredCertificate, place: WirePlace): object {
  return { id: urlsOf(certificate, place.url).id, ...rest(certificate, place) };
}

/** An item of a list of certificates, which contains no version. */
export function certificateItem(certificate: StoredCertificate, place: WirePlace): object {
  return { id: `${place.url}certificates/${certificate.name}`, ...rest(certificate, place) };
}

function rest(certificate: StoredCertificate, place: WirePlace): object {
  return { x5t: thumbprint(certificate.leaf), attributes: attributesOf(certificate, place), tags: certificate.tags };
}

/**
 * https://learn.microsoft.com/rest/api/keyvault/certificates/get-certificate-policy/get-certificate-policy, as recorded in
 * https://github.com/Azure/azure-sdk-for-js (keyvault-certificates, recording_can_delete_a_certificate.json)
 */
export function policyOf({ name, keys, leaf, form, plan, created, updated }: StoredCertificate, place: WirePlace): object {
  const parsed = new X509Certificate(leaf);
  const { spec } = keys;
  const dnsNames = (parsed.subjectAltName ?? "").split(", ").flatMap((entry) => (entry.startsWith("DNS:") ? [entry.slice(4)] : []));
  return {
    id: `${place.url}certificates/${name}/policy`,
    key_props: {
      exportable: true,
      kty: spec.kind,
      ...(spec.kind === "RSA" ? { key_size: spec.size } : { crv: spec.curve }),
      reuse_key: false,
    },
    secret_props: { contentType: form.contentType },
    x509_props: {
      subject: plan?.subject ?? parsed.subject.split("\n").join(", "),
      sans: dnsNames.length === 0 ? {} : { dns_names: dnsNames },
      ekus: parsed.keyUsage ?? [],
      key_usage: ["digitalSignature", "keyEncipherment"],
      validity_months: Math.max(1, Math.round((parsed.validToDate.getTime() - parsed.validFromDate.getTime()) / MONTH)),
      basic_constraints: { ca: parsed.ca },
    },
    lifetime_actions: [{ trigger: { lifetime_percentage: 80 }, action: { action_type: "AutoRenew" } }],
    issuer: { name: plan?.issuer === "self" ? "Self" : "Unknown" },
    attributes: { enabled: true, created, updated },
  };
}

const MONTH = 30 * 86_400_000;

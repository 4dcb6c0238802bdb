import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { AUTHORITY_ANNOTATIONS } from "../domain/annotations.ts";
import type { AuthorityFacts, AuthorityKeyFacts } from "../domain/certificates/authority-policy.ts";
import { AUTHORITY_KEYS, AUTHORITY_SECRET } from "../domain/certificates/names.ts";
import { NO_PREVIOUS, type Previous } from "../domain/certificates/overlap.ts";
import { instant } from "../domain/certificates/verdict.ts";
import type { ObjectMeta, Secret } from "../domain/kubernetes.ts";
import { authorityFactsOf, parseBundle, parseCertificate } from "./read-certificate.ts";
import { privateKeyPem } from "./rsa-key.ts";

/** The CA Secret, read as far as possible. If a user damaged it, the result is still a value and not an error. */
export interface AuthorityContent {
  readonly facts: AuthorityFacts;
  /** Undefined if `ca.key` is missing or unparsable. */
  readonly key: KeyObject | undefined;
  readonly previous: Previous;
}

export function readAuthority(secret: Secret): AuthorityContent {
  const text = (name: string): string => Buffer.from(secret.data?.[name] ?? "", "base64").toString("utf8");
  const crt = text(AUTHORITY_KEYS.certificate);
  const pem = text(AUTHORITY_KEYS.privateKey);
  const certificate = crt.trim() === "" ? undefined : parseCertificate(crt);
  const key = pem.trim() === "" ? undefined : parseKey(pem);
  return {
    facts: {
      certificate: certificate === undefined ? absence(crt) : authorityFactsOf(certificate),
      key: key === undefined ? absence(pem) : keyFactsOf(key, certificate),
    },
    key,
    previous: {
      certificates: parseBundle(text(AUTHORITY_KEYS.previous)).filter(({ canCertify }) => canCertify),
      until: previousUntil(secret),
    },
  };
}

/** The CA to store. */
export interface AuthorityToWrite {
  readonly certificatePem: string;
  readonly key: KeyObject;
  readonly previous: Previous;
}

/**
 * Returns the body of an apply. It always contains the current certificate and key: if one of our own field managers omitted them, it would
 * give them up, and the API server would remove them. The body has no `type`, which cannot be changed if the Secret was created with
 * another one. `meta` contains the preconditions.
 */
export function authoritySecretBody(
  { certificatePem, key, previous }: AuthorityToWrite,
  meta: Pick<ObjectMeta, "namespace" | "uid" | "resourceVersion">,
): Secret {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const kept = previous.certificates.map(({ pem }) => pem).join("");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      ...meta,
      name: AUTHORITY_SECRET,
      labels: { "app.kubernetes.io/name": "keyvault-injector", "app.kubernetes.io/component": "webhook" },
      ...(previous.until === undefined ? {} : { annotations: { [AUTHORITY_ANNOTATIONS.previousUntil]: instant(previous.until) } }),
    },
    data: {
      [AUTHORITY_KEYS.certificate]: base64(certificatePem),
      [AUTHORITY_KEYS.privateKey]: base64(privateKeyPem(key)),
      ...(kept === "" ? {} : { [AUTHORITY_KEYS.previous]: base64(kept) }),
    },
  };
}

function absence(text: string): "missing" | "unparsable" {
  return text.trim() === "" ? "missing" : "unparsable";
}

function parseKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function keyFactsOf(key: KeyObject, certificate: X509Certificate | undefined): AuthorityKeyFacts {
  return {
    type: key.asymmetricKeyType ?? "unknown",
    bits: key.asymmetricKeyDetails?.modulusLength,
    isCertified: certificate?.checkPrivateKey(key) ?? false,
  };
}

function previousUntil(secret: Secret): Previous["until"] {
  const until = Date.parse(secret.metadata.annotations?.[AUTHORITY_ANNOTATIONS.previousUntil] ?? "");
  return Number.isNaN(until) ? NO_PREVIOUS.until : until;
}

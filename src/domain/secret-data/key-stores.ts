/** Converts PEM to key stores and trust stores, and key stores to PEM. */

import { textIn } from "../bytes.ts";
import { pemOfBlocks } from "../content/certificate-pem.ts";
import type { DerivationBudget } from "../derivation-budget.ts";
import type { PemBlock, Pki, SaltOf } from "../ports/pki.ts";
import { failed, type Result } from "../result.ts";
import type { DocumentNode } from "./document.ts";

type Apply = (values: readonly Uint8Array[], using: Using) => Result<Uint8Array, string>;

const NOTHING = new Uint8Array();

interface Read {
  readonly certificates: readonly Uint8Array[];
  readonly key: Uint8Array | undefined;
  readonly password: string;
}

/** Wraps a function that takes a PEM text and a password. */
function ofPem(make: (read: Read, using: Using, values: readonly Uint8Array[]) => Result<Uint8Array, string>): Apply {
  return (values, using) => {
    const [pem = NOTHING, secret = NOTHING] = values;
    const password = textIn(secret);
    if (!password.ok) return failed(`its password: ${password.error}`);
    const { blocks } = using.pki.decodePem(pem);
    const isCertificate = ({ type }: PemBlock): boolean => type === "CERTIFICATE";
    const certificates = blocks.filter(isCertificate).map(({ der }) => der);
    const key = blocks.find((block) => !isCertificate(block))?.der;
    return make({ certificates, key, password: password.value }, using, values);
  };
}

export const pkcs12: Apply = ofPem(({ certificates, key, password }, { pki, saltOf }, values) =>
  key === undefined ? failed("it contains no private key") : pki.encodePkcs12({ certificates, key, password, saltOf: saltOf(values) }),
);

export const pkcs12TrustStore: Apply = ofPem(({ certificates, password }, { pki, saltOf }, values) =>
  pki.encodePkcs12TrustStore({ certificates, password, saltOf: saltOf(values) }),
);

export const jksTrustStore: Apply = ofPem(({ certificates, password }, { pki }) => pki.encodeJksTrustStore({ certificates, password }));

export const pemFromPkcs12: Apply = ([file = NOTHING, secret = NOTHING], { pki, budget }) => {
  const password = textIn(secret);
  if (!password.ok) return failed(`its password: ${password.error}`);
  const blocks = pki.decodePkcs12(file, budget, password.value);
  // The reader's own error quotes parts of the file, in which an author can place a value.
  const pem = blocks.ok ? pemOfBlocks(blocks.value, pki) : blocks;
  return pem.ok ? pem : failed("it is not a PKCS#12 file that opens with this password");
};

export interface Using {
  readonly pki: Pki;
  readonly budget: DerivationBudget;
  /** Reads a value as JSON or YAML, each value once. */
  readonly document: (value: Uint8Array) => Result<DocumentNode, string>;
  /** Derives salts for a key store from its parts: its password and all of its content. */
  readonly saltOf: (parts: readonly Uint8Array[]) => SaltOf;
}

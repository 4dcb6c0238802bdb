import type { DerivationBudget } from "../derivation-budget.ts";
import type { DecodingProblem, Pki } from "../ports/pki.ts";
import { ok, type Result } from "../result.ts";
import { pemOfPkcs12, pickBlocks } from "./certificate-pem.ts";

/** Steps that convert the value of a certificate's secret. */
export interface CertificateSteps {
  /** Whether the value is the base64 text of a PKCS#12 file, which becomes PEM. */
  readonly isPkcs12: boolean;
  /** `--construct-pem-chain` */
  readonly constructPemChain: boolean;
  /** `--write-cert-and-key-in-separate-files` */
  readonly isSeparated: boolean;
}

export interface Decoding {
  readonly pki: Pki;
  /** All files of a class share it. */
  readonly budget?: DerivationBudget | undefined;
}

/** Each part, or the reason why it cannot be made. */
export type Parts = readonly Result<Uint8Array, DecodingProblem>[];

/** Returns the suffix of the file name for each part. The whole comes last, because the last file of equal names takes precedence. */
export function suffixesOf({ isSeparated }: CertificateSteps): readonly string[] {
  return isSeparated ? [".crt", ".key", ""] : [""];
}

/** Returns one part for each suffix, or a single problem. */
export function takeApart(value: Uint8Array, steps: CertificateSteps, { pki, budget }: Decoding): Parts {
  const { isPkcs12, constructPemChain, isSeparated } = steps;
  const text = isPkcs12 ? pemOfPkcs12(value, { pki, constructPemChain, budget }) : ok(value);
  if (!text.ok || !isSeparated) return [text];
  return [ok(pickBlocks(text.value, "certificates", pki)), ok(pickBlocks(text.value, "keys", pki)), text];
}

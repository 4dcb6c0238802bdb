import type { DerivationBudget } from "../derivation-budget.ts";
import type { DecodingProblem, Pki } from "../ports/pki.ts";
import { ok, type Result } from "../result.ts";
import { pemOfPkcs12, pickBlocks } from "./certificate-pem.ts";

/** What is to be made of the value of a certificate's secret. */
export interface CertificateSteps {
  /** The base64 text of a PKCS#12 file, which becomes PEM. */
  readonly isPkcs12: boolean;
  /** `--construct-pem-chain` */
  readonly constructPemChain: boolean;
  /** `--write-cert-and-key-in-separate-files` */
  readonly isSeparated: boolean;
}

export interface Decoding {
  readonly pki: Pki;
  /** Shared by all files of a class. */
  readonly budget?: DerivationBudget | undefined;
}

/** Each value, or why there is none. */
export type Parts = readonly Result<Uint8Array, DecodingProblem>[];

/** Appended to the file name, for each part. The whole comes last, since of equal names the last one counts. */
export function suffixesOf({ isSeparated }: CertificateSteps): readonly string[] {
  return isSeparated ? [".crt", ".key", ""] : [""];
}

/** One part for each suffix; a single one where it fails. */
export function takeApart(value: Uint8Array, steps: CertificateSteps, { pki, budget }: Decoding): Parts {
  const { isPkcs12, constructPemChain, isSeparated } = steps;
  const text = isPkcs12 ? pemOfPkcs12(value, { pki, constructPemChain, budget }) : ok(value);
  if (!text.ok || !isSeparated) return [text];
  return [ok(pickBlocks(text.value, "certificates", pki)), ok(pickBlocks(text.value, "keys", pki)), text];
}

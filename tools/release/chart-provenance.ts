/**
 * Helm's signed provenance of a chart, `<archive>.prov`, which `helm verify` and `helm pull --verify` read: a clear-signed OpenPGP message of the
 * chart's metadata and the archive's checksum. Equal archives give equal bytes where the key's algorithm does, as RSA and EdDSA do.
 */
import { readFileSync } from "node:fs";
import { createCleartextMessage, decryptKey, type PrivateKey, readPrivateKey, sign } from "openpgp";
import { digestOf } from "./oci-layout.ts";

export interface ChartKey {
  /** File with an armored private key. */
  readonly file: string;
  /** Of an encrypted one. */
  readonly passphrase: string | undefined;
}

export interface SignedChart {
  /** Of Chart.yaml. */
  readonly metadata: string;
  /** File name of the archive. */
  readonly name: string;
  readonly archive: Buffer;
  /** ISO 8601: the time in the signature, or the key's creation where that is later. */
  readonly date: string;
}

export type SignChart = (chart: SignedChart) => Promise<string>;

/** Throws where the file holds no key that can sign, or the passphrase is missing or wrong. */
export async function chartSigning({ file, passphrase }: ChartKey): Promise<SignChart> {
  const key = await readKey(file, passphrase);
  return async ({ metadata, name, archive, date }) => {
    const text = `${metadata.trimEnd()}\n\n...\nfiles:\n  ${name}: ${digestOf(archive)}\n`;
    const signed = new Date(Math.max(Date.parse(date), key.getCreationTime().getTime()));
    const config = { nonDeterministicSignaturesViaNotation: false };
    return sign({ message: await createCleartextMessage({ text }), signingKeys: key, date: signed, config });
  };
}

async function readKey(file: string, passphrase: string | undefined): Promise<PrivateKey> {
  const key = await readPrivateKey({ armoredKey: readFileSync(file, "utf8") });
  if (key.isDecrypted()) return key;
  if (passphrase === undefined) throw new Error(`${file} is encrypted: set KEYVAULT_INJECTOR_CHART_PASSPHRASE`);
  return decryptKey({ privateKey: key, passphrase });
}

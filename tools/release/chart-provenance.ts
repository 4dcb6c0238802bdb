/**
 * Writes Helm's signed provenance of a chart, `<archive>.prov`, which `helm verify` and `helm pull --verify` read. It is a clear-signed
 * OpenPGP message with the chart's metadata and the archive's checksum. Equal archives give equal bytes if the key's algorithm is
 * deterministic, such as RSA and EdDSA.
 */
import { readFileSync } from "node:fs";
import { createCleartextMessage, decryptKey, type PrivateKey, readPrivateKey, sign } from "openpgp";
import { digestOf } from "./oci-layout.ts";

export interface ChartKey {
  /** File with an armored private key. */
  readonly file: string;
  /** Passphrase of an encrypted key. */
  readonly passphrase: string | undefined;
}

export interface SignedChart {
  /** Content of Chart.yaml. */
  readonly metadata: string;
  /** File name of the archive. */
  readonly name: string;
  readonly archive: Buffer;
  /** ISO 8601. Time of the signature, unless the key's creation is later. */
  readonly date: string;
}

export type SignChart = (chart: SignedChart) => Promise<string>;

/** Throws if the file contains no key that can sign, or if the passphrase is missing or wrong. */
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

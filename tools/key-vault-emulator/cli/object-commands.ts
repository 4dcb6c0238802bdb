import { readFile } from "node:fs/promises";

import { ISSUERS } from "../pki/authority.ts";
import { CURVES, RSA_SIZES } from "../pki/key-pair.ts";
import { PFX_SETTINGS } from "../pki/pkcs12.ts";
import type { CertificateVersion } from "../vault/certificate-collection.ts";
import { KEY_TYPES } from "../vault/key-collection.ts";
import { type Command, choice, type Invocation, json, required, textFlag, UsageError, wholeNumber } from "./command.ts";

const sizes = { size: { type: "string" }, curve: { type: "string" } } as const;
const CERTIFICATE_KEY_TYPES = ["RSA", "EC"] as const;
const CERTIFICATE_CURVES = ["P-256", "P-384", "P-521"] as const;

/** Commands for keys and certificates. */
export const objectCommands: readonly Command[] = [
  {
    name: "key create",
    arguments: ["VAULT", "NAME"],
    options: { type: { type: "string" }, ...sizes },
    help: "create a key, or its next version [--type RSA|RSA-HSM|EC|EC-HSM|oct|oct-HSM] [--size 2048|3072|4096] [--curve P-256|P-384|P-521|P-256K]",
    run: async (call) =>
      json(
        await call.emulator.createKey({
          ...keyOf(call),
          keyType: choice(call, "type", KEY_TYPES),
          size: sizeOf(call),
          curve: choice(call, "curve", CURVES),
        }),
      ),
  },
  {
    name: "cert create",
    arguments: ["VAULT", "NAME"],
    options: {
      type: { type: "string" },
      ...sizes,
      pem: { type: "boolean" },
      issuer: { type: "string" },
      subject: { type: "string" },
      dns: { type: "string" },
      pfx: { type: "string" },
    },
    help:
      "create a certificate with its key and secret, or its next version [--type RSA|EC] [--size N] [--curve P-256|P-384|P-521] [--pem] " +
      "[--issuer self|root|intermediate] [--subject CN=…] [--dns NAME,NAME] [--pfx legacy|modern]",
    run: async (call) =>
      json(
        summaryOf(
          await call.emulator.createCertificate({
            ...keyOf(call),
            keyType: choice(call, "type", CERTIFICATE_KEY_TYPES),
            size: sizeOf(call),
            curve: choice(call, "curve", CERTIFICATE_CURVES),
            contentType: call.flags["pem"] === true ? "application/x-pem-file" : "application/x-pkcs12",
            issuer: choice(call, "issuer", ISSUERS),
            subject: textFlag(call, "subject"),
            dnsNames: textFlag(call, "dns")?.split(","),
            pfx: choice(call, "pfx", PFX_SETTINGS),
          }),
        ),
      ),
  },
  {
    name: "cert import",
    arguments: ["VAULT", "NAME", "FILE"],
    options: { password: { type: "string" } },
    help: "import a PEM file (key and certificates) or a PKCS#12 file [--password TEXT]",
    run: async (call) => {
      const content = await readFile(required(call, 2));
      const file = content.includes("-----BEGIN ") ? { pem: content.toString("utf8") } : { pfx: content.toString("base64") };
      return json(summaryOf(await call.emulator.importCertificate({ ...keyOf(call), ...file, password: textFlag(call, "password") })));
    },
  },
  {
    name: "cert rotate",
    arguments: ["VAULT", "NAME"],
    options: {},
    help: "the next version of a created certificate, with a new key",
    run: async (call) => json(summaryOf(await call.emulator.rotateCertificate(keyOf(call)))),
  },
];

/** Omits the certificates, which `openssl` prints better. */
function summaryOf(certificate: CertificateVersion): object {
  const { chainPem, certificatePem: _, ...facts } = certificate;
  return { ...facts, certificates: chainPem.length };
}

function keyOf(call: Invocation): { readonly vault: string; readonly name: string } {
  return { vault: required(call, 0), name: required(call, 1) };
}

function sizeOf(call: Invocation): (typeof RSA_SIZES)[number] | undefined {
  const given = wholeNumber(call, "size");
  const size = RSA_SIZES.find((one) => one === given);
  if (given !== undefined && size === undefined) throw new UsageError(`--size: use one of ${RSA_SIZES.join(", ")}`);
  return size;
}

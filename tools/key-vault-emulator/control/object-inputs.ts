import { z } from "zod";

import { ISSUERS } from "../pki/authority.ts";
import { CURVES, RSA_SIZES } from "../pki/key-pair.ts";
import { PFX_SETTINGS } from "../pki/pkcs12.ts";
import { CONTENT_TYPES } from "../vault/certificate-collection.ts";
import { KEY_TYPES } from "../vault/key-collection.ts";
import { attributes, objectKey, version } from "./fields.ts";

const rsaSize = z.literal(RSA_SIZES);
const curve = z.enum(CURVES);
const contentType = z.enum(CONTENT_TYPES);
const pfx = z.enum(PFX_SETTINGS).default("legacy");
const pem = z.string().regex(/-----BEGIN /, "PEM text");

/** Inputs for keys and certificates. */
export const objectInputs = {
  createKey: z.strictObject({
    ...objectKey,
    keyType: z.enum(KEY_TYPES).default("RSA"),
    /** Size of an RSA key. Default 2048. */
    size: rsaSize.default(2048),
    /** Curve of an EC key. Default P-256. */
    curve: curve.default("P-256"),
    /** Used instead of a generated key. It determines size and curve. */
    privateKeyPem: pem.optional(),
    ...attributes,
  }),
  key: z.strictObject(objectKey),
  setKeyAttributes: z.strictObject({ ...objectKey, version: version.optional(), ...attributes }),
  createCertificate: z.strictObject({
    ...objectKey,
    keyType: z.enum(["RSA", "EC"]).default("RSA"),
    size: rsaSize.default(2048),
    curve: curve.exclude(["P-256K"]).default("P-256"),
    contentType: contentType.default("application/x-pkcs12"),
    /** `self`: self-signed. `intermediate`: the secret holds leaf, intermediate and root. */
    issuer: z.enum(ISSUERS).default("self"),
    order: z.enum(["leaf-first", "root-first"]).default("leaf-first"),
    pfx,
    /** Default `CN=` followed by the name. */
    subject: z.string().optional(),
    dnsNames: z.array(z.string()).default([]),
    validityDays: z.number().int().positive().default(365),
    enabled: attributes.enabled,
    tags: attributes.tags,
  }),
  importCertificate: z.strictObject({
    ...objectKey,
    /** One private key and its certificates, in any order. */
    pem: pem.optional(),
    /** Base64 of a PKCS#12 file. */
    pfx: z.base64().optional(),
    /** Password of the file. The secret does not keep it, as in the real service. */
    password: z.string().default(""),
    /** Format in which the service keeps the certificate. Default PEM for PEM and PKCS#12 for PKCS#12. */
    contentType: contentType.optional(),
    pfxSettings: pfx,
    enabled: attributes.enabled,
    tags: attributes.tags,
  }),
  certificate: z.strictObject(objectKey),
  setCertificateAttributes: z.strictObject({ ...objectKey, version: version.optional(), ...attributes }),
} as const;

/** From what a vault handed out to the files that the provider would mount, byte for byte. */
import type { VaultCertificate, VaultKey, VaultObject, VaultSecret } from "../ports/vault-object.ts";
import { type ObjectEncoding, objectFailure } from "../provider-class/object-rules.ts";
import { failed, ok, type Result } from "../result.ts";
import { Sensitive } from "../sensitive.ts";
import { type ChainOptions, pemOf, pemOfPkcs12, pickBlocks } from "./certificate-pem.ts";
import { decodeBase64, decodeHex } from "./encodings.ts";
import { type ContentProblem, type ObjectFile, objectIdOf } from "./object-file.ts";
import type { ObjectVersion } from "./version-history.ts";

export interface RenderOptions extends ChainOptions {
  /** `--write-cert-and-key-in-separate-files` */
  readonly writeCertAndKeyInSeparateFiles: boolean;
}

/** What the provider names the object in: `message` is what went wrong with it. */
function problem(object: ObjectVersion, message: string, hint: string): { readonly ok: false; readonly error: ContentProblem } {
  return failed({ reason: "InvalidObject", message: objectFailure(object, message), objectId: objectIdOf(object), hint });
}

const DECODERS = { base64: decodeBase64, hex: decodeHex } as const satisfies Partial<Record<ObjectEncoding, unknown>>;

function decode(contents: Sensitive, object: ObjectVersion): Result<Sensitive, ContentProblem> {
  if (object.encoding === "utf-8") return ok(contents);
  const decoded = contents.transform(DECODERS[object.encoding]);
  if (decoded.ok) return decoded;
  // The provider hands the decoder's error out as it is, without naming the object; the object id stands beside it.
  return failed({
    reason: "InvalidObject",
    message: decoded.error,
    objectId: objectIdOf(object),
    hint: `store ${object.encoding} text in the vault, or remove objectEncoding`,
  });
}

function fileOf(object: ObjectVersion, { version, updated, expires, notBefore }: VaultObject, contents: Sensitive): ObjectFile {
  return { path: object.path, contents, objectId: objectIdOf(object), version, updated, expires, notBefore };
}

const PEM_TYPE = "application/x-pem-file";
const PKCS12_TYPE = "application/x-pkcs12";

/** The value of a secret that belongs to a certificate, in the format that the class asks for. */
function certificateText(object: ObjectVersion, secret: VaultSecret, options: RenderOptions): Result<Sensitive, ContentProblem> {
  const { value, contentType = "" } = secret;
  if (contentType === PEM_TYPE || (contentType === PKCS12_TYPE && object.format === "pfx")) return ok(value);
  if (contentType !== PKCS12_TYPE) {
    const hint = `let the vault issue or import the certificate as ${PEM_TYPE} or ${PKCS12_TYPE}`;
    return problem(object, `failed to get certificate. unknown content type '${contentType}'`, hint);
  }
  const pem = value.transform((text) => pemOfPkcs12(text, options));
  const hint = "import the certificate into the vault again, with its whole chain and without a password, or set objectFormat: pfx";
  return pem.ok ? pem : problem(object, pem.error, hint);
}

interface Part {
  /** Appended to the file name. */
  readonly suffix: string;
  readonly contents: Sensitive;
}

/** The files of one certificate-backed secret; the combined one comes last, since of equal names the last one counts. */
function certificateParts(text: Sensitive, { pki, writeCertAndKeyInSeparateFiles }: RenderOptions): readonly Part[] {
  const whole = { suffix: "", contents: text };
  if (!writeCertAndKeyInSeparateFiles) return [whole];
  const certificates = text.map((bytes) => pickBlocks(bytes, "certificates", pki));
  const keys = text.map((bytes) => pickBlocks(bytes, "keys", pki));
  return [{ suffix: ".crt", contents: certificates }, { suffix: ".key", contents: keys }, whole];
}

/** The files of one secret of the vault. */
export function renderSecret(
  object: ObjectVersion,
  secret: VaultSecret,
  options: RenderOptions,
): Result<readonly ObjectFile[], ContentProblem> {
  const isOfCertificate = secret.keyId !== undefined && secret.keyId !== "";
  const text = isOfCertificate ? certificateText(object, secret, options) : ok(secret.value);
  if (!text.ok) return text;
  const parts = isOfCertificate ? certificateParts(text.value, options) : [{ suffix: "", contents: text.value }];
  const files: ObjectFile[] = [];
  for (const { suffix, contents } of parts) {
    const decoded = decode(contents, object);
    if (!decoded.ok) return decoded;
    files.push({ ...fileOf(object, secret, decoded.value), path: `${object.path}${suffix}` });
  }
  return ok(files);
}

/** The public key as PEM. */
export function renderKey(object: ObjectVersion, key: VaultKey, { pki }: RenderOptions): Result<readonly ObjectFile[], ContentProblem> {
  const der = pki.encodePublicKey(key.jwk);
  if (!der.ok) return problem(object, der.error, "use an RSA key, or an EC key on P-256, P-384 or P-521");
  return ok([fileOf(object, key, new Sensitive(pemOf("PUBLIC KEY", der.value, pki)))]);
}

/** The certificate alone as PEM: without its chain, without its key. */
export function renderCertificate(object: ObjectVersion, certificate: VaultCertificate, { pki }: RenderOptions): readonly ObjectFile[] {
  return [fileOf(object, certificate, new Sensitive(pemOf("CERTIFICATE", certificate.der, pki)))];
}

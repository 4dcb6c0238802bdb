/** Renders objects from a vault into the files that the provider would mount, byte for byte. */

import { decodeBase64, decodeHex } from "../encodings.ts";
import type { DecodingProblem } from "../ports/pki.ts";
import type { VaultCertificate, VaultKey, VaultObject, VaultSecret } from "../ports/vault-object.ts";
import { type ObjectEncoding, objectFailure } from "../provider-class/object-rules.ts";
import { failed, ok, type Result } from "../result.ts";
import { Sensitive } from "../sensitive.ts";
import { type ChainOptions, pemOf } from "./certificate-pem.ts";
import { type ContentProblem, type ObjectFile, objectIdOf } from "./object-file.ts";
import { type CertificateSteps, type Parts, suffixesOf, takeApart } from "./take-apart.ts";
import type { ObjectVersion } from "./version-history.ts";

export interface RenderOptions extends ChainOptions {
  /** `--write-cert-and-key-in-separate-files` */
  readonly writeCertAndKeyInSeparateFiles: boolean;
}

/** Returns a problem with a message in the provider's words. `message` is the part that describes the failure. */
function problem(object: ObjectVersion, message: string, hint: string): { readonly ok: false; readonly error: ContentProblem } {
  return failed({ reason: "InvalidObject", message: objectFailure(object, message), objectId: objectIdOf(object), hint });
}

const DECODERS = { base64: decodeBase64, hex: decodeHex } as const satisfies Partial<Record<ObjectEncoding, unknown>>;

function decode(contents: Sensitive, object: ObjectVersion): Result<Sensitive, ContentProblem> {
  if (object.encoding === "utf-8") return ok(contents);
  const decoded = contents.transform(DECODERS[object.encoding]);
  if (decoded.ok) return decoded;
  // The provider returns the decoder's error unchanged, without the name of the object. The object id is a separate field.
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

/** Returns the steps that convert the value; undefined if the secret does not belong to a certificate. */
function stepsOf(object: ObjectVersion, secret: VaultSecret, options: RenderOptions): Result<CertificateSteps | undefined, ContentProblem> {
  const { keyId = "", contentType = "" } = secret;
  if (keyId === "") return ok(undefined);
  if (contentType !== PEM_TYPE && contentType !== PKCS12_TYPE) {
    const hint = `let the vault issue or import the certificate as ${PEM_TYPE} or ${PKCS12_TYPE}`;
    return problem(object, `failed to get certificate. unknown content type '${contentType}'`, hint);
  }
  const { constructPemChain, writeCertAndKeyInSeparateFiles: isSeparated } = options;
  return ok({ isPkcs12: contentType === PKCS12_TYPE && object.format !== "pfx", constructPemChain, isSeparated });
}

const PKCS12_HINT = "import the certificate into the vault again, with its whole chain and without a password, or set objectFormat: pfx";
const ROUNDS_HINT = "import the certificate with fewer iterations: programs take 2,048 to 10,000";

/** Returns the files of the parts, in the order of their suffixes. */
function filesOf(
  object: ObjectVersion,
  secret: VaultSecret,
  { parts, suffixes }: { readonly parts: readonly Result<Sensitive, DecodingProblem>[]; readonly suffixes: readonly string[] },
): Result<readonly ObjectFile[], ContentProblem> {
  const files: ObjectFile[] = [];
  for (const [index, part] of parts.entries()) {
    if (!part.ok) return problem(object, part.error.message, part.error.code === "TooManyRounds" ? ROUNDS_HINT : PKCS12_HINT);
    const decoded = decode(part.value, object);
    if (!decoded.ok) return decoded;
    files.push({ ...fileOf(object, secret, decoded.value), path: `${object.path}${suffixes[index] ?? ""}` });
  }
  return ok(files);
}

const WHOLE = [""];

/** Renders one secret of the vault on this thread. */
export function renderSecret(
  object: ObjectVersion,
  secret: VaultSecret,
  options: RenderOptions,
): Result<readonly ObjectFile[], ContentProblem> {
  const steps = stepsOf(object, secret, options);
  if (!steps.ok) return steps;
  if (steps.value === undefined) return filesOf(object, secret, { parts: [ok(secret.value)], suffixes: WHOLE });
  const wanted = steps.value;
  const parts = secret.value.split((value) => takeApart(value, wanted, options));
  return filesOf(object, secret, { parts, suffixes: suffixesOf(wanted) });
}

/** Splits the value of a certificate's secret on another thread. */
export type TakeApartElsewhere = (value: Uint8Array, steps: CertificateSteps) => Promise<Parts>;

/** Same as {@link renderSecret}, but does expensive splits and conversions on another thread. */
export async function renderSecretElsewhere(
  object: ObjectVersion,
  secret: VaultSecret,
  { options, takeApart: elsewhere }: { readonly options: RenderOptions; readonly takeApart: TakeApartElsewhere },
): Promise<Result<readonly ObjectFile[], ContentProblem>> {
  const steps = stepsOf(object, secret, options);
  if (!steps.ok) return steps;
  const wanted = steps.value;
  if (wanted === undefined || !(wanted.isPkcs12 || wanted.isSeparated)) return renderSecret(object, secret, options);
  const parts = await secret.value.splitElsewhere((value) => elsewhere(value, wanted));
  return filesOf(object, secret, { parts, suffixes: suffixesOf(wanted) });
}

/** Renders the public key as PEM. */
export function renderKey(object: ObjectVersion, key: VaultKey, { pki }: RenderOptions): Result<readonly ObjectFile[], ContentProblem> {
  const der = pki.encodePublicKey(key.jwk);
  if (!der.ok) return problem(object, der.error, "use an RSA key, or an EC key on P-256, P-384 or P-521");
  return ok([fileOf(object, key, new Sensitive(pemOf("PUBLIC KEY", der.value, pki)))]);
}

/** Renders only the certificate as PEM, without its chain and its key. */
export function renderCertificate(object: ObjectVersion, certificate: VaultCertificate, { pki }: RenderOptions): readonly ObjectFile[] {
  return [fileOf(object, certificate, new Sensitive(pemOf("CERTIFICATE", certificate.der, pki)))];
}

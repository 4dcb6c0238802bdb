import type { CertificateKeyIds } from "../domain/ports/pki.ts";
import { failed, ok, type Result } from "../domain/result.ts";
import { context, DerError, DerReader, OBJECT_IDENTIFIER, OCTET_STRING, objectIdentifier, sequence } from "./der.ts";

const SUBJECT_KEY_ID = "2.5.29.14";
const AUTHORITY_KEY_ID = "2.5.29.35";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function readExtension(extensions: DerReader): readonly [string, Uint8Array] {
  const extension = extensions.enter(sequence("extension"));
  const id = objectIdentifier(extension.next(OBJECT_IDENTIFIER));
  // There may be a flag between the two.
  const value = extension.optional(OCTET_STRING);
  if (value !== undefined) return [id, value.content];
  extension.any();
  return [id, extension.next(OCTET_STRING).content];
}

/** Returns the extensions of a certificate by their identifiers, RFC 5280. */
function extensionsOf(der: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const whole = new DerReader(der);
  const tbs = whole.enter(sequence("certificate")).enter(sequence("tbsCertificate"));
  if (!whole.isAtEnd) throw new DerError("x509: trailing data");
  const fields = tbs.each((field) => field.any());
  const wrapped = fields.find(({ classNumber, tag }) => classNumber === 2 && tag === 3);
  return new Map(wrapped === undefined ? [] : new DerReader(wrapped.content).enter(sequence("extensions")).each(readExtension));
}

function keyIdOf(authority: Uint8Array): string | undefined {
  const id = new DerReader(authority).enter(sequence("authKeyId")).optional(context(0, false));
  return id && hex(id.content);
}

/** Reads the identifiers that link a certificate to its issuer. */
export function readCertificate(der: Uint8Array): Result<CertificateKeyIds, string> {
  try {
    const extensions = extensionsOf(der);
    const subject = extensions.get(SUBJECT_KEY_ID);
    const authority = extensions.get(AUTHORITY_KEY_ID);
    return ok({
      subject: subject && hex(new DerReader(subject).next(OCTET_STRING).content),
      authority: authority && keyIdOf(authority),
    });
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return failed(error.message.startsWith("x509:") ? error.message : "x509: malformed certificate");
  }
}

import type { VaultSecret } from "../ports.ts";
import { objectFailure } from "../provider-class/object-rules.ts";
import type { SupportedObject } from "../provider-class/this-version.ts";
import { failed, ok, type Result } from "../result.ts";
import type { Sensitive } from "../sensitive.ts";
import { decodeBase64, decodeHex } from "./encodings.ts";

/** A file as the provider would mount it. */
export interface ObjectFile {
  /** Relative path: what `secretObjects[].data[].objectName` refers to. */
  readonly path: string;
  readonly contents: Sensitive;
  /** `type/name`: by the name in the vault, whatever the alias. */
  readonly objectId: string;
  /** Key Vault version id. */
  readonly version: string;
  /** Unix milliseconds. */
  readonly updated: number | undefined;
  readonly expires: number | undefined;
}

/** Why an object the vault handed out cannot be rendered. Never part of the value. */
export interface ContentProblem {
  readonly reason: "InvalidObject";
  readonly message: string;
  readonly objectId: string;
  readonly hint: string;
}

const DECODERS = { base64: decodeBase64, hex: decodeHex } as const;

function decode(contents: Sensitive, object: SupportedObject): Result<Sensitive, ContentProblem> {
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

/** How status, annotations and events name an object. */
export function objectIdOf({ type, name }: Pick<SupportedObject, "type" | "name">): string {
  return `${type}/${name}`;
}

/** The files of one secret of the vault. */
export function renderSecret(object: SupportedObject, secret: VaultSecret): Result<readonly ObjectFile[], ContentProblem> {
  if (secret.keyId !== undefined && secret.keyId !== "") {
    return failed({
      reason: "InvalidObject",
      message: objectFailure(object, "the secret belongs to a certificate, which is not supported by this version for synced Secrets"),
      objectId: objectIdOf(object),
      hint: "move the object to a class of its own that is only mounted",
    });
  }
  const contents = decode(secret.value, object);
  if (!contents.ok) return contents;
  const { version, updated, expires } = secret;
  return ok([{ path: object.path, contents: contents.value, objectId: objectIdOf(object), version, updated, expires }]);
}

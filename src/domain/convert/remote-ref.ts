/** Converts `remoteRef`, which names the object that an entry of an ExternalSecret fetches. */
import { nonEmptyText } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { call, type DraftObject, type DraftValue, fileOf } from "./class-draft.ts";
import { propertyPath, stepsOfGjson } from "./expression.ts";
import type { ConversionTrouble, FieldPath } from "./peer-object.ts";

export interface RemoteValue {
  readonly value: DraftValue;
  readonly warnings: readonly ConversionTrouble[];
}

const VAULT_NAME = /^[0-9A-Za-z-]{1,127}$/;

/** Whether an object in a vault can have the name. */
export function isVaultName(name: string): boolean {
  return VAULT_NAME.test(name);
}

export function vaultNameProblem(name: string): string {
  if (name === "") return "the name of the vault object is missing; write it";
  return `${quoted(name)} is not a valid name in a vault; use letters, digits, and dashes`;
}

function isTextIn(value: unknown, texts: readonly string[]): boolean {
  return value === undefined || value === null || (typeof value === "string" && texts.includes(value));
}

/** Returns the value that the operator writes into the key: the bytes in the vault, or the result of a property or a decoding. */
export function remoteValue(remoteRef: JsonObject, path: FieldPath): Result<RemoteValue, ConversionTrouble> {
  const at = (field: string, message: string): Result<never, ConversionTrouble> =>
    failed({ path: [...path, field], message: `${field}: ${message}` });
  const object = objectOf(nonEmptyText(remoteRef["key"]) ?? "");
  if (!object.ok) return at("key", object.error);
  if (!isTextIn(remoteRef["metadataPolicy"], ["", "None"]))
    return at("metadataPolicy", "tags are not fetched; store the text as a secret in the vault");
  if (!isTextIn(remoteRef["decodingStrategy"], ["", "None", "Base64"]))
    return at(
      "decodingStrategy",
      "the result depends on the stored value, and a class decodes only standard base64; store standard base64 and write Base64, or None",
    );
  const warnings = isTextIn(remoteRef["nullBytePolicy"], ["", "Ignore"])
    ? []
    : [{ path: [...path, "nullBytePolicy"], message: "nullBytePolicy: a class also writes values with NUL bytes" }];
  const isDecoded = remoteRef["decodingStrategy"] === "Base64";
  const version = nonEmptyText(remoteRef["version"]);
  const fetched: DraftObject = { ...object.value, ...(version === undefined ? {} : { version }) };
  const property = nonEmptyText(remoteRef["property"]);
  if (property === undefined) return ok({ value: fileOf(isDecoded ? { ...fetched, encoding: "base64" } : fetched), warnings });
  const steps = stepsOfGjson(property);
  if (!steps.ok) return at("property", `${steps.error}; write keys of secretData with the paths of the intended values`);
  const value = call("property", fileOf(fetched), propertyPath(steps.value));
  const isDotted = property.includes(".") && !property.includes("\\");
  const dotted = {
    path: [...path, "property"],
    message: `property: read as a path; write a name that contains a dot as ["${property}"]`,
  };
  return ok({ value: isDecoded ? call("base64decode", value) : value, warnings: isDotted ? [...warnings, dotted] : warnings });
}

/** Returns the object of a key. The prefix of the key is its type. */
function objectOf(key: string): Result<DraftObject, string> {
  const parts = key.split("/");
  const [type, name = ""] = parts.length > 1 ? parts : ["secret", key];
  if (type === "cert")
    return failed(
      "the operator writes the certificate as DER, but a class as PEM; name it as secret/<name>, with pkcs12cert in a template, or manually add an object with objectType: cert to the class",
    );
  if (type === "key")
    return failed(
      "the operator writes the key as a JSON Web Key, but a class as PEM; if PEM is acceptable, manually add an object with objectType: key to the class",
    );
  if (type !== "secret") return failed(`${quoted(type ?? "")} is not an object type; write secret/, or no prefix`);
  if (!isVaultName(name)) return failed(vaultNameProblem(name));
  // Same as the operator: base64 of PKCS#12 if the secret belongs to a certificate.
  return ok({ type: "secret", name, format: "pfx" });
}

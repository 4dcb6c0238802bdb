/** Step 12 of the provider's checks: one entry of `objects`. Each check is about one thing, and the first failure decides. */
import { failed, ok, type Result } from "../result.ts";
import type { RawObject } from "./objects-yaml.ts";
import type { ClassProblem } from "./problem.ts";

export type ObjectType = "secret" | "key" | "cert";
export type ObjectEncoding = "utf-8" | "hex" | "base64";
export type ObjectFormat = "pem" | "pfx";

/** A checked entry. */
export interface ClassObject {
  readonly type: ObjectType;
  /** Name in the vault. */
  readonly name: string;
  /** Undefined: the current version. */
  readonly version: string | undefined;
  /** Number of versions to fetch. Up to 1 means only one version, under the plain file name. */
  readonly history: number;
  /** Path of its file: the alias, otherwise the name. `secretObjects[].data[].objectName` refers to it. */
  readonly path: string;
  readonly format: ObjectFormat;
  readonly encoding: ObjectEncoding;
  /** Octal text as written; empty if the mount's default applies. Only for files in a mount. */
  readonly filePermission: string;
}

interface Violation {
  readonly key: keyof RawObject;
  readonly message: string;
  readonly hint: string;
  /** Whether the provider's message does not name the object. */
  readonly isBare?: boolean;
}

type Check = (object: RawObject) => Violation | undefined;

function pathOf({ objectAlias, objectName }: RawObject): string {
  return objectAlias === "" ? objectName : objectAlias;
}

const formatIsUnknown: Check = ({ objectFormat }) =>
  ["", "pem", "pfx"].includes(objectFormat.toLowerCase())
    ? undefined
    : { key: "objectFormat", message: `invalid objectFormat: ${objectFormat}, should be PEM or PFX`, hint: "write pem or pfx" };

/** The provider compares only with the lower-case spelling: it accepts and ignores `PFX` on a key. */
const formatIsForSecrets: Check = ({ objectFormat, objectType }) =>
  objectFormat === "pfx" && objectType !== "secret"
    ? { key: "objectFormat", message: "PFX format only supported for objectType: secret", hint: "remove it or set objectType: secret" }
    : undefined;

const encodingIsForSecrets: Check = ({ objectEncoding, objectType }) =>
  objectEncoding !== "" && objectType !== "secret"
    ? {
        key: "objectEncoding",
        message: "objectEncoding only supported for objectType: secret",
        hint: "remove it or set objectType: secret",
      }
    : undefined;

const encodingIsUnknown: Check = ({ objectEncoding }) =>
  ["", "hex", "base64", "utf-8"].includes(objectEncoding.toLowerCase())
    ? undefined
    : {
        key: "objectEncoding",
        message: `invalid objectEncoding: ${objectEncoding}, should be hex, base64 or utf-8`,
        hint: "write hex, base64 or utf-8",
      };

const fileNameIsBad: Check = (object) => {
  const key = object.objectAlias === "" ? "objectName" : "objectAlias";
  const path = pathOf(object);
  if (path === "") return { key, message: "file name must not be empty", hint: "set objectName to the name of the object in the vault" };
  if (path.startsWith("/")) return { key, message: "file name must be a relative path", hint: "remove the leading slash" };
  if (!path.includes("..")) return undefined;
  return { key, message: "file name must not contain '..'", hint: "give the file a name without two dots in a row" };
};

const checks: readonly Check[] = [formatIsUnknown, formatIsForSecrets, encodingIsForSecrets, encodingIsUnknown, fileNameIsBad];

/** Checks that the provider makes when it fetches, so after all other checks of all entries. */
const fetchChecks: readonly Check[] = [
  ({ objectType }) =>
    objectTypeOf(objectType)
      ? undefined
      : {
          key: "objectType",
          message: "Invalid vaultObjectTypes. Should be secret, key, or cert",
          hint: "write secret, key or cert, in lower case",
        },
  // An alias can hide a missing name until the provider calls the vault's client.
  ({ objectName, objectType, objectVersionHistory }) => {
    if (objectName !== "") return undefined;
    const parameter = objectType === "cert" ? "certificateName" : "name";
    const hint = "set objectName to the name of the object in the vault";
    return { key: "objectName", message: `parameter ${parameter} cannot be empty`, hint, isBare: objectVersionHistory > 1 };
  },
];

function objectTypeOf(text: string): ObjectType | undefined {
  return text === "secret" || text === "key" || text === "cert" ? text : undefined;
}

/** Names the object in an error like the provider. A missing version is an empty text. */
export function objectFailure(
  object: { readonly type: string; readonly name: string; readonly version: string | undefined },
  message: string,
): string {
  return `failed to get objectType:${object.type}, objectName:${object.name}, objectVersion:${object.version ?? ""}: ${message}`;
}

function firstViolation(raw: RawObject, index: number, chain: readonly Check[]): ClassProblem | undefined {
  for (const check of chain) {
    const violation = check(raw);
    if (!violation) continue;
    const named = { type: raw.objectType, name: raw.objectName, version: raw.objectVersion };
    const field = `spec.parameters.objects[${index}].${violation.key}`;
    const message = violation.isBare === true ? violation.message : objectFailure(named, violation.message);
    return { reason: "InvalidObject", message, field, hint: violation.hint };
  }
  return undefined;
}

/** Runs the checks that the provider makes before it checks the vault's name. */
export function objectViolation(raw: RawObject, index: number): ClassProblem | undefined {
  return firstViolation(raw, index, checks);
}

/** Runs the checks that the provider makes when it fetches, and narrows the entry if it passes. */
function narrowObject(raw: RawObject, index: number): Result<ClassObject, ClassProblem> {
  const problem = firstViolation(raw, index, fetchChecks);
  if (problem) return failed(problem);
  const encoding = raw.objectEncoding.toLowerCase();
  return ok({
    type: objectTypeOf(raw.objectType) ?? "secret",
    name: raw.objectName,
    version: raw.objectVersion === "" ? undefined : raw.objectVersion,
    history: raw.objectVersionHistory,
    path: pathOf(raw),
    format: raw.objectFormat.toLowerCase() === "pfx" ? "pfx" : "pem",
    encoding: encoding === "hex" || encoding === "base64" ? encoding : "utf-8",
    filePermission: raw.filePermission,
  });
}

/** Narrows all objects of a class, or returns the problem of the first that fails. */
export function narrowObjects(raw: readonly RawObject[]): Result<readonly ClassObject[], ClassProblem> {
  const objects: ClassObject[] = [];
  for (const [index, entry] of raw.entries()) {
    const narrowed = narrowObject(entry, index);
    if (!narrowed.ok) return narrowed;
    objects.push(narrowed.value);
  }
  return ok(objects);
}

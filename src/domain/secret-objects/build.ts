import type { ObjectFile } from "../content/object-file.ts";
import type { SecretObject } from "../kubernetes.ts";
import type { Pki } from "../ports/pki.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { failed, ok, type Result } from "../result.ts";
import type { Sensitive } from "../sensitive.ts";
import type { DesiredSecret, SecretObjectProblem, SecretOutcome } from "./desired-secret.ts";
import { driverViolation, furtherViolation } from "./rules.ts";
import { TLS_TYPE, tlsValue } from "./tls.ts";

/** The API server's limit on the values of one Secret together. */
export const MAX_SECRET_BYTES = 1_048_576;

const DATA_KEY = /^[-._a-zA-Z0-9]{1,253}$/;

type Entry = NonNullable<SecretObject["data"]>[number];
type Files = ReadonlyMap<string, ObjectFile>;

function invalid(field: string, message: string, hint: string): { readonly ok: false; readonly error: SecretObjectProblem } {
  return failed({ reason: "InvalidClass", field, message, hint });
}

function fileOf(
  entry: Entry,
  index: number,
  files: Files,
): Result<{ readonly key: string; readonly file: ObjectFile }, SecretObjectProblem> {
  const field = `data[${index}]`;
  const objectName = trimSpace(entry.objectName ?? "");
  const key = trimSpace(entry.key ?? "");
  if (objectName === "") {
    return invalid(
      `${field}.objectName`,
      "object name in secretObjects.data",
      "set objectName to the file name of an object: its alias, else its name",
    );
  }
  if (key === "") return invalid(`${field}.key`, "key in secretObjects.data is empty", "set it to the key to write in the Secret");
  const file = files.get(objectName);
  if (!file) {
    const known = [...files.keys()].join(", ");
    const message = `file matching objectName ${objectName} not found in the pod`;
    return invalid(`${field}.objectName`, message, known === "" ? "the class has no objects" : `the class has: ${known}`);
  }
  return ok({ key, file });
}

/** One value of the Secret, and the file that it is made from. */
interface Value {
  readonly file: ObjectFile;
  readonly contents: Sensitive;
}

function tlsValueOf(key: string, file: ObjectFile, pki: Pki): Result<Sensitive, string> {
  const value = file.contents.transform((bytes) => tlsValue(key, bytes, pki));
  return value.ok ? value : failed(`failed to get cert data from file ${file.path}, err: ${value.error}`);
}

function isValidKey(key: string): boolean {
  return DATA_KEY.test(key) && key !== "." && !key.startsWith("..");
}

interface ReadOptions {
  readonly isTls: boolean;
  readonly pki: Pki;
}

const TLS_HINT = "name an object of type secret that belongs to a certificate, with tls.crt or tls.key as the key";

function readData(
  entries: readonly Entry[],
  files: Files,
  { isTls, pki }: ReadOptions,
): Result<ReadonlyMap<string, Value>, SecretObjectProblem> {
  const values = new Map<string, Value>();
  for (const [index, entry] of entries.entries()) {
    const found = fileOf(entry, index, files);
    if (!found.ok) return found;
    const { key, file } = found.value;
    const contents = isTls ? tlsValueOf(key, file, pki) : ok(file.contents);
    if (!contents.ok) return failed({ reason: "InvalidObject", field: `data[${index}]`, message: contents.error, hint: TLS_HINT });
    // A repeated key: the later entry wins, as in the driver.
    values.set(key, { file, contents: contents.value });
  }
  return ok(values);
}

function keyProblem(entries: readonly Entry[]): SecretObjectProblem | undefined {
  const keys = entries.map(({ key = "" }) => trimSpace(key));
  const index = keys.findIndex((key) => !isValidKey(key));
  if (index < 0) return undefined;
  const message = `${JSON.stringify(keys[index])} is no valid key of a Secret`;
  return { reason: "InvalidClass", field: `data[${index}].key`, message, hint: "use letters, digits, -, _ and ." };
}

function sizeProblem(values: ReadonlyMap<string, Value>): SecretObjectProblem | undefined {
  const sizes = [...values].map(([key, { contents }]) => ({ key, bytes: contents.byteLength }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= MAX_SECRET_BYTES) return undefined;
  const biggest = sizes.reduce((most, size) => (size.bytes > most.bytes ? size : most));
  return {
    reason: "TooLarge",
    field: "data",
    message: `data has ${total} bytes, a Secret takes ${MAX_SECRET_BYTES}; the biggest entry is ${biggest.key} with ${biggest.bytes}`,
    hint: "move entries to another secretObject",
  };
}

interface BuildOptions {
  readonly files: Files;
  readonly pki: Pki;
  readonly shared: SecretObjectProblem | undefined;
}

/** A type of nothing but spaces passes the driver's check and is then the default. */
const DEFAULT_TYPE = "Opaque";

/** `shared`: that another secretObject has the same name. It waits until the driver has no complaint. */
function buildSecret(object: SecretObject, { files, pki, shared }: BuildOptions): Result<DesiredSecret, SecretObjectProblem> {
  const violation = driverViolation(object);
  if (violation) return failed(violation);
  const type = trimSpace(object.type ?? "") || DEFAULT_TYPE;
  const read = readData(object.data ?? [], files, { isTls: type === TLS_TYPE, pki });
  if (!read.ok) return read;
  const problem = shared ?? furtherViolation(object) ?? keyProblem(object.data ?? []) ?? sizeProblem(read.value);
  if (problem) return failed(problem);
  const values = [...read.value];
  return ok({
    name: trimSpace(object.secretName ?? ""),
    type,
    labels: object.labels ?? {},
    annotations: object.annotations ?? {},
    data: new Map(values.map(([key, { contents }]) => [key, contents])),
    sources: new Map(values.map(([key, { file }]) => [key, file])),
    objects: [...new Set(values.map(([, { file }]) => `${file.objectId}@${file.version}`))].sort(),
  });
}

/** Positions of the secretObjects that share each name. */
function positionsByName(objects: readonly SecretObject[]): ReadonlyMap<string, readonly number[]> {
  const positions = new Map<string, number[]>();
  for (const [index, { secretName = "" }] of objects.entries()) {
    const name = trimSpace(secretName);
    const known = positions.get(name);
    if (known) known.push(index);
    else positions.set(name, [index]);
  }
  return positions;
}

function sharedName(name: string, positions: readonly number[]): SecretObjectProblem | undefined {
  if (name === "" || positions.length < 2) return undefined;
  return {
    reason: "InvalidClass",
    field: "secretName",
    message: `secretObjects ${positions.join(" and ")} name the same Secret ${name}`,
    hint: "merge them into one secretObject, or give each its own secretName",
  };
}

/**
 * One outcome per secretObject, in their order. `files` are those of the class: of two with the same path the later
 * one counts, as on a mount.
 */
export function buildSecrets(objects: readonly SecretObject[], files: readonly ObjectFile[], pki: Pki): readonly SecretOutcome[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const positions = positionsByName(objects);
  return objects.map((object, index): SecretOutcome => {
    const name = trimSpace(object.secretName ?? "");
    const shared = sharedName(name, positions.get(name) ?? []);
    const built = buildSecret(object, { files: byPath, pki, shared });
    if (built.ok) return { kind: "desired", secret: built.value };
    return { kind: "refused", name, problem: { ...built.error, field: `spec.secretObjects[${index}].${built.error.field}` } };
  });
}

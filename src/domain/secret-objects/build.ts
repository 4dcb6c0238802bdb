import type { ObjectFile } from "../content/object-file.ts";
import { DerivationBudget } from "../derivation-budget.ts";
import { type DecodingProblem, type Pki, undecodable } from "../ports/pki.ts";
import { trimSpace } from "../provider-class/go-text.ts";
import { failed, ok, type Result } from "../result.ts";
import { type DataEntry, entryKey, filesOfEntry, type SecretObjectEntries } from "../secret-data/data-entries.ts";
import { evaluateAll } from "../secret-data/evaluate.ts";
import type { ReadExpression } from "../secret-data/expression.ts";
import { NOT_MADE, wantedExpressions } from "../secret-data/wanted-expressions.ts";
import { Sensitive } from "../sensitive.ts";
import type { DesiredSecret, SecretObjectProblem, SecretOutcome } from "./desired-secret.ts";
import { expressionField, expressionViolation, placeOf } from "./expression-problem.ts";
import { driverViolation, furtherViolation, keyViolation } from "./rules.ts";
import { isTlsKey, partFor, TLS_TYPE, tlsParts } from "./tls.ts";

/** The API server's limit for the values of one Secret together. */
export const MAX_SECRET_BYTES = 1_048_576;

/** Maximum number of files that a message names. A class may have thousands of files, and a message for each of its entries. */
const MOST_NAMES = 10;

type Files = ReadonlyMap<string, ObjectFile>;

function invalid(field: string, message: string, hint: string): { readonly ok: false; readonly error: SecretObjectProblem } {
  return failed({ reason: "InvalidClass", field, message, hint });
}

function namesOf(files: Files): string {
  if (files.size === 0) return "the class has no objects";
  const rest = files.size > MOST_NAMES ? ` and ${files.size - MOST_NAMES} more` : "";
  return `the class has: ${[...files.keys()].slice(0, MOST_NAMES).join(", ")}${rest}`;
}

interface Made {
  readonly key: string;
  readonly files: readonly ObjectFile[];
}

function filesOf(entry: DataEntry, index: number, files: Files): Result<Made, SecretObjectProblem> {
  const field = `data[${index}]`;
  const key = entryKey(entry);
  if (trimSpace(entry.objectName ?? "") === "") {
    return invalid(
      `${field}.objectName`,
      "object name in secretObjects.data",
      "set objectName to the file name of an object: its alias, or otherwise its name",
    );
  }
  if (key === "") return invalid(`${field}.key`, "key in secretObjects.data is empty", "set it to the key to write in the Secret");
  const names = filesOfEntry(entry);
  const missing = names.find((name) => !files.has(name));
  if (missing !== undefined) {
    const message = `file matching objectName ${missing} not found in the pod`;
    return failed({ reason: "InvalidClass", field: `${field}.objectName`, message, hint: namesOf(files), isFileMissing: true });
  }
  return ok({ key, files: names.flatMap((name) => files.get(name) ?? []) });
}

/** One value of the Secret, and the files from which it is made. */
interface Value {
  readonly files: readonly ObjectFile[];
  readonly contents: Sensitive;
}

/** Returns certificates and key of a file for a Secret of type kubernetes.io/tls. */
export type TlsPartsOf = (file: ObjectFile) => readonly Result<Sensitive, DecodingProblem>[];

function tlsValueOf(key: string, file: ObjectFile, partsOf: TlsPartsOf): Result<Sensitive, DecodingProblem> {
  const value = partFor(key, () => partsOf(file));
  if (value.ok) return value;
  const { code, message } = value.error;
  return failed({ code, message: `failed to get cert data from file ${file.path}, err: ${message}` });
}

/** Sources of the values that are not an unchanged file. */
export interface ValueSources {
  readonly partsOf: TlsPartsOf;
  readonly valueOf: (expression: ReadExpression) => Result<Sensitive, DecodingProblem>;
}

interface ReadOptions extends ValueSources {
  readonly object: SecretObjectEntries;
  readonly isTls: boolean;
}

const TLS_HINT = "name an object of type secret that belongs to a certificate, with tls.crt or tls.key as the key";

function tlsHint({ code }: DecodingProblem, { objectId }: ObjectFile): string {
  return code === "TooManyRounds" ? `store ${objectId} with fewer iterations: programs take 2,048 to 10,000` : TLS_HINT;
}

function readData(
  entries: readonly DataEntry[],
  files: Files,
  options: ReadOptions,
): Result<ReadonlyMap<string, Value>, SecretObjectProblem> {
  const values = new Map<string, Value>();
  for (const [index, entry] of entries.entries()) {
    const found = filesOf(entry, index, files);
    if (!found.ok) return found;
    const { expression } = entry;
    const contents = expression?.ok ? madeValue(entry, expression.value, options) : fileValue(found.value, index, options);
    if (!contents.ok) return contents;
    // The later of two entries with the same key takes precedence, as in the driver.
    values.set(found.value.key, { files: found.value.files, contents: contents.value });
  }
  return ok(values);
}

function fileValue({ key, files }: Made, index: number, { isTls, partsOf }: ReadOptions): Result<Sensitive, SecretObjectProblem> {
  const [file] = files;
  if (file === undefined) throw new Error("an entry without an expression has a file");
  const contents = isTls ? tlsValueOf(key, file, partsOf) : ok(file.contents);
  if (contents.ok) return contents;
  const { error } = contents;
  return failed({ reason: "InvalidObject", field: `data[${index}]`, message: error.message, hint: tlsHint(error, file) });
}

function madeValue(entry: DataEntry, expression: ReadExpression, { object, valueOf }: ReadOptions): Result<Sensitive, SecretObjectProblem> {
  const value = valueOf(expression);
  if (value.ok) return value;
  const hint = "correct the expression, or the object in the vault";
  return failed({ reason: "InvalidObject", field: expressionField(object, entry), message: value.error.message, hint });
}

function sizeProblem(values: ReadonlyMap<string, Value>): SecretObjectProblem | undefined {
  const sizes = [...values].map(([key, { contents }]) => ({ key, bytes: contents.byteLength }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= MAX_SECRET_BYTES) return undefined;
  const biggest = sizes.reduce((most, size) => (size.bytes > most.bytes ? size : most));
  return {
    reason: "TooLarge",
    field: "data",
    message: `data has ${total} bytes, but a Secret can have ${MAX_SECRET_BYTES}; the largest entry is ${biggest.key} with ${biggest.bytes}`,
    hint: "move entries to another secretObject",
  };
}

interface BuildOptions extends ValueSources {
  readonly files: Files;
  readonly shared: SecretObjectProblem | undefined;
}

/** A type that consists only of whitespace passes the driver's check, and then means the default. */
const DEFAULT_TYPE = "Opaque";

const typeOf = ({ type = "" }: SecretObjectEntries): string => trimSpace(type) || DEFAULT_TYPE;

/** Builds one Secret. `shared` is the problem that another secretObject has the same name. Problems that the driver finds come first. */
function buildSecret(object: SecretObjectEntries, { files, shared, ...sources }: BuildOptions): Result<DesiredSecret, SecretObjectProblem> {
  const violation = driverViolation(object) ?? expressionViolation(object);
  if (violation) return failed(violation);
  const type = typeOf(object);
  const read = readData(object.data ?? [], files, { ...sources, object, isTls: type === TLS_TYPE });
  if (!read.ok) return read;
  const problem = shared ?? furtherViolation(object) ?? keyViolation(object) ?? sizeProblem(read.value);
  if (problem) return failed(problem);
  const values = [...read.value];
  return ok({
    name: trimSpace(object.secretName ?? ""),
    type,
    labels: object.labels ?? {},
    annotations: object.annotations ?? {},
    data: new Map(values.map(([key, { contents }]) => [key, contents])),
    sources: new Map(values.map(([key, made]) => [key, made.files])),
    objects: [...new Set(values.flatMap(([, made]) => made.files.map(({ objectId, version }) => `${objectId}@${version}`)))].sort(),
  });
}

/** Returns the positions of the secretObjects by name. */
function positionsByName(objects: readonly SecretObjectEntries[]): ReadonlyMap<string, readonly number[]> {
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

/** The later of two files with the same path counts, as in a mount. */
const byPath = (files: readonly ObjectFile[]): Files => new Map(files.map((file) => [file.path, file]));

/** Returns the files from which certificates or a key are needed, each content once. */
export function tlsFiles(objects: readonly SecretObjectEntries[], files: readonly ObjectFile[]): readonly ObjectFile[] {
  const known = byPath(files);
  const entries = objects.filter((object) => typeOf(object) === TLS_TYPE).flatMap(({ data = [] }) => data);
  const decoded = entries.filter((entry) => isTlsKey(entryKey(entry)) && entry.expression === undefined);
  const wanted = decoded.map(({ objectName = "" }) => known.get(trimSpace(objectName)));
  const byContents = new Map(wanted.flatMap((file) => (file === undefined ? [] : [[file.contents, file] as const])));
  return [...byContents.values()];
}

/**
 * Returns one outcome per secretObject, in their order. `files` are the files of the class. The later of two files with the same path
 * counts, as in a mount.
 */
export function buildSecretsFrom(
  objects: readonly SecretObjectEntries[],
  files: readonly ObjectFile[],
  sources: ValueSources,
): readonly SecretOutcome[] {
  const known = byPath(files);
  const positions = positionsByName(objects);
  return objects.map((object, index): SecretOutcome => {
    const name = trimSpace(object.secretName ?? "");
    const shared = sharedName(name, positions.get(name) ?? []);
    const built = buildSecret(object, { ...sources, files: known, shared });
    if (built.ok) return { kind: "desired", secret: built.value };
    return { kind: "refused", name, problem: { ...built.error, field: placeOf(index, built.error.field) } };
  });
}

/** The results of {@link buildSecrets} are never stored, so they need no secret key. */
const NO_SALT = new Uint8Array(32);

/** Same as {@link buildSecretsFrom}, but decodes everything on this thread, each content once. */
export function buildSecrets(objects: readonly SecretObjectEntries[], files: readonly ObjectFile[], pki: Pki): readonly SecretOutcome[] {
  const budget = new DerivationBudget();
  const decoded = new Map<Sensitive, ReturnType<TlsPartsOf>>();
  const partsOf: TlsPartsOf = ({ contents }) => {
    const parts = decoded.get(contents) ?? contents.split((bytes) => tlsParts(bytes, { pki, budget }));
    decoded.set(contents, parts);
    return parts;
  };
  const made = new Map<ReadExpression, Result<Sensitive, DecodingProblem>>();
  for (const object of objects) {
    const wanted = wantedExpressions(object, files);
    const values = Sensitive.combine(wanted.files, (bytes) =>
      evaluateAll(
        wanted.expressions.map(({ text }) => text),
        { files: bytes, pki, budget, saltKey: NO_SALT },
      ),
    );
    for (const [index, expression] of wanted.expressions.entries()) made.set(expression, values[index] ?? undecodable(NOT_MADE));
  }
  return buildSecretsFrom(objects, files, { partsOf, valueOf: (expression) => made.get(expression) ?? undecodable(NOT_MADE) });
}

import { type ContentProblem, type ObjectFile, objectIdOf } from "../../domain/content/object-file.ts";
import { type RenderOptions, renderCertificate, renderKey, renderSecret } from "../../domain/content/render.ts";
import {
  countVersions,
  findByFile,
  hasHistory,
  type ObjectVersion,
  selectVersions,
  unlistedVersion,
} from "../../domain/content/version-history.ts";
import type { ObjectReader } from "../../domain/ports/vault-client.ts";
import { VaultError, type VaultWords } from "../../domain/ports/vault-error.ts";
import type { VaultObjectKind, VaultVersion } from "../../domain/ports/vault-object.ts";
import { MAX_VALUE_BYTES, MAX_VERSIONS } from "../../domain/provider-class/class-limits.ts";
import { type ClassObject, objectFailure } from "../../domain/provider-class/object-rules.ts";
import { vaultReason } from "../../domain/reasons.ts";
import { failed, ok, type Result } from "../../domain/result.ts";
import { WeakCache } from "../../domain/weak-cache.ts";
import type { ClassContent } from "./class-content.ts";
import type { ObjectFailure } from "./object-refusals.ts";
import { versionCacheKey } from "./object-version-cache.ts";
import { KINDS } from "./vault-listings.ts";

/** Number of objects of one class to request at a time: all classes share the budget of a vault. */
const AT_A_TIME = 4;

export interface Fetched {
  readonly files: readonly ObjectFile[];
  /** One for each object that produced no file. */
  readonly failures: readonly ObjectFailure[];
}

/** If the fetch is cut short because there is no room for the values, it has neither files nor failures. */
export interface FetchedInRoom extends Fetched {
  readonly isCutShort: boolean;
}

export interface FetchOptions {
  readonly client: ObjectReader;
  readonly render: RenderOptions;
  /** Decodes beside the caller's own thread. Default: on the caller's thread. */
  readonly content?: ClassContent | undefined;
  /** Whether the class may have this many bytes of values in total. Default: it may. */
  readonly hasRoom?: (bytes: number) => boolean;
}

/** Versions and bytes that the class may still have; none if `isCutShort`. */
interface Room {
  versions: number;
  bytes: number;
  isCutShort: boolean;
}

/** Returns the files of a class, in the order of its objects. One object that fails does not stop the others. */
export async function fetchObjects(options: FetchOptions, objects: readonly ClassObject[], signal: AbortSignal): Promise<FetchedInRoom> {
  const files: ObjectFile[] = [];
  const failures: ObjectFailure[] = [];
  const room = { versions: MAX_VERSIONS, bytes: MAX_VALUE_BYTES, isCutShort: false };
  const client = askingOnce(options.client, objects);
  for (let index = 0; index < objects.length; index += AT_A_TIME) {
    const batch = objects.slice(index, index + AT_A_TIME).map((object) => fetchObject({ ...options, client, room }, object, signal));
    // Waits until all have ended, even if one rejects: the memory that they take is accounted to the class's reconcile, so they must not
    // outlast it.
    const settled = await Promise.allSettled(batch.map((fetched) => endWith(fetched, room)));
    const results = settled.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
    if (room.isCutShort) return { files: [], failures: [], isCutShort: true };
    for (const result of results) {
      if (result.ok) files.push(...result.value);
      else failures.push(result.error);
    }
  }
  return { files, failures, isCutShort: false };
}

/**
 * Returns a reader for one fetch of a class, which sends each request once even if several objects of the class need its answer. Otherwise,
 * if an object is rotated between two answers, a Secret would contain two versions of it.
 */
function askingOnce(client: ObjectReader, objects: readonly ClassObject[]): ObjectReader {
  const askers = Map.groupBy(objects, (object) =>
    hasHistory(object) ? historyQuestion(KINDS[object.type], object.name) : versionCacheKey(object),
  );
  const answers = new Map<string, Promise<unknown>>();
  const once = <T>(question: string, ask: () => Promise<T>): Promise<T> => {
    if ((askers.get(question)?.length ?? 0) < 2) return ask();
    // The same question always has this type of answer.
    const answer = (answers.get(question) ?? ask()) as Promise<T>;
    answers.set(question, answer);
    return answer;
  };
  return {
    getSecret: (name, version, signal) =>
      once(versionCacheKey({ type: "secret", name, version }), () => client.getSecret(name, version, signal)),
    getKey: (name, version, signal) => once(versionCacheKey({ type: "key", name, version }), () => client.getKey(name, version, signal)),
    getCertificate: (name, version, signal) =>
      once(versionCacheKey({ type: "cert", name, version }), () => client.getCertificate(name, version, signal)),
    listVersions: async function* (kind, name, signal) {
      yield* await once(historyQuestion(kind, name), () => Array.fromAsync(client.listVersions(kind, name, signal)));
    },
  };
}

function historyQuestion(kind: VaultObjectKind, name: string): string {
  return `versions of ${kind}/${name.toLowerCase()}`;
}

/** Cuts the fetch short if the promise rejects: that is not the failure of one object, so the class needs no others. */
async function endWith<T>(fetched: Promise<T>, room: Room): Promise<T> {
  try {
    return await fetched;
  } catch (error) {
    room.isCutShort = true;
    throw error;
  }
}

const byFile = new WeakCache<readonly ObjectFailure[], (fileName: string) => ObjectFailure | undefined>();

/** Returns the first failure that leaves a secretObject without the file. */
export function failureOfFile(failures: readonly ObjectFailure[], fileName: string): ObjectFailure | undefined {
  return byFile.getOrCreate(failures, () => findByFile(failures, ({ object }) => object))(fileName);
}

const byPath = new WeakCache<readonly ObjectFile[], ReadonlyMap<string, ObjectFile>>();

/** Returns the file with the path; of two such files the later one, as in a mount. */
export function fileNamed(files: readonly ObjectFile[], path: string): ObjectFile | undefined {
  return byPath.getOrCreate(files, () => new Map(files.map((file) => [file.path, file]))).get(path);
}

type Files = Result<readonly ObjectFile[], ObjectFailure>;

type InRoom = FetchOptions & { readonly room: Room };

async function fetchObject(options: InRoom, object: ClassObject, signal: AbortSignal): Promise<Files> {
  const { client, room } = options;
  let asked: ObjectVersion | undefined;
  try {
    const files: ObjectFile[] = [];
    const versions = await takeVersions({ client, room }, object, signal);
    if (versions === undefined) return failed(tooManyVersions(object));
    for (const version of versions) {
      if (room.isCutShort) return ok([]);
      asked = version;
      const rendered = await fetchVersion(options, version, signal);
      if (!rendered.ok) return failed(contentFailure(object, rendered.error));
      const bytes = rendered.value.reduce((sum, { contents }) => sum + contents.byteLength, 0);
      if (bytes > room.bytes) return failed(tooManyBytes(object));
      room.bytes -= bytes;
      room.isCutShort ||= options.hasRoom?.(MAX_VALUE_BYTES - room.bytes) === false;
      if (room.isCutShort) return ok([]);
      files.push(...rendered.value);
    }
    return ok(files);
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return failed(refusedObject(object, error, asked));
  }
}

/** Returns the failure of a refused object. `asked`: the requested version; undefined if the vault refused the list of versions. */
export function refusedObject(object: ClassObject, error: VaultWords, asked: ObjectVersion | undefined): ObjectFailure {
  const { code, retry, origin, serviceCode } = error;
  return { object, reason: vaultReason(code), message: vaultFailure(error, object, asked), retry, origin, serviceCode };
}

/**
 * Returns the versions to fetch, and takes their room as soon as they are counted. Returns undefined if the class may not have that many
 * more versions; the fetch then makes no file of the object.
 */
async function takeVersions(
  { client, room }: Pick<InRoom, "client" | "room">,
  object: ClassObject,
  signal: AbortSignal,
): Promise<readonly ObjectVersion[] | undefined> {
  const listed = hasHistory(object) ? await listVersions(client, object, signal) : undefined;
  const count = listed === undefined || listed.length === 0 ? 1 : countVersions(object, listed);
  if (count > room.versions) return undefined;
  room.versions -= count;
  if (listed === undefined) return [{ ...object, index: undefined }];
  return listed.length === 0 ? [unlistedVersion(object)] : selectVersions(object, listed);
}

export async function listVersions(
  client: ObjectReader,
  { type, name }: ClassObject,
  signal: AbortSignal,
): Promise<readonly VaultVersion[]> {
  const pages = await Array.fromAsync(client.listVersions(KINDS[type], name, signal));
  const [first = []] = pages;
  // A single page is returned as it is: other readers of the same object have the same array, and its sorted versions are cached by it.
  return pages.length <= 1 ? first : pages.flat();
}

async function fetchVersion(
  { client, render, content }: FetchOptions,
  object: ObjectVersion,
  signal: AbortSignal,
): Promise<Result<readonly ObjectFile[], ContentProblem>> {
  const { type, name, version } = object;
  switch (type) {
    case "secret": {
      const secret = await client.getSecret(name, version, signal);
      return content === undefined
        ? renderSecret(object, secret, render)
        : content.renderSecret(object, secret, { options: render, signal });
    }
    case "key":
      return renderKey(object, await client.getKey(name, version, signal), render);
    case "cert":
      return ok(renderCertificate(object, await client.getCertificate(name, version, signal), render));
  }
}

/**
 * Words a failure as the provider does: it names the object of a failed read, but not that of a failed list, nor that of an answer that
 * lacks a part. The worker adds the object's id in the last case.
 */
function vaultFailure({ message, providerText }: VaultWords, object: ClassObject, asked: ObjectVersion | undefined): string {
  if (providerText !== undefined) return `${providerText} (${objectIdOf(asked ?? object)}: ${message})`;
  return asked === undefined ? message : objectFailure(asked, message);
}

function tooManyVersions(object: ClassObject): ObjectFailure {
  const message = `${objectIdOf(object)}: its versions exceed the ${MAX_VERSIONS} that a class can have in total; lower objectVersionHistory`;
  return { object, reason: "InvalidClass", message, retry: { kind: "never" } };
}

function tooManyBytes(object: ClassObject): ObjectFailure {
  const message = `${objectIdOf(object)}: with it, the values of the class's objects exceed ${MAX_VALUE_BYTES} bytes; spread them over several classes`;
  return { object, reason: "TooLarge", message, retry: { kind: "never" } };
}

function contentFailure(object: ClassObject, { reason, message, objectId, hint }: ContentProblem): ObjectFailure {
  return { object, reason, message: `${message} (${objectId}: ${hint})`, retry: { kind: "never" } };
}

/** Selects the object versions to fetch, and names their files. */
import type { VaultVersion } from "../ports/vault-object.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";
import { WeakCache } from "../weak-cache.ts";

/** One version of an object, before its files are rendered. */
export interface ObjectVersion extends ClassObject {
  /** Index in the history, 0 for the first; undefined for an object without a history. */
  readonly index: number | undefined;
}

export function hasHistory({ history }: ClassObject): boolean {
  return history > 1;
}

/** Returns the name of a folder as Go's `filepath.Join` writes it. */
function folderOf(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  return segments.join("/");
}

function fileInHistory(path: string, index: number): string {
  const folder = folderOf(path);
  return folder === "" ? String(index) : `${folder}/${index}`;
}

const enabledVersions = new WeakCache<readonly VaultVersion[], readonly VaultVersion[]>();

/** Returns the enabled versions, newest first. Sorts each list once, because many objects of a class may name the same vault object. */
function newestFirst(listed: readonly VaultVersion[]): readonly VaultVersion[] {
  return enabledVersions.getOrCreate(listed, () => listed.filter(({ isEnabled }) => isEnabled).sort((a, b) => b.created - a.created));
}

function chosenVersions(object: ClassObject, listed: readonly VaultVersion[]): readonly VaultVersion[] {
  const enabled = newestFirst(listed);
  const isNewest = object.version === undefined || object.version === "latest";
  const first = isNewest ? 0 : enabled.findIndex(({ version }) => version === object.version);
  return first < 0 ? [] : enabled.slice(first, first + object.history + 1);
}

/** Number of versions that {@link selectVersions} returns. */
export function countVersions(object: ClassObject, listed: readonly VaultVersion[]): number {
  return chosenVersions(object, listed).length;
}

/**
 * Returns versions, newest first, starting at the named version. Returns nothing if the list does not contain that version. Like the
 * provider, it returns one version more than `objectVersionHistory` states. It skips disabled versions, but not expired ones.
 */
export function selectVersions(object: ClassObject, listed: readonly VaultVersion[]): readonly ObjectVersion[] {
  return chosenVersions(object, listed).map(({ version }, index) => ({
    ...object,
    version,
    path: fileInHistory(object.path, index),
    index,
  }));
}

/** Removes the suffix of a certificate's `.crt` or `.key` file. */
export function stemOf(fileName: string): string {
  return fileName.endsWith(".crt") || fileName.endsWith(".key") ? fileName.slice(0, -4) : fileName;
}

/** Index in a history, without leading zeros: `07` does not match. */
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** Returns the folder of the history that may contain the file. */
function historyOf(stem: string): string | undefined {
  const slash = stem.lastIndexOf("/");
  // No path starts with a slash.
  return slash !== 0 && INDEX.test(stem.slice(slash + 1)) ? stem.slice(0, Math.max(slash, 0)) : undefined;
}

const folders = new WeakCache<ClassObject, string>();

/**
 * Returns the version to request if the vault lists none. The vault lists no versions of a missing object, and reports the missing object
 * only to a request for the object itself. The request names the stated version, or the current one, which is the whole history if the list
 * is not up to date yet.
 */
export function unlistedVersion(object: ClassObject): ObjectVersion {
  const version = object.version === "latest" ? undefined : object.version;
  return { ...object, version, path: fileInHistory(object.path, 0), index: 0 };
}

/** Whether the object creates, or would create, the file that a secretObject names. */
export function makesFile(object: ClassObject, fileName: string): boolean {
  if (!hasHistory(object)) return object.path === fileName || object.path === stemOf(fileName);
  // The caller may check every object of a class against every entry.
  return historyOf(stemOf(fileName)) === folders.getOrCreate(object, () => folderOf(object.path));
}

/**
 * Returns a function that finds the first entry whose object creates, or would create, a file. Each search is fast, however many entries
 * there are.
 */
export function findByFile<T>(entries: readonly T[], objectOf: (entry: T) => ClassObject): (fileName: string) => T | undefined {
  const byPath = new Map<string, number>();
  const byFolder = new Map<string, number>();
  for (const [index, entry] of entries.entries()) {
    const object = objectOf(entry);
    const [known, name] = hasHistory(object) ? [byFolder, folderOf(object.path)] : [byPath, object.path];
    if (!known.has(name)) known.set(name, index);
  }
  return (fileName) => {
    const stem = stemOf(fileName);
    const folder = historyOf(stem);
    const ofHistory = folder === undefined ? undefined : byFolder.get(folder);
    const found = [byPath.get(fileName), byPath.get(stem), ofHistory].filter((index) => index !== undefined);
    return found.length === 0 ? undefined : entries[Math.min(...found)];
  };
}

/**
 * Returns a function that reports whether an object creates, or would create, any of the files. Each check is fast, however many files
 * there are.
 */
export function isMakerOf(fileNames: readonly string[]): (object: ClassObject) => boolean {
  const paths = new Set(fileNames.flatMap((fileName) => [fileName, stemOf(fileName)]));
  const histories = new Set(fileNames.map((fileName) => historyOf(stemOf(fileName))));
  return (object) => (hasHistory(object) ? histories.has(folderOf(object.path)) : paths.has(object.path));
}

/** Returns a function that reports whether any of the objects creates, or would create, the file that a secretObject names. */
export function fileNamesOf(objects: readonly ClassObject[]): (fileName: string) => boolean {
  const find = findByFile(objects, (object) => object);
  return (fileName) => find(fileName) !== undefined;
}

/** Which versions of an object are fetched, and under which file names. */
import type { VaultVersion } from "../ports/vault-object.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";
import { WeakCache } from "../weak-cache.ts";

/** One version of an object on its way to its files. */
export interface ObjectVersion extends ClassObject {
  /** Place in the history, 0 for the first; undefined for an object without one. */
  readonly index: number | undefined;
}

export function hasHistory({ history }: ClassObject): boolean {
  return history > 1;
}

/** The name of a folder the way Go's `filepath.Join` writes it. */
function folderOf(path: string): string {
  const segments = path.split("/").filter((segment) => segment !== "" && segment !== ".");
  return segments.join("/");
}

function fileInHistory(path: string, index: number): string {
  const folder = folderOf(path);
  return folder === "" ? String(index) : `${folder}/${index}`;
}

const enabledVersions = new WeakCache<readonly VaultVersion[], readonly VaultVersion[]>();

/** Newest first, sorted once for a list: many objects of a class may name the same one. */
function newestFirst(listed: readonly VaultVersion[]): readonly VaultVersion[] {
  return enabledVersions.getOrCreate(listed, () => listed.filter(({ isEnabled }) => isEnabled).sort((a, b) => b.created - a.created));
}

function chosenVersions(object: ClassObject, listed: readonly VaultVersion[]): readonly VaultVersion[] {
  const enabled = newestFirst(listed);
  const isNewest = object.version === undefined || object.version === "latest";
  const first = isNewest ? 0 : enabled.findIndex(({ version }) => version === object.version);
  return first < 0 ? [] : enabled.slice(first, first + object.history + 1);
}

/** How many {@link selectVersions} gives. */
export function countVersions(object: ClassObject, listed: readonly VaultVersion[]): number {
  return chosenVersions(object, listed).length;
}

/**
 * Newest first, from the named version on; a name that is not in the list gives nothing. Like the provider, it gives one
 * version more than `objectVersionHistory` says; disabled versions are skipped, expired ones are not.
 */
export function selectVersions(object: ClassObject, listed: readonly VaultVersion[]): readonly ObjectVersion[] {
  return chosenVersions(object, listed).map(({ version }, index) => ({
    ...object,
    version,
    path: fileInHistory(object.path, index),
    index,
  }));
}

/** Without the ending of one half of a certificate. */
export function stemOf(fileName: string): string {
  return fileName.endsWith(".crt") || fileName.endsWith(".key") ? fileName.slice(0, -4) : fileName;
}

/** A place in a history, as a number is written: `07` is none. */
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** The folder of the history that a file name may be of. */
function historyOf(stem: string): string | undefined {
  const slash = stem.lastIndexOf("/");
  // No path of ours begins with a slash.
  return slash !== 0 && INDEX.test(stem.slice(slash + 1)) ? stem.slice(0, Math.max(slash, 0)) : undefined;
}

const folders = new WeakCache<ClassObject, string>();

/**
 * A vault lists no versions of an object that it does not have, and says so only to who asks for the object: as it is named, or the current
 * version, which is the whole history where the list has not got it yet.
 */
export function unlistedVersion(object: ClassObject): ObjectVersion {
  const version = object.version === "latest" ? undefined : object.version;
  return { ...object, version, path: fileInHistory(object.path, 0), index: 0 };
}

/** Whether `fileName`, as a secretObject writes it, is a file that the object makes, or would make. */
export function makesFile(object: ClassObject, fileName: string): boolean {
  if (!hasHistory(object)) return object.path === fileName || object.path === stemOf(fileName);
  // A class may be asked this for each of its objects and each of its entries.
  return historyOf(stemOf(fileName)) === folders.getOrCreate(object, () => folderOf(object.path));
}

/** The first of the entries whose object makes, or would make, a file: found at once, however many there are. */
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

/** Whether an object makes, or would make, any of the files: found at once, however many there are. */
export function isMakerOf(fileNames: readonly string[]): (object: ClassObject) => boolean {
  const paths = new Set(fileNames.flatMap((fileName) => [fileName, stemOf(fileName)]));
  const histories = new Set(fileNames.map((fileName) => historyOf(stemOf(fileName))));
  return (object) => (hasHistory(object) ? histories.has(folderOf(object.path)) : paths.has(object.path));
}

/** Whether a file name, as a secretObject writes it, is one that any of the objects makes, or would make. */
export function fileNamesOf(objects: readonly ClassObject[]): (fileName: string) => boolean {
  const find = findByFile(objects, (object) => object);
  return (fileName) => find(fileName) !== undefined;
}

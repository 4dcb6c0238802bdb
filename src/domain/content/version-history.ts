/** Which versions of an object are fetched, and under which file names. */
import type { VaultVersion } from "../ports/vault-object.ts";
import type { ClassObject } from "../provider-class/object-rules.ts";

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

/**
 * Newest first, from the named version on; a name that is not in the list gives nothing. Like the provider, it gives one
 * version more than `objectVersionHistory` says; disabled versions are skipped, expired ones are not.
 */
export function selectVersions(object: ClassObject, listed: readonly VaultVersion[]): readonly ObjectVersion[] {
  const enabled = listed.filter(({ isEnabled }) => isEnabled).sort((a, b) => b.created - a.created);
  const isNewest = object.version === undefined || object.version === "latest";
  const first = isNewest ? 0 : enabled.findIndex(({ version }) => version === object.version);
  const chosen = first < 0 ? [] : enabled.slice(first, first + object.history + 1);
  return chosen.map(({ version }, index) => ({ ...object, version, path: fileInHistory(object.path, index), index }));
}

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
  return fileNamesOf([object])(fileName);
}

/** Whether a file name, as a secretObject writes it, is one that any of the objects makes, or would make. */
export function fileNamesOf(objects: readonly ClassObject[]): (fileName: string) => boolean {
  const paths = new Set(objects.filter((object) => !hasHistory(object)).map(({ path }) => path));
  const folders = new Set(objects.filter(hasHistory).map(({ path }) => folderOf(path)));
  return (fileName) => {
    const stem = fileName.replace(/\.(?:crt|key)$/, "");
    if (paths.has(fileName) || paths.has(stem)) return true;
    const slash = stem.lastIndexOf("/");
    const index = stem.slice(slash + 1);
    // As a number is written, so that `07` is none; and no path of ours begins with a slash.
    const isIndex = slash !== 0 && /^\d+$/.test(index) && index === String(Number(index));
    return isIndex && folders.has(stem.slice(0, Math.max(slash, 0)));
  };
}

import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import path from "node:path";
import { MAX_CLOUD_FILE_BYTES } from "../../domain/provider-class/cloud-file.ts";
import type { ReadCloudFile } from "../../domain/provider-class/parameters.ts";
import { failed, ok, type Result } from "../../domain/result.ts";

/** Error texts of Go, because the provider reports a file that it cannot read in these words. */
const ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  ENOTDIR: "not a directory",
};

/**
 * Returns a function that reads a file of the folder anew at each call; undefined if `folder` is empty. It follows links within the folder,
 * because the kubelet mounts a ConfigMap with such links. It refuses a link that leads out of the folder.
 */
export function cloudFileReader(folder: string): ReadCloudFile | undefined {
  return folder === "" ? undefined : (fileName) => readCloudFile(folder, fileName);
}

function readCloudFile(folder: string, fileName: string): Result<Uint8Array, string> {
  try {
    const real = realpathSync(path.join(folder, fileName));
    if (!real.startsWith(`${realpathSync(folder)}${path.sep}`)) return failed(`open ${fileName}: the file is outside of its folder`);
    return readRegularFile(real, fileName);
  } catch (error) {
    const { code } = error as { code?: unknown }; // Used only if it is a string.
    const known = typeof code === "string" ? (ERRORS[code] ?? code) : undefined;
    // The error's own message would reveal the path on this machine.
    return failed(`open ${fileName}: ${known ?? "it cannot be read"}`);
  }
}

function readRegularFile(real: string, fileName: string): Result<Uint8Array, string> {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer. Without O_NOFOLLOW, a link created after the check could lead
  // elsewhere.
  const file = openSync(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const facts = fstatSync(file);
    if (facts.isDirectory()) return failed(`read ${fileName}: is a directory`);
    if (!facts.isFile()) return failed(`read ${fileName}: not a regular file`);
    if (facts.size > MAX_CLOUD_FILE_BYTES) return failed(`read ${fileName}: larger than ${MAX_CLOUD_FILE_BYTES} bytes`);
    const buffer = new Uint8Array(facts.size);
    return ok(buffer.subarray(0, readSync(file, buffer)));
  } finally {
    closeSync(file);
  }
}

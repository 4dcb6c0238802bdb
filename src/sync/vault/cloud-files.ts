import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import path from "node:path";
import { MAX_CLOUD_FILE_BYTES } from "../../domain/provider-class/cloud-file.ts";
import type { ReadCloudFile } from "../../domain/provider-class/parameters.ts";
import { failed, ok, type Result } from "../../domain/result.ts";

/** As Go words them, which is how the provider reports a file that it cannot read. */
const ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  ENOTDIR: "not a directory",
};

/**
 * Reads files of one folder, anew at each call. Links within the folder are followed, since that is how a ConfigMap is mounted; one
 * that leads out of it is refused. Undefined where no folder is given.
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
    const { code } = error as { code?: unknown }; // Only a string is used.
    const known = typeof code === "string" ? (ERRORS[code] ?? code) : undefined;
    // The message would show the path on this machine.
    return failed(`open ${fileName}: ${known ?? "it cannot be read"}`);
  }
}

function readRegularFile(real: string, fileName: string): Result<Uint8Array, string> {
  // A named pipe would wait for somebody to write into it; a link that came after the check would lead elsewhere.
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

/**
 * The packages below Node in the image: glibc, libstdc++ and libgcc from Debian, each with its checksum in `base-packages.json`. The image
 * has no shell and no package manager.
 *
 * node tools/release/base-packages.ts --update
 *
 * updates the list to the current versions in this machine's Debian sources, for both architectures. Needs apt and dpkg of Debian, but not
 * root.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { filledFolder, releaseCache, verifyFile } from "./cache.ts";
import { ARCHITECTURES, type Architecture } from "./platform.ts";
import type { TarEntry } from "./tar.ts";

const LOCK = path.join(import.meta.dirname, "base-packages.json");
/** gcc-12-base contributes only the licence of the two GCC libraries. */
const NAMES = ["gcc-12-base", "libc6", "libgcc-s1", "libstdc++6"] as const;
const DEBIAN = "12";
/** Shared libraries in the folders that the loader searches. The folders of modules (gconv, audit) contain nothing that Node loads. */
const LIBRARY = /^(?:usr\/)?lib(?:64)?\/(?:[^/]+\/)?[^/]+\.so(?:\.[\d.]+)?$/;
const COPYRIGHT = /^usr\/share\/doc\/[^/]+\/copyright$/;

const packageSchema = z.strictObject({
  name: z.enum(NAMES),
  version: z.string(),
  architecture: z.enum(ARCHITECTURES),
  /** Path below a mirror's root, in the form `debian/pool/…`. */
  path: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export type BasePackage = z.infer<typeof packageSchema>;

const lockSchema = z.strictObject({
  /** Time at which the versions were current, in the format of snapshot.debian.org. */
  snapshot: z.string().regex(/^\d{8}T\d{6}Z$/),
  packages: z.array(packageSchema),
});

/** Package URL for bills of materials and provenance. */
export function packageUrl({ name, version, architecture }: Pick<BasePackage, "name" | "version" | "architecture">): string {
  return `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
}

export function basePackages(architecture: Architecture): readonly BasePackage[] {
  return lock().packages.filter((each) => each.architecture === architecture);
}

function lock(): z.infer<typeof lockSchema> {
  return lockSchema.parse(JSON.parse(readFileSync(LOCK, "utf8")));
}

/**
 * The libraries with their licences, Debian's package records, by which scanners identify them, and the few system files that a program
 * expects.
 */
export async function baseEntries(architecture: Architecture): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [
    text("etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"),
    text("etc/group", "root:x:0:\nnonroot:x:65532:\n"),
    text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    text("etc/os-release", `PRETTY_NAME="Debian GNU/Linux ${DEBIAN}"\nNAME="Debian GNU/Linux"\nVERSION_ID="${DEBIAN}"\nID=debian\n`),
    { path: "home/nonroot", kind: "directory", mode: 0o700, uid: 65_532, gid: 65_532 },
    { path: "tmp", kind: "directory", mode: 0o1777 },
  ];
  for (const each of basePackages(architecture)) {
    const folder = await unpacked(each);
    const files = globSync("**/*", { cwd: folder }).filter((file) => LIBRARY.test(file) || COPYRIGHT.test(file));
    entries.push(...files.map((file) => entryOf(folder, file)));
    entries.push(text(`var/lib/dpkg/status.d/${each.name}`, readFileSync(path.join(folder, ".control"), "utf8")));
  }
  return entries;
}

function text(file: string, content: string): TarEntry {
  return { path: file, kind: "file", content };
}

function entryOf(folder: string, file: string): TarEntry {
  const source = path.join(folder, file);
  const status = lstatSync(source);
  if (status.isSymbolicLink()) return { path: file, kind: "symlink", target: readlinkSync(source) };
  return { path: file, kind: "copy", source, mode: status.mode & 0o777 };
}

/** Folder with the package's files, and its control file as `.control`. */
async function unpacked(each: BasePackage): Promise<string> {
  const folder = path.join(releaseCache(), `${each.name}-${each.architecture}-${each.sha256.slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  await filledFolder(folder, async (fresh) => {
    const archive = await download(each);
    try {
      verifyFile(archive, "sha256", "hex", each.sha256);
      execFileSync("dpkg-deb", ["-x", archive, fresh]);
      writeFileSync(path.join(fresh, ".control"), execFileSync("dpkg-deb", ["-f", archive]));
    } finally {
      rmSync(path.dirname(archive), { recursive: true });
    }
  });
  return folder;
}

/**
 * Downloads from this machine's sources. If they no longer have the version, downloads from snapshot.debian.org, with the time in the lock
 * file.
 */
async function download(each: BasePackage): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "debian-package-"));
  const file = path.join(folder, "package.deb");
  try {
    withApt(each.architecture, (apt) => apt(["download", `${each.name}=${each.version}`], folder));
    const [found = ""] = globSync("*.deb", { cwd: folder });
    copyFileSync(path.join(folder, found), file);
    return file;
  } catch {
    const [archive = "", ...rest] = each.path.split("/");
    const address = `https://snapshot.debian.org/archive/${archive}/${lock().snapshot}/${rest.join("/")}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(60_000) });
    if (!answer.ok)
      throw new Error(`${each.name} ${each.version} is neither in this machine's Debian sources nor at ${address}: ${answer.status}`);
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    return file;
  }
}

type Apt = (args: readonly string[], cwd: string) => string;

/** Runs apt for one architecture with its own lists, so that the machine's lists stay unchanged. */
function withApt<T>(architecture: Architecture, use: (apt: Apt) => T): T {
  const state = mkdtempSync(path.join(tmpdir(), "apt-"));
  try {
    for (const name of ["lists/partial", "cache/archives/partial"]) mkdirSync(path.join(state, name), { recursive: true });
    writeFileSync(path.join(state, "status"), "");
    const settings = {
      "APT::Architecture": architecture,
      "APT::Architectures": architecture,
      "APT::Sandbox::User": "",
      "Dir::State::lists": path.join(state, "lists"),
      "Dir::State::status": path.join(state, "status"),
      "Dir::Cache": path.join(state, "cache"),
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const apt: Apt = (args, cwd) =>
      execFileSync("apt-get", ["-qq", ...options, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    apt(["update"], state);
    return use(apt);
  } finally {
    rmSync(state, { recursive: true });
  }
}

/** Parses a line of `apt --print-uris`: `'address' file bytes SHA256:…`. */
function packageOf(line: string, architecture: Architecture): BasePackage {
  const [, address = "", file = "", sha256 = ""] = /^'([^']+)' (\S+) \d+ SHA256:([0-9a-f]{64})$/.exec(line) ?? [];
  const [name = "", version = ""] = file
    .replace(/\.deb$/, "")
    .split("_")
    .map(decodeURIComponent);
  const pool = /(debian(?:-security)?\/(?:pool|pool\/updates)\/.*)$/.exec(decodeURIComponent(address))?.[1];
  return packageSchema.parse({ name, version, architecture, path: pool, sha256 });
}

function update(): void {
  const packages = ARCHITECTURES.flatMap((architecture) => {
    const lines = withApt(architecture, (apt) => apt(["--print-uris", "download", ...NAMES], tmpdir()));
    return lines
      .trim()
      .split("\n")
      .map((line) => packageOf(line, architecture));
  });
  const snapshot = `${new Date().toISOString().slice(0, 10).replaceAll("-", "")}T000000Z`;
  writeFileSync(LOCK, `${JSON.stringify({ snapshot, packages: packages.sort((a, b) => (a.path < b.path ? -1 : 1)) }, null, 2)}\n`);
  for (const { name, version, architecture } of packages) console.log(`${name} ${version} ${architecture}`);
}

if (import.meta.main && process.argv[2] === "--update") update();

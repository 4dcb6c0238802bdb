/** Node for the image and the executable: the npm package in the version that package-lock.json pins, whatever Node runs this script. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { filledFolder, releaseCache, verifyFile } from "./cache.ts";
import { npmEnvironment } from "./npm.ts";
import { type Architecture, NODE_ARCH } from "./platform.ts";

const root = path.resolve(import.meta.dirname, "../..");

export interface NodeProgram {
  readonly package: string;
  readonly version: string;
  /** SHA-512 of the npm package, hexadecimal. */
  readonly sha512: string;
  /** Paths of the program and of its licence. */
  readonly program: string;
  readonly licence: string;
}

/** The package in the lockfile. Throws if it is missing. */
function lockedNode(architecture: Architecture): { readonly name: string; readonly version: string; readonly integrity: string } {
  const name = `node-linux-${NODE_ARCH[architecture]}`;
  const lock = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity?: string }>>;
  }; // npm's own file.
  const locked = lock.packages[`node_modules/${name}`];
  if (locked?.integrity === undefined) throw new Error(`package-lock.json has no ${name}: add it to optionalDependencies`);
  return { name, version: locked.version, integrity: locked.integrity };
}

/** Downloads the package once, and compares its checksum with that in the lockfile. */
export async function nodeProgram(architecture: Architecture): Promise<NodeProgram> {
  const { name, version, integrity } = lockedNode(architecture);
  const base64 = integrity.replace(/^sha512-/, "");
  const sha512 = Buffer.from(base64, "base64").toString("hex");
  const folder = path.join(releaseCache(), `${name}-${version}-${sha512.slice(0, 12)}`);
  if (!existsSync(folder)) {
    await filledFolder(folder, (fresh) => {
      const args = ["pack", `${name}@${version}`, "--silent", "--pack-destination", fresh];
      execFileSync("npm", args, { cwd: fresh, env: npmEnvironment(), stdio: ["ignore", "ignore", "inherit"] });
      const [archive = ""] = readdirSync(fresh);
      verifyFile(path.join(fresh, archive), "sha512", "base64", base64);
      execFileSync("tar", ["-xzf", archive, "package/bin/node", "package/LICENSE"], { cwd: fresh });
    });
  }
  return { package: name, version, sha512, program: path.join(folder, "package/bin/node"), licence: path.join(folder, "package/LICENSE") };
}

/** Packages of the command line: an archive for each Linux architecture, an npm package for other systems, and krew's manifest of them. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PROJECT } from "../helm-chart/project.ts";
import { imageFiles } from "../image-files.ts";
import { executablePayload, removePayload, writeExecutable } from "./executable/build.ts";
import { type KrewArchive, krewManifest } from "./krew.ts";
import { nodeProgram } from "./node-program.ts";
import { digestOf, tarGz } from "./oci-layout.ts";
import { ARCHITECTURES, type Architecture } from "./platform.ts";
import type { TarEntry } from "./tar.ts";

const NAME = "keyvault-injector";
const root = path.resolve(import.meta.dirname, "../..");

/** The first line is for npm on Unix and for krew's link. npm creates the starters for the other platforms itself. */
const STARTER = `#!/usr/bin/env node
if (Number(process.versions.node.split(".")[0]) < 24) {
  console.error(\`keyvault-injector needs Node 24 or newer; this is \${process.version}\`);
  process.exit(2);
}
await import("./dist/main.js");
`;

/** Writes all packages into the folder, and returns their file names. */
export async function writeCommandLine(folder: string, dist: string): Promise<readonly string[]> {
  const { version } = PROJECT;
  const payload = await executablePayload(version);
  const archives: KrewArchive[] = [];
  const files: string[] = [];
  const add = (name: string, content: Buffer): Omit<KrewArchive, "os" | "arch" | "program"> => {
    writeFileSync(path.join(folder, name), content);
    files.push(name);
    return { uri: `${PROJECT.homepage}/releases/${version}/${name}`, sha256: digestOf(content).replace("sha256:", "") };
  };
  try {
    for (const arch of ARCHITECTURES) {
      const { content } = await tarGz(await executableEntries(path.join(folder, NAME), arch, payload, dist));
      archives.push({ os: "linux", arch, program: NAME, ...add(`${NAME}-${version}-linux-${arch}.tar.gz`, content) });
    }
  } finally {
    removePayload(payload);
  }
  const forNode = add(`${NAME}-${version}-node.tgz`, (await tarGz(packageEntries(dist))).content);
  for (const arch of ARCHITECTURES) archives.push({ os: "darwin", arch, program: "package/keyvault-injector.js", ...forNode });
  add("keyvault.yaml", Buffer.from(krewManifest({ version, homepage: PROJECT.homepage, archives })));
  return files;
}

/** `scratch` is a temporary file that the function writes and removes. */
async function executableEntries(
  scratch: string,
  architecture: Architecture,
  payload: Parameters<typeof writeExecutable>[2],
  dist: string,
): Promise<readonly TarEntry[]> {
  await writeExecutable(scratch, architecture, payload);
  try {
    return [
      { path: NAME, kind: "file", content: readFileSync(scratch), mode: 0o755 },
      { path: "LICENSE", kind: "copy", source: path.join(root, "LICENSE") },
      { path: "THIRD-PARTY-LICENCES.txt", kind: "copy", source: path.join(dist, "THIRD-PARTY-LICENCES.txt") },
      { path: "NODE-LICENCE.txt", kind: "copy", source: (await nodeProgram(architecture)).licence },
    ];
  } finally {
    rmSync(scratch);
  }
}

/** Contents of an npm package for `npx ./file.tgz` and `npm install --global file.tgz`. */
function packageEntries(dist: string): readonly TarEntry[] {
  const { license, homepage } = PROJECT;
  const manifest = {
    name: NAME,
    version: PROJECT.version,
    description: "The command line of keyvault-injector: Azure Key Vault secrets in Kubernetes",
    license,
    homepage,
    type: "module",
    engines: { node: ">=24" },
    bin: { [NAME]: `${NAME}.js`, "kubectl-keyvault": `${NAME}.js` },
  };
  const files = imageFiles(dist).filter(({ path: file }) => file !== "package.json");
  return [
    { path: "package/package.json", kind: "file", content: `${JSON.stringify(manifest, null, 2)}\n` },
    { path: `package/${NAME}.js`, kind: "file", content: STARTER, mode: 0o755 },
    ...files.map(({ path: file, source }): TarEntry => ({ path: `package/${file}`, kind: "copy", source })),
  ];
}

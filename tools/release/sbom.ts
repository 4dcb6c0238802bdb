/**
 * Writes the bill of materials of the image's program as CycloneDX JSON: the bundled packages with versions, licences and the lockfile's
 * checksums. A release adds Node and Debian's packages for each image.
 *
 * npm run sbom [-- <file>]
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { bundledPackages } from "../build.ts";
import { type BasePackage, packageUrl } from "./base-packages.ts";
import type { NodeProgram } from "./node-program.ts";
import type { Architecture } from "./platform.ts";

const root = path.resolve(import.meta.dirname, "../..");

const bomSchema = z.looseObject({
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.string(),
  metadata: z.looseObject({ component: z.looseObject({ name: z.string(), version: z.string() }) }),
  components: z.array(z.looseObject({ "bom-ref": z.string(), name: z.string(), version: z.string(), purl: z.string() })),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
});

export type Bom = z.infer<typeof bomSchema>;

/**
 * npm writes it from the lockfile, and this function reduces it to the bundled packages. The same sources give the same text. Throws with
 * npm's message.
 */
export async function makeBom(): Promise<Bom> {
  // With `--omit=dev`, npm 11 also omits packages of the product that development needs too.
  const args = ["sbom", "--sbom-format=cyclonedx", "--package-lock-only"];
  const { status, stdout, stderr } = spawnSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr.trim()}`);
  return narrowed(bomSchema.parse(JSON.parse(stdout)), await bundledPackages());
}

/**
 * `kept` contains `name@version`. Removes the fields that differ between runs (serial number, time, npm's version), and the checkout's
 * folder.
 */
function narrowed({ serialNumber: _serial, metadata, ...bom }: Bom, kept: ReadonlySet<string>): Bom {
  const components = bom.components.filter(({ name, version }) => kept.has(`${name}@${version}`));
  const refs = new Set(components.map((component) => component["bom-ref"]));
  const own = metadata.component["bom-ref"];
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref) || ref === own)
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((on) => refs.has(on)) }));
  const component = { ...metadata.component, name: "keyvault-injector", type: "application" };
  return { ...bom, metadata: { component }, components, dependencies };
}

/** The bill of materials of the image for one architecture, with Node and Debian's packages. */
export function imageBom(bom: Bom, { architecture, node, base }: ImageParts): Bom {
  const licensed = (id: string) => [{ license: { id } }];
  const below = [
    {
      type: "platform",
      "bom-ref": `node@${node.version}`,
      name: "node",
      version: node.version,
      purl: `pkg:generic/node@${node.version}?arch=${architecture}`,
      licenses: licensed("MIT"),
      properties: [{ name: "keyvault-injector:npm-package", value: node.package }],
    },
    ...base.map(({ name, version, sha256 }) => ({
      type: "library",
      "bom-ref": `deb:${name}@${version}`,
      name,
      version,
      purl: `${packageUrl({ name, version, architecture })}&distro=debian-12`,
      properties: [{ name: "keyvault-injector:deb-sha256", value: sha256 }],
    })),
  ];
  return { ...bom, components: [...bom.components, ...below] };
}

export interface ImageParts {
  readonly architecture: Architecture;
  readonly node: NodeProgram;
  readonly base: readonly BasePackage[];
}

if (import.meta.main) {
  const { version }: { version: string } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const [file = `keyvault-injector-${version}.cdx.json`] = process.argv.slice(2);
  const bom = await makeBom();
  writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
  console.log(`${file}: ${bom.components.length} packages`);
}

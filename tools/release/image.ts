/** Builds the image for both architectures. Debian's libraries, Node, and the list of the image's files are one layer each. */
import path from "node:path";
import { IMAGE, imageFiles } from "../image-files.ts";
import { baseEntries } from "./base-packages.ts";
import { nodeProgram } from "./node-program.ts";
import { CONFIG, DEFAULT_PATH, type Descriptor, MANIFEST, type OciLayout, tarGz } from "./oci-layout.ts";
import { ARCHITECTURES, type Architecture } from "./platform.ts";
import type { TarEntry } from "./tar.ts";

const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

export interface ImageOptions {
  /** Folder of the build with the program. */
  readonly dist: string;
  /** `org.opencontainers.image.…` labels for index, manifests and configuration. */
  readonly labels: Readonly<Record<string, string>>;
  /** Date of the commit, ISO 8601. */
  readonly created: string;
}

export interface BuiltImage {
  readonly index: Descriptor;
  readonly manifests: Readonly<Record<Architecture, Descriptor>>;
}

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

export async function addImage(layout: OciLayout, options: ImageOptions): Promise<BuiltImage> {
  const program = await addLayer(layout, programEntries(options.dist));
  const [amd64, arm64] = await Promise.all(ARCHITECTURES.map((architecture) => addManifest(layout, architecture, program, options)));
  if (amd64 === undefined || arm64 === undefined) throw new Error("an architecture has no manifest");
  return { index: layout.addIndex([amd64, arm64], options.labels), manifests: { amd64, arm64 } };
}

async function addManifest(layout: OciLayout, architecture: Architecture, program: Layer, options: ImageOptions): Promise<Descriptor> {
  const node = await nodeProgram(architecture);
  const layers = [
    await addLayer(layout, await baseEntries(architecture)),
    await addLayer(layout, [
      { path: "usr/local/bin/node", kind: "copy", source: node.program, mode: 0o755 },
      { path: "usr/local/share/doc/node/LICENSE", kind: "copy", source: node.licence },
    ]),
    program,
  ];
  const config = layout.addJson(configOf(architecture, layers, options), CONFIG);
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: layers.map(({ descriptor }) => descriptor),
    annotations: options.labels,
  };
  return { ...layout.addJson(manifest, MANIFEST), platform: { os: "linux", architecture } };
}

function configOf(architecture: Architecture, layers: readonly Layer[], { created, labels }: ImageOptions): unknown {
  return {
    created,
    architecture,
    os: "linux",
    config: {
      User: IMAGE.user,
      Env: [`PATH=${DEFAULT_PATH}`],
      Entrypoint: IMAGE.entrypoint,
      WorkingDir: IMAGE.folder,
      Labels: labels,
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  };
}

async function addLayer(layout: OciLayout, entries: readonly TarEntry[]): Promise<Layer> {
  const { content, diffId } = await tarGz(entries);
  return { descriptor: layout.addBlob(content, LAYER), diffId };
}

function programEntries(dist: string): readonly TarEntry[] {
  const folder = IMAGE.folder.slice(1);
  return imageFiles(dist).map(({ path: file, source }) => ({ path: path.posix.join(folder, file), kind: "copy", source }));
}

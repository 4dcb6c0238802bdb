import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readlinkSync, rmSync, statSync, writeSync } from "node:fs";
import path from "node:path";
import { CONFIG, DEFAULT_PATH, digestOf, INDEX, MANIFEST } from "../../../tools/release/oci-layout.ts";
import { sortedEntries, type TarEntry, tarChunks } from "../../../tools/release/tar.ts";

/** Settings of the process in the image's configuration. */
export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** `uid` or `uid:gid`. Numbers, so that the kubelet can check `runAsNonRoot`. */
  readonly user?: string;
  readonly workingDirectory?: string;
}

export interface ImageSpec {
  /** Names in manifests. Several names share one image. */
  readonly names: readonly string[];
  /** Missing parent folders are added. */
  readonly entries: readonly TarEntry[];
  readonly config: ImageConfig;
}

export interface WrittenImage {
  readonly file: string;
  /** Digest of the manifest, `sha256:…`. Equal entries and configuration give the same digest. */
  readonly digest: string;
  readonly layerBytes: number;
}

interface Blob {
  readonly digest: string;
  readonly size: number;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** Writes a one-layer OCI archive for `ctr images import`, without a registry or a daemon. */
export function writeImageArchive(file: string, spec: ImageSpec): WrittenImage {
  const layerFile = `${file}.layer`;
  try {
    const layer = writeTar(layerFile, sortedEntries(spec.entries));
    const config = jsonBlob(imageConfig(spec.config, layer.digest));
    const manifest = jsonBlob(imageManifest(config.blob, layer));
    writeTar(file, [
      { path: "oci-layout", kind: "file", content: JSON.stringify({ imageLayoutVersion: "1.0.0" }) },
      { path: "index.json", kind: "file", content: JSON.stringify(imageIndex(manifest.blob, spec.names)) },
      { path: blobPath(config.blob), kind: "file", content: config.content },
      { path: blobPath(manifest.blob), kind: "file", content: manifest.content },
      { path: blobPath(layer), kind: "copy", source: layerFile },
    ]);
    return { file, digest: manifest.blob.digest, layerBytes: layer.size };
  } finally {
    rmSync(layerFile, { force: true });
  }
}

/** All files under a folder as entries under `into`, with the same modes and root as owner. */
export function entriesUnder(folder: string, into: string): TarEntry[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((item): TarEntry[] => {
    const source = path.join(folder, item.name);
    const target = path.posix.join(into, item.name);
    if (item.isSymbolicLink()) return [{ path: target, kind: "symlink", target: readlinkSync(source) }];
    if (item.isDirectory()) return [{ path: target, kind: "directory" }, ...entriesUnder(source, target)];
    return item.isFile() ? [{ path: target, kind: "copy", source, mode: statSync(source).mode & 0o7777 }] : [];
  });
}

function imageConfig(config: ImageConfig, layerDigest: string): unknown {
  const environment = { PATH: DEFAULT_PATH, ...config.environment };
  return {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: "linux",
    config: {
      Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      WorkingDir: config.workingDirectory ?? "/",
      ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
      ...(config.command === undefined ? {} : { Cmd: config.command }),
      ...(config.user === undefined ? {} : { User: config.user }),
    },
    rootfs: { type: "layers", diff_ids: [layerDigest] },
  };
}

function imageManifest(config: Blob, layer: Blob): unknown {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, ...config },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...layer }],
  };
}

function imageIndex(manifest: Blob, names: readonly string[]): unknown {
  return {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: names.map((name) => ({
      mediaType: MANIFEST,
      ...manifest,
      annotations: { "io.containerd.image.name": qualified(name) },
    })),
  };
}

/** Completes a short name as the kubelet's runtime does before it searches for the image. */
function qualified(name: string): string {
  const [first = "", ...rest] = name.split("/");
  if (rest.length === 0) return `docker.io/library/${name}`;
  return first.includes(".") || first.includes(":") || first === "localhost" ? name : `docker.io/${name}`;
}

function jsonBlob(value: unknown): { readonly blob: Blob; readonly content: string } {
  const content = JSON.stringify(value);
  return { blob: { digest: digestOf(content), size: Buffer.byteLength(content) }, content };
}

function blobPath(blob: Blob): string {
  return `blobs/${blob.digest.replace(":", "/")}`;
}

function writeTar(file: string, entries: readonly TarEntry[]): Blob {
  const digest = createHash("sha256");
  const output = openSync(file, "w");
  let size = 0;
  try {
    for (const chunk of tarChunks(entries)) {
      for (let written = 0; written < chunk.length; ) written += writeSync(output, chunk, written);
      digest.update(chunk);
      size += chunk.length;
    }
  } finally {
    closeSync(output);
  }
  return { digest: `sha256:${digest.digest("hex")}`, size };
}

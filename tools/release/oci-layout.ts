/** Writes an OCI image layout: a folder that contains each blob under its digest. `index.json` gives names to some of them. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { sortedEntries, type TarEntry, tarChunks } from "./tar.ts";

export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:…` */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export const INDEX = "application/vnd.oci.image.index.v1+json";
export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const CONFIG = "application/vnd.oci.image.config.v1+json";
export const EMPTY = "application/vnd.oci.empty.v1+json";
/** Annotation in `index.json` for the name. Our names have the form `<repository>:<tag>`. */
export const REF_NAME = "org.opencontainers.image.ref.name";

/** PATH in an image that does not set another one. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/**
 * The same entries give the same bytes. The compressed bytes also depend on the zlib of the running Node, whose version the lockfile pins.
 */
export async function tarGz(entries: readonly TarEntry[]): Promise<{ readonly content: Buffer; readonly diffId: string }> {
  const tar = Buffer.concat([...tarChunks(sortedEntries(entries))]);
  return { content: await promisify(gzip)(tar), diffId: digestOf(tar) };
}

export class OciLayout {
  readonly folder: string;
  readonly #named = new Map<string, Descriptor>();

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(path.join(folder, "blobs/sha256"), { recursive: true });
  }

  addBlob(content: Buffer | string, mediaType: string): Descriptor {
    const descriptor = { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
    const file = blobFile(this.folder, descriptor.digest);
    if (!existsSync(file)) writeFileSync(file, content);
    return descriptor;
  }

  addJson(value: unknown, mediaType: string): Descriptor {
    return this.addBlob(JSON.stringify(value), mediaType);
  }

  addIndex(manifests: readonly Descriptor[], annotations: Readonly<Record<string, string>>): Descriptor {
    return this.addJson({ schemaVersion: 2, mediaType: INDEX, manifests, annotations }, INDEX);
  }

  /** `reference` is `<repository>:<tag>`, without a registry. */
  name(reference: string, descriptor: Descriptor): void {
    this.#named.set(reference, descriptor);
  }

  /** Writes the files that make the folder a layout. Call this after everything was added. */
  write(): void {
    const manifests = [...this.#named]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, descriptor]) => ({ ...descriptor, annotations: { [REF_NAME]: name } }));
    writeFileSync(path.join(this.folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    writeFileSync(path.join(this.folder, "index.json"), JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  }
}

export function blobFile(folder: string, digest: string): string {
  return path.join(folder, "blobs", digest.replace(":", "/"));
}

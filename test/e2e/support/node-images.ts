import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import path from "node:path";
import type { TarEntry } from "../../../tools/release/tar.ts";
import type { NodeBinaries, ProgramName } from "./binaries.ts";
import { BUSYBOX } from "./debian-packages.ts";
import { PAUSE_IMAGE } from "./node-layout.ts";
import type { ImageConfig, ImageSpec } from "./oci-image.ts";

/** The tests' shell image, with the name in the extension's documentation. */
export const SHELL_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.29-4";

/** Name in the manifests. */
export const DRIVER_IMAGE = "registry.k8s.io/csi-secrets-store/driver:v1.6.0";

const USERS = "root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/home/nonroot:/bin/false\n";

/** Every image of a node with the CSI driver and the provider, with the names in the manifests. */
export function nodeImages(binaries: NodeBinaries): readonly ImageSpec[] {
  return [sandboxImage(binaries), ...publicImages(binaries)];
}

/** The image that the container runtime itself needs, which is a part of the node. */
export function sandboxImage(binaries: NodeBinaries): ImageSpec {
  return programImage(binaries, { name: PAUSE_IMAGE, program: "pause" });
}

export interface ProviderSettings {
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly TarEntry[];
}

/** Images that nodes pull from public registries. `provider` adds files and variables to the provider's image. */
export function publicImages(binaries: NodeBinaries, provider: ProviderSettings = { environment: {}, files: [] }): readonly ImageSpec[] {
  return [
    { names: [SHELL_IMAGE], entries: [...baseEntries(), ...shellEntries(allApplets())], config: { command: ["/bin/sh"] } },
    // The driver calls the mount programs. Upstream's image contains Debian's.
    driverImage(DRIVER_IMAGE, binaries["secrets-store-csi"]),
    programImage(binaries, { name: "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.16.0", program: "node-driver-registrar" }),
    programImage(binaries, { name: "registry.k8s.io/sig-storage/livenessprobe:v2.18.0", program: "livenessprobe" }),
    providerImage(binaries, provider),
  ];
}

function providerImage(binaries: NodeBinaries, { environment, files }: ProviderSettings): ImageSpec {
  const image = programImage(binaries, {
    name: "mcr.microsoft.com/oss/v2/azure/secrets-store/provider-azure:v1.8.2",
    program: "secrets-store-csi-driver-provider-azure",
  });
  return { ...image, entries: [...image.entries, ...files], config: { ...image.config, environment } };
}

/** The CSI driver with any name, from its program. */
export function driverImage(name: string, source: string): ImageSpec {
  const file: TarEntry = { path: "bin/secrets-store-csi", kind: "copy", source, mode: 0o755 };
  const entries = [...baseEntries(), file, ...shellEntries(["mount", "umount"])];
  return { names: [name], entries, config: { entrypoint: ["/bin/secrets-store-csi"] } };
}

/** An image with Node 24. `more` and `config` make it a program's image. */
export function nodeRuntimeImage(names: readonly string[], more: readonly TarEntry[] = [], config: ImageConfig = {}): ImageSpec {
  return {
    names,
    entries: [...baseEntries(), ...nodeRuntimeEntries(), ...more],
    config: { user: "65532:65532", entrypoint: ["node"], ...config },
  };
}

/** `/usr/local/bin/node` with its shared libraries, at the paths that it names. */
export function nodeRuntimeEntries(): TarEntry[] {
  const node = realpathSync(process.execPath);
  const libraries = execFileSync("ldd", [node], { encoding: "utf8" })
    .split("\n")
    .map((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1])
    .filter((file) => file !== undefined);
  return [
    { path: "usr/local/bin/node", kind: "copy", source: node, mode: 0o755 },
    ...libraries.map((file): TarEntry => ({ path: file.slice(1), kind: "copy", source: realpathSync(file), mode: 0o755 })),
  ];
}

interface ProgramImage {
  readonly name: string;
  readonly program: ProgramName;
}

function programImage(binaries: NodeBinaries, { name, program }: ProgramImage): ImageSpec {
  const file: TarEntry = { path: `bin/${program}`, kind: "copy", source: binaries[program], mode: 0o755 };
  return { names: [name], entries: [...baseEntries(), file], config: { entrypoint: [`/bin/${program}`] } };
}

function baseEntries(): TarEntry[] {
  return [
    { path: "etc/passwd", kind: "file", content: USERS },
    { path: "tmp", kind: "directory", mode: 0o1777 },
    { path: "root", kind: "directory", mode: 0o700 },
  ];
}

function shellEntries(applets: readonly string[]): TarEntry[] {
  return [
    { path: "bin/busybox", kind: "copy", source: BUSYBOX, mode: 0o755 },
    ...applets.map((applet): TarEntry => ({ path: path.posix.join("bin", applet), kind: "symlink", target: "busybox" })),
  ];
}

function allApplets(): string[] {
  const names = execFileSync(BUSYBOX, ["--list"], { encoding: "utf8" }).trim().split("\n");
  return names.filter((name) => name !== "busybox");
}

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import type { TarEntry } from "../../tools/release/tar.ts";
import { entriesUnder, type ImageSpec, writeImageArchive } from "../e2e/support/oci-image.ts";

const folder = mkdtempSync(path.join(tmpdir(), "oci-image-"));
after(() => rmSync(folder, { recursive: true }));

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

function anImage(changes: Partial<ImageSpec> = {}): ImageSpec {
  return {
    names: ["example.test/thing:1"],
    entries: [{ path: "bin/thing", kind: "file", content: "#!", mode: 0o755 }],
    config: {},
    ...changes,
  };
}

/** Unpacks the archive with the system's tar. */
function unpacked(spec: ImageSpec): { readonly root: string; readonly index: { readonly manifests: readonly Descriptor[] } } {
  const root = mkdtempSync(path.join(folder, "archive-"));
  execFileSync("tar", ["-xf", writeImageArchive(path.join(root, "image.tar"), spec).file, "-C", root]);
  return { root, index: JSON.parse(readFileSync(path.join(root, "index.json"), "utf8")) };
}

function blob(root: string, descriptor: Descriptor): Buffer {
  return readFileSync(path.join(root, "blobs", descriptor.digest.replace(":", "/")));
}

function manifestOf(spec: ImageSpec) {
  const { root, index } = unpacked(spec);
  const [first] = index.manifests;
  assert.ok(first);
  const manifest: { config: Descriptor; layers: readonly [Descriptor] } = JSON.parse(blob(root, first).toString());
  const config: { config: Record<string, unknown>; rootfs: { diff_ids: string[] } } = JSON.parse(blob(root, manifest.config).toString());
  return { root, manifest, config };
}

/** Members of the layer as `tar -tv` lists them, by path. */
function layerListing(entries: readonly TarEntry[]): Map<string, string> {
  const { root, manifest } = manifestOf(anImage({ entries }));
  const layer = path.join(root, "blobs", manifest.layers[0].digest.replace(":", "/"));
  const lines = execFileSync("tar", ["-tvf", layer, "--numeric-owner"], { encoding: "utf8" }).trimEnd().split("\n");
  return new Map(lines.map((line) => [/\d\d:\d\d (.+?)(?: -> .*)?$/.exec(line)?.[1] ?? "", line]));
}

describe("an image archive", () => {
  test("names every blob by its own digest and size", () => {
    const { root, manifest, config } = manifestOf(anImage());

    for (const descriptor of [manifest.config, manifest.layers[0]]) {
      const content = blob(root, descriptor);
      assert.equal(`sha256:${createHash("sha256").update(content).digest("hex")}`, descriptor.digest);
      assert.equal(content.length, descriptor.size);
    }
    assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0].digest]);
  });

  test("is the same bytes for the same content, in whatever order it was listed", () => {
    const entries: TarEntry[] = [
      { path: "b", kind: "file", content: "b" },
      { path: "a/c", kind: "file", content: "c" },
    ];
    const one = writeImageArchive(path.join(folder, "one.tar"), anImage({ entries }));
    const other = writeImageArchive(path.join(folder, "other.tar"), anImage({ entries: entries.toReversed() }));

    assert.equal(one.digest, other.digest);
    assert.deepEqual(readFileSync(one.file), readFileSync(other.file));
  });

  test("is found under each of its names, short ones completed as the runtime completes them", () => {
    const { index } = unpacked(anImage({ names: ["keyvault-injector:0.1.0", "me/thing:2", "example.test/a/b:3", "localhost/pause:1"] }));

    assert.deepEqual(
      index.manifests.map((entry) => entry.annotations?.["io.containerd.image.name"]),
      ["docker.io/library/keyvault-injector:0.1.0", "docker.io/me/thing:2", "example.test/a/b:3", "localhost/pause:1"],
    );
  });

  test("carries entry point, command, environment, user and working directory", () => {
    const { config } = manifestOf(
      anImage({
        config: {
          entrypoint: ["/bin/thing"],
          command: ["run"],
          environment: { MODE: "test" },
          user: "65532:65532",
          workingDirectory: "/app",
        },
      }),
    );

    assert.deepEqual(config.config, {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "MODE=test"],
      WorkingDir: "/app",
      Entrypoint: ["/bin/thing"],
      Cmd: ["run"],
      User: "65532:65532",
    });
  });
});

describe("an image's layer", () => {
  test("keeps modes, owners and links, and adds the folders above a file", () => {
    const listing = layerListing([
      { path: "app/main", kind: "file", content: "12345", mode: 0o750, uid: 65_532, gid: 1 },
      { path: "tmp", kind: "directory", mode: 0o1777 },
      { path: "bin/sh", kind: "symlink", target: "/bin/busybox" },
    ]);

    assert.match(listing.get("app/") ?? "", /^drwxr-xr-x 0\/0/);
    assert.match(listing.get("app/main") ?? "", /^-rwxr-x--- 65532\/1 +5 1970-01-01/);
    assert.match(listing.get("tmp/") ?? "", /^drwxrwxrwt/);
    assert.match(listing.get("bin/sh") ?? "", /^lrwxrwxrwx .* -> \/bin\/busybox$/);
  });

  test("holds paths and link targets of any length and alphabet", () => {
    const long = `${"deep/".repeat(60)}naïve-${"x".repeat(90)}`;
    const target = `/${"far/".repeat(40)}away`;
    const listing = layerListing([
      { path: long, kind: "file", content: "long" },
      { path: "link", kind: "symlink", target },
    ]);

    assert.ok([...listing.values()].some((line) => line.endsWith(`-> ${target}`)));
    const { root, manifest } = manifestOf(anImage({ entries: [{ path: long, kind: "file", content: "long" }] }));
    const layer = path.join(root, "blobs", manifest.layers[0].digest.replace(":", "/"));
    assert.equal(execFileSync("tar", ["-xOf", layer, long], { encoding: "utf8" }), "long");
  });

  test("takes a folder from disk with its modes and links", () => {
    const source = path.join(folder, "source");
    mkdirSync(path.join(source, "sub"), { recursive: true });
    writeFileSync(path.join(source, "sub", "run"), "x".repeat(2_000), { mode: 0o755 });
    symlinkSync("sub/run", path.join(source, "link"));

    const listing = layerListing(entriesUnder(source, "app"));

    assert.match(listing.get("app/sub/run") ?? "", /^-rwxr-xr-x 0\/0 +2000/);
    assert.match(listing.get("app/link") ?? "", /-> sub\/run$/);
  });

  test("leaves no temporary file next to the archive", () => {
    const file = path.join(folder, "clean.tar");
    writeImageArchive(file, anImage());

    assert.throws(() => statSync(`${file}.layer`), /ENOENT/);
  });
});

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
// @ts-expect-error -- plain JavaScript without declarations: it runs on Node 20, before anything is installed.
import { downloadControlPlane, downloadRelease } from "../../tools/bootstrap/download.mjs";
// @ts-expect-error -- the same.
import { packagesDifference } from "../../tools/bootstrap/packages.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const VERSION = "v1.2.3";
const architecture = process.arch === "x64" ? "amd64" : process.arch;

describe("prebuilt control-plane binaries", () => {
  const files = new Map<string, Buffer>();
  let server: Server;
  let base: string;
  let scratch: string;

  before(async () => {
    server = createServer((request, response) => {
      const body = files.get(request.url ?? "");
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // The server listens on TCP.
  });
  after(() => {
    server.close();
    rmSync(scratch, { recursive: true, force: true });
  });
  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), "bootstrap-test-"));
    files.clear();
    const archive = `/envtest-${VERSION}/envtest-${VERSION}-${process.platform}-${architecture}.tar.gz`;
    publish(archive, anArchive());
    publish(`/${VERSION}/bin/${process.platform}/${architecture}/kube-controller-manager`, Buffer.from("manager"));
  });

  function publish(url: string, body: Buffer): void {
    files.set(url, body);
    files.set(`${url}.sha512`, Buffer.from(`${createHash("sha512").update(body).digest("hex")}  ${path.basename(url)}\n`));
  }

  function anArchive(): Buffer {
    const content = path.join(scratch, "controller-tools/envtest");
    mkdirSync(content, { recursive: true });
    for (const name of ["etcd", "kube-apiserver", "kubectl"]) writeFileSync(path.join(content, name), name);
    const packed = spawnSync("tar", ["-czf", "-", "-C", scratch, "controller-tools"], { maxBuffer: 1 << 26 });
    return packed.stdout;
  }

  function download(): Promise<string | undefined> {
    return downloadControlPlane({ version: VERSION, folder: path.join(scratch, "cache"), archives: base, releases: base }) as Promise<
      string | undefined
    >;
  }

  test("are unpacked, executable and whole", async () => {
    assert.equal(await download(), undefined);

    const folder = path.join(scratch, "cache");
    assert.deepEqual(readdirSync(folder).sort(), ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"]);
    assert.equal(readFileSync(path.join(folder, "kube-controller-manager"), "utf8"), "manager");
    assert.ok(statSync(path.join(folder, "etcd")).mode & 0o100);
  });

  test("are refused where the checksum is not the published one, and leave nothing behind", async () => {
    const manager = `/${VERSION}/bin/${process.platform}/${architecture}/kube-controller-manager`;
    files.set(manager, Buffer.from("tampered"));

    assert.match((await download()) ?? "", /checksum .* refused/);

    assert.deepEqual(readdirSync(path.join(scratch, "cache")), []);
  });

  test("of another version are one file of that release, under the same rule", async () => {
    const folder = path.join(scratch, "older");
    const url = `/v1.1.9/bin/${process.platform}/${architecture}/kube-apiserver`;
    const get = (): Promise<string | undefined> =>
      downloadRelease({ version: "v1.1.9", folder, name: "kube-apiserver", releases: base }) as Promise<string | undefined>;
    publish(url, Buffer.from("older"));
    files.set(url, Buffer.from("tampered"));

    assert.match((await get()) ?? "", /checksum .* refused/);
    assert.deepEqual(readdirSync(folder), []);
    publish(url, Buffer.from("older"));

    assert.equal(await get(), undefined);
    assert.equal(readFileSync(path.join(folder, "kube-apiserver"), "utf8"), "older");
    assert.ok(statSync(path.join(folder, "kube-apiserver")).mode & 0o100);
  });

  test("that cannot be had give the reason", async () => {
    files.clear();

    assert.match((await download()) ?? "", /HTTP 404/);
  });
});

describe("the locked packages", () => {
  const LOCKED = {
    "": { version: "0.0.0" },
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/b-elsewhere": { version: "1.0.0", integrity: "sha512-b", optional: true },
  };

  function differenceFor(installed: object | undefined): unknown {
    const scratch = mkdtempSync(path.join(tmpdir(), "bootstrap-test-"));
    writeFileSync(path.join(scratch, "package-lock.json"), JSON.stringify({ packages: LOCKED }));
    mkdirSync(path.join(scratch, "node_modules"));
    if (installed !== undefined)
      writeFileSync(path.join(scratch, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
    try {
      return packagesDifference(scratch);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }

  test("are not installed again after a plain npm ci, which leaves out what is for other platforms", () => {
    assert.equal(differenceFor({ "node_modules/a": LOCKED["node_modules/a"] }), undefined);
  });

  test("are installed where none are, one is missing, another or one too many", () => {
    assert.equal(differenceFor(undefined), "no packages are installed");
    assert.equal(differenceFor({ "node_modules/c": { version: "1.0.0" } }), "node_modules/a is not installed");
    assert.equal(
      differenceFor({ "node_modules/a": { version: "1.1.0", integrity: "sha512-a" } }),
      "node_modules/a is 1.1.0, not the locked 1.0.0",
    );
    assert.equal(
      differenceFor({ "node_modules/a": LOCKED["node_modules/a"], "node_modules/c": { version: "1.0.0" } }),
      "node_modules/c is installed and not locked",
    );
  });
});

describe("the entry of the npm scripts in a checkout without packages", () => {
  test("B1: leaves what a command prints to the command: npm's words are no part of it", () => {
    const scratch = mkdtempSync(path.join(tmpdir(), "bootstrap-test-"));
    for (const name of ["tools/bootstrap.mjs", "tools/bootstrap", "package.json", "package-lock.json"])
      cpSync(path.join(root, name), path.join(scratch, name), { recursive: true });
    writeFileSync(path.join(scratch, "npm"), "#!/bin/sh\necho added 588 packages\nexit 1\n", { mode: 0o755 });
    symlinkSync(process.execPath, path.join(scratch, "node"));
    const env = { PATH: scratch, HOME: scratch, KEYVAULT_INJECTOR_CACHE: path.join(scratch, "cache") };
    const args = [path.join(scratch, "tools/bootstrap.mjs"), "emulator", "--help"];
    const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
    rmSync(scratch, { recursive: true });

    assert.equal(stdout, "");
    assert.match(stderr, /installing the locked packages[\s\S]*added 588 packages[\s\S]*npm ci failed/);
  });
});

describe("the entry of the npm scripts", () => {
  /** Runs the bootstrap without Go and without a way to download it. */
  function bootstrap(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const scratch = mkdtempSync(path.join(tmpdir(), "bootstrap-test-"));
    // A PATH with node and the shell that npm uses, but without Go.
    symlinkSync(process.execPath, path.join(scratch, "node"));
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [path.join(root, "tools/bootstrap.mjs"), ...args],
        {
          env: {
            PATH: scratch,
            HOME: scratch,
            KEYVAULT_INJECTOR_CACHE: path.join(scratch, "cache"),
            KEYVAULT_INJECTOR_DOWNLOADS: "http://127.0.0.1:9",
          },
        },
        (error, stdout, stderr) => {
          rmSync(scratch, { recursive: true, force: true });
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        },
      );
    });
  }

  test("says what to install where the demo can have no control plane", {
    skip: packagesDifference(root) !== undefined && "the installed packages are not the locked ones",
  }, async () => {
    const { code, stderr } = await bootstrap(["demo"]);

    assert.equal(code, 1);
    assert.match(stderr, /needs Go >= 1\.26 .*no Go was found.*Install Go 1\.26 or newer/);
  });

  for (const word of ["--help", "-h"]) {
    test(`NV2: gets no control plane for who only asks what the demo takes: ${word}`, {
      skip: packagesDifference(root) !== undefined && "the installed packages are not the locked ones",
    }, async () => {
      const { code, stdout, stderr } = await bootstrap(["demo", word]);

      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^usage: npm run demo -- \[--keep\] \[--node\] /);
      assert.match(stdout, /^ {2}--keep +\S/m);
    });
  }

  test("names the tasks it knows", async () => {
    const { code, stderr } = await bootstrap(["demmo"]);

    assert.equal(code, 1);
    assert.match(stderr, /unknown task "demmo"; known: demo, test, check/);
  });
});

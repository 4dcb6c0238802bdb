import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { globSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { IMAGE } from "../../tools/image-files.ts";
import { REPOSITORIES } from "../../tools/release/make-release.ts";
import { blobFile, type Descriptor, digestOf, INDEX } from "../../tools/release/oci-layout.ts";
import { ARCHITECTURES, type Architecture } from "../../tools/release/platform.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { builtProgram, programRefusal } from "../e2e/support/binaries.ts";
import { installPackages } from "../e2e/support/debian-packages.ts";
import { HELM_VERSIONS, runHelm } from "../support/cluster/helm.ts";
import { emptyFolder, type MadeRelease, madeRelease, manifestIn, pushedReference } from "./support/made-release.ts";

const QEMU = "/usr/bin/qemu-aarch64-static";
const refusal =
  (process.arch === "x64" ? undefined : "needs an x64 machine, on which it runs arm64 under QEMU") ??
  programRefusal(["registry", "cosign", ...HELM_VERSIONS]) ??
  (process.getuid?.() === 0 ? undefined : "needs root: it runs the image's files by chroot") ??
  installPackages({ "qemu-user-static": QEMU });
const run = promisify(execFile);
/** Nothing of the caller's settings. */
const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/sbin:/usr/bin:/bin" };
/** Both architectures of the image unpacked and run, and cosign built where it was not. */
const TIMEOUT = 1_200_000;

describe("a release", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}`, timeout: TIMEOUT }, () => {
  let made: MadeRelease;
  const files: Partial<Record<Architecture, { readonly image: string; readonly cli: string }>> = {};
  const of = (architecture: Architecture) => files[architecture] ?? assert.fail(`${architecture} was not unpacked`);
  const pushed = (repository: string): string => pushedReference(made, repository);

  before(async () => {
    made = await madeRelease();
    for (const architecture of ARCHITECTURES) {
      const image = emptyFolder(made.scratch, `image-${architecture}`);
      for (const layer of layersOf(made, architecture)) await run("tar", ["-xzf", layer, "-C", image]);
      const cli = emptyFolder(made.scratch, `cli-${architecture}`);
      await run("tar", ["-xzf", path.join(made.folder, `keyvault-injector-${VERSION}-linux-${architecture}.tar.gz`), "-C", cli]);
      files[architecture] = { image, cli };
    }
  });
  after(() => made?.stop());

  test("is the same in every digest when it is made again", () => {
    for (const file of ["SHA256SUMS", "oci/index.json", "provenance.json"]) {
      assert.equal(readFileSync(path.join(made.again.folder, file), "utf8"), readFileSync(path.join(made.folder, file), "utf8"), file);
    }
    assert.deepEqual(blobsOf(made.again.folder), blobsOf(made.folder));
    for (const digest of blobsOf(made.folder))
      assert.equal(digestOf(readFileSync(blobFile(path.join(made.folder, "oci"), digest))), digest);
  });

  test("has the sums of its files, and krew those of its archives", () => {
    const sums = readFileSync(path.join(made.folder, "SHA256SUMS"), "utf8").trim().split("\n");
    assert.deepEqual(
      sums.map((line) => line.slice(66)),
      made.again.files.filter((file) => file !== "SHA256SUMS"),
    );
    execFileSync("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: made.folder });

    const { platforms } = parse(readFileSync(path.join(made.folder, "keyvault.yaml"), "utf8")).spec;
    assert.equal(platforms.length, 4);
    for (const { uri, sha256 } of platforms) assert.ok(sums.includes(`${sha256}  ${path.posix.basename(uri)}`), uri);
  });

  test("is in the registry by digest: each image, and each file", async () => {
    for (const repository of Object.values(REPOSITORIES)) {
      const [, digest = ""] = pushed(repository).split("@");
      const answer = await made.registry.get(`team/${repository}/manifests/${digest}`, {
        accept: `${INDEX}, application/vnd.oci.image.manifest.v1+json`,
      });
      assert.equal(digestOf(await answer.text()), digest);
    }
    const { layers } = manifestIn(path.join(made.folder, "oci"), pushed(REPOSITORIES.files).split("@")[1] ?? "");
    for (const { digest, annotations } of layers) {
      const blob = Buffer.from(await (await made.registry.get(`team/${REPOSITORIES.files}/blobs/${digest}`)).arrayBuffer());
      assert.ok(blob.equals(readFileSync(path.join(made.folder, annotations?.["org.opencontainers.image.title"] ?? ""))));
    }
    assert.equal(layers.length, made.again.files.length);
  });

  test("carries the same program in both images, and the same in both executables", () => {
    assert.deepEqual(treeOf(path.join(of("amd64").image, "app")), treeOf(path.join(of("arm64").image, "app")));
    assert.ok(treeOf(path.join(of("arm64").image, "app")).some((line) => line.startsWith("dist/main.js ")));
    assert.notDeepEqual(treeOf(of("amd64").image), treeOf(of("arm64").image), "Node and libraries are the architecture's own");

    const payloads = ARCHITECTURES.map((each) => payloadOf(readFileSync(path.join(of(each).cli, "keyvault-injector"))));
    assert.ok((payloads[0]?.length ?? 0) > 1_000_000);
    assert.ok(payloads[0]?.equals(payloads[1] ?? Buffer.alloc(0)));
    const others = ARCHITECTURES.map((each) => treeOf(of(each).cli).filter((line) => !line.startsWith("keyvault-injector ")));
    assert.deepEqual(others[0], others[1]);
  });

  test("starts the command line from the image, for both architectures", async () => {
    const [node, program] = IMAGE.entrypoint;
    const native = await reported("chroot", [
      "--userspec=65532:65532",
      of("amd64").image,
      `/usr/local/bin/${node}`,
      `${IMAGE.folder}/${program}`,
      "doctor",
    ]);
    const { image } = of("arm64");
    const emulated = await reported(QEMU, [
      "-L",
      image,
      path.join(image, "usr/local/bin/node"),
      path.join(image, "app", program),
      "doctor",
    ]);

    for (const answer of [native, emulated]) assert.match(answer, /^2 keyvault-injector doctor: no kubeconfig found;/);
  });

  test("has executables that need no Node, for both architectures", async () => {
    const manifest = path.join(made.scratch, "pod.yaml");
    writeFileSync(manifest, "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: a }] }\n");
    const commands = ARCHITECTURES.map((each) => path.join(of(each).cli, "keyvault-injector"));
    const [amd64 = "", arm64 = ""] = commands;
    for (const [args, said] of [
      [["version"], new RegExp(`^0 ${VERSION}$`, "m")],
      [["render", "--offline", manifest], /^0 .*kind: Pod/s],
      [["doctor"], /^2 keyvault-injector doctor: no kubeconfig found;/],
      [["webhook"], /^2 keyvault-injector: webhook runs in the cluster, from the image/],
      [["sync", "--help"], /^0 .*--rotation-poll-interval/s],
    ] as const) {
      assert.match(await reported(amd64, args), said);
      assert.match(await reported(QEMU, ["-L", of("arm64").image, arm64, ...args]), said);
    }
    const plugin = path.join(of("amd64").cli, "kubectl-keyvault");
    await run("ln", ["-s", "keyvault-injector", plugin]);
    assert.match(await reported(plugin, ["help", "doctor"]), /^0 .*\nusage: kubectl keyvault doctor /s);
  });

  test("has a program for Node that npx runs", async () => {
    const file = `./keyvault-injector-${VERSION}-node.tgz`;
    const environment = { PATH: `${path.dirname(process.execPath)}:${ENVIRONMENT.PATH}`, HOME: made.scratch };
    const { stdout } = await run("npx", ["--yes", "--offline", file, "version"], { cwd: made.folder, env: environment });
    assert.equal(stdout, `${VERSION}\n`);
  });

  for (const version of HELM_VERSIONS) {
    test(`has a chart that ${version} takes by digest, with the image by digest`, async () => {
      const chart = ["oci://" + pushed(REPOSITORIES.chart), "--plain-http"];
      const { code, stdout, stderr } = await runHelm(version, ["template", "kvi", ...chart, "--kube-version", "1.36.0"]);
      assert.equal(code, 0, stderr);
      const images = new Set(stdout.match(/image: "?\S*keyvault-injector[^\s"]*/g)?.map((line) => line.replace(/image: "?/, "")));
      assert.deepEqual([...images], [pushed(REPOSITORIES.image)]);
    });
  }

  test("is signed for cosign, with provenance for everything and a list of packages for each image", async () => {
    const image = pushed(REPOSITORIES.image);
    for (const repository of Object.values(REPOSITORIES)) {
      await cosign("verify", made.publicKey, "--allow-http-registry", pushed(repository));
      await cosign("verify-attestation", made.publicKey, "--allow-http-registry", "--type=slsaprovenance1", pushed(repository));
    }
    for (const { digest } of manifestIn(path.join(made.folder, "oci"), image.split("@")[1] ?? "").manifests) {
      await cosign("verify-attestation", made.publicKey, "--allow-http-registry", "--type=cyclonedx", `${image.split("@")[0]}@${digest}`);
    }
    const bundle = `--bundle=${path.join(made.folder, "provenance.sigstore.json")}`;
    const blob = (file: string) => cosign("verify-blob-attestation", made.publicKey, "--type=slsaprovenance1", bundle, file);
    for (const file of made.again.files) await blob(path.join(made.folder, file));

    // The controls: another key, and a file that is none of the release's.
    await assert.rejects(cosign("verify", made.otherPublicKey, "--allow-http-registry", image), /signatures do not match threshold/);
    const other = path.join(made.scratch, "other");
    writeFileSync(other, "none of the release's");
    await assert.rejects(blob(other), /digest/);
  });
});

/** Verification without a transparency log, as the documentation has it. */
async function cosign(verb: string, key: string, ...args: readonly string[]): Promise<void> {
  await run(await builtProgram("cosign"), [verb, `--key=${key}`, "--insecure-ignore-tlog", ...args], {
    env: ENVIRONMENT,
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Exit code and all that was printed. */
function reported(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { env: ENVIRONMENT }, (error, stdout, stderr) =>
      resolve(`${error === null ? 0 : error.code} ${stdout}${stderr}`),
    );
  });
}

function layersOf({ folder, again }: MadeRelease, architecture: Architecture): readonly string[] {
  const layout = path.join(folder, "oci");
  const { manifests } = manifestIn(layout, again.artifacts.image.digest);
  const manifest: Descriptor | undefined = manifests.find(({ platform }) => platform?.architecture === architecture);
  return manifestIn(layout, manifest?.digest ?? "").layers.map(({ digest }) => blobFile(layout, digest));
}

function blobsOf(folder: string): readonly string[] {
  return readdirSync(path.join(folder, "oci/blobs/sha256"))
    .sort()
    .map((name) => `sha256:${name}`);
}

/** Path, mode and digest of each file. */
function treeOf(folder: string): readonly string[] {
  return globSync("**/*", { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return `${path.relative(folder, file)} ${statSync(file).mode.toString(8)} ${digestOf(readFileSync(file))}`;
    })
    .sort();
}

/** The program in an executable: from the name of its script to the last of its assets. */
function payloadOf(executable: Buffer): Buffer {
  const start = executable.lastIndexOf("main.cjs");
  const end = executable.lastIndexOf("kind: CustomResourceDefinition");
  assert.ok(start > 0 && end > start, "the executable holds no program");
  return executable.subarray(start, end);
}

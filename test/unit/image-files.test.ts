import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import { build } from "../../tools/build.ts";
import { copyTo, IMAGE, type ImageFile, imageFiles } from "../../tools/image-files.ts";
import { packagesOf } from "../../tools/licences.ts";

const root = path.resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "image-files-"));
after(() => rmSync(folder, { recursive: true }));

const dist = path.join(folder, "dist");
await build(dist);
const files = imageFiles(dist);

/** Files that only development needs, or that only simulate Azure. */
function outOfPlace(listed: readonly ImageFile[]): readonly string[] {
  const { devDependencies, optionalDependencies } = readJson("package.json");
  const names = Object.keys({ ...devDependencies, ...optionalDependencies }).filter((name) => !name.startsWith("@types/"));
  const isDevelopment = (file: string): boolean =>
    names.some((name) => file.startsWith(`node_modules/${name}/`)) || /^(test|tools|src|docs|certs)\/|emulator|\.test\.|\.ts$/.test(file);
  return listed.map((file) => file.path).filter(isDevelopment);
}

function readJson(file: string): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return JSON.parse(readFileSync(path.join(root, file), "utf8"));
}

function contents(listed: readonly ImageFile[]): ReadonlyMap<string, string> {
  return new Map(listed.filter((file) => file.path.startsWith("dist/")).map((file) => [file.path, readFileSync(file.source, "latin1")]));
}

describe("the build", () => {
  test("gives the same files and bytes again, and takes away what an earlier one left", async () => {
    const again = path.join(folder, "again");
    mkdirSync(path.join(again, "webhook"), { recursive: true });
    writeFileSync(path.join(again, "webhook", "of-an-earlier-version.js"), "");

    await build(again);

    assert.deepEqual(contents(imageFiles(again)), contents(files));
    assert.ok(contents(files).has("dist/main.js"));
  });
});

describe("the program of the image", () => {
  const kubeconfig = path.join(folder, "kubeconfig");
  const cluster = { name: "c", cluster: { server: "https://127.0.0.1:1" } };
  const context = { name: "c", context: { cluster: "c", user: "u" } };
  const users = [{ name: "u", user: {} }];
  writeFileSync(kubeconfig, JSON.stringify({ clusters: [cluster], contexts: [context], "current-context": "c", users }));

  test("has the program of its decoding threads beside it", async () => {
    const thread = new Worker(path.join(dist, "decoding-thread.js"), { env: {} });
    const answer = once(thread, "message");
    thread.postMessage({ kind: "objects", text: "array:\n- |\n  objectName: a\n  objectType: secret\n" }, []);

    const [{ kind, answer: given }] = await answer;

    await thread.terminate();
    assert.deepEqual([kind, given.kind, given.objects.ok, given.objects.value[0].objectName], ["answer", "objects", true, "a"]);
    assert.ok(
      [...contents(files).values()].some((text) => text.includes("./decoding-thread.js")),
      "nothing starts it",
    );
  });

  /** Returns the output of `doctor` without a cluster. `doctor` reads the CRDs of the image. */
  const doctorIn = (image: string): string => {
    const { stdout, stderr } = spawnSync(process.execPath, [path.join(image, "dist/main.js"), "doctor", `--kubeconfig=${kubeconfig}`], {
      encoding: "utf8",
      env: {},
    });
    return stdout + stderr;
  };

  test("finds the files that it comes with", () => {
    const whole = path.join(folder, "image");
    copyTo(whole, files);
    assert.match(doctorIn(whole), /no answer from the API server https:\/\/127\.0\.0\.1:1 of context c \(connection refused\)/);
    assert.doesNotMatch(doctorIn(whole), /a bug; please report it/);

    const without = path.join(folder, "without-definitions");
    copyTo(
      without,
      files.filter(({ path: file }) => !file.startsWith("manifests/")),
    );
    assert.match(doctorIn(without), /a bug; please report it/);
  });
});

describe("the image's files", () => {
  test("are the program, the definitions that it heals from and its licence", () => {
    const tops = new Set(files.map((file) => file.path.split("/")[0]));
    assert.deepEqual([...tops], ["LICENSE", "dist", "manifests", "package.json"]);

    const listed = new Set(files.map((file) => file.path));
    assert.equal([...listed].filter((file) => file.startsWith("manifests/") && !file.startsWith("manifests/crds/")).length, 0);
  });

  test("say the licence of every package that the program is made with, each once", () => {
    const text = readFileSync(path.join(dist, "THIRD-PARTY-LICENCES.txt"), "utf8");
    for (const name of Object.keys(readJson("package.json")["dependencies"] ?? {})) {
      const { version = "" } = JSON.parse(readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8"));
      assert.equal(text.split(`\n${name} ${version} (`).length - 1 + Number(text.startsWith(`${name} ${version} (`)), 1, name);
    }
    const { devDependencies = {} } = readJson("package.json");
    assert.deepEqual(
      Object.keys(devDependencies).filter((name) => text.includes(`\n${name} `)),
      [],
    );
  });

  test("are nothing of development, of the tests or of the emulator", () => {
    assert.deepEqual(outOfPlace(files), []);

    const planted = ["tools/key-vault-emulator/main.ts", "node_modules/typescript/bin/tsc", "test/unit/x.test.js", "src/main.ts"];
    assert.deepEqual(outOfPlace(planted.map((file) => ({ path: file, source: "" }))), planted);
  });

  test("are made from the packages of a compiler's inputs: scoped, nested and its own", () => {
    const inputs = ["node_modules/@azure/identity/a.js", "node_modules/a/node_modules/b/lib/c.js", "node_modules/a/d.js", "src/main.ts"];
    assert.deepEqual(packagesOf(inputs), ["node_modules/@azure/identity", "node_modules/a", "node_modules/a/node_modules/b"]);
  });

  test("can't be listed without a build", () => {
    assert.throws(() => imageFiles(path.join(folder, "absent")), /absent is missing: run npm run build/);
  });
});

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Instructions of each build stage, without comments and with continued lines joined. */
function stagesOf(dockerfile: string): readonly (readonly Instruction[])[] {
  const lines = dockerfile
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter(Boolean);
  const instructions = lines.map((line) => ({ name: line.split(" ")[0] ?? "", text: line.slice(line.indexOf(" ") + 1) }));
  const stages: Instruction[][] = [];
  for (const instruction of instructions) {
    if (instruction.name === "FROM") stages.push([]);
    stages.at(-1)?.push(instruction);
  }
  return stages;
}

describe("the Dockerfile", () => {
  const [first = [], node = [], last = [], ...more] = stagesOf(readFileSync(path.join(root, "Dockerfile"), "utf8"));
  const texts = (stage: readonly Instruction[], name: string): readonly string[] =>
    stage.filter((instruction) => instruction.name === name).map(({ text }) => text);

  test("takes Node and the list's files into the image, and nothing else", () => {
    assert.equal(more.length, 0);
    assert.deepEqual(texts(first, "RUN").slice(1), [
      "npm ci --no-audit --no-fund --ignore-scripts",
      "node tools/build.ts && node tools/image-files.ts /image",
    ]);
    assert.deepEqual(texts(last, "COPY"), ["--from=node /usr/local/bin/node /usr/local/bin/node", `--from=build /image ${IMAGE.folder}`]);
    assert.deepEqual(
      last.map(({ name }) => name).filter((name) => name === "RUN" || name === "ADD" || name === "ENV"),
      [],
    );
  });

  test("builds on the builder's architecture, and takes Node for the image's", () => {
    assert.deepEqual(texts(first, "FROM"), ["--platform=$BUILDPLATFORM ${NODE_IMAGE} AS build"]);
    assert.deepEqual(node, [{ name: "FROM", text: "${NODE_IMAGE} AS node" }]);
    assert.deepEqual(texts(last, "FROM"), ["${RUNTIME_IMAGE}"]);
    assert.doesNotMatch(readFileSync(path.join(root, "Dockerfile"), "utf8"), /amd64|x64|x86_64|arm64/);
  });

  test("S14: takes base images by digest, or is told that they are not", () => {
    const [check = ""] = texts(first, "RUN");
    const given = new Set(texts(first, "ARG"));
    const build = (environment: Readonly<Record<string, string>>) =>
      spawnSync("sh", ["-c", check], { env: { PATH: process.env["PATH"] ?? "", UNPINNED: "no", ...environment }, encoding: "utf8" });
    const digest = `sha256:${"0".repeat(64)}`;
    const pinned = { NODE_IMAGE: `node:24@${digest}`, RUNTIME_IMAGE: `registry.example.com:5000/base@${digest}` };

    assert.deepEqual([...given], ["NODE_IMAGE", "RUNTIME_IMAGE", "UNPINNED"], "a stage sees the arguments that it names");
    for (const tags of [{ NODE_IMAGE: "node:24" }, { RUNTIME_IMAGE: "base:nonroot" }]) {
      const { status, stderr } = build({ ...pinned, ...tags });
      assert.equal(status, 1);
      assert.match(stderr, /^give NODE_IMAGE and RUNTIME_IMAGE by digest .*, or UNPINNED=yes$/m);
      assert.equal(build({ ...pinned, ...tags, UNPINNED: "yes" }).status, 0);
    }
    assert.deepEqual([build(pinned).status, build(pinned).stderr], [0, ""]);
  });

  test("runs what the list says, where it says, as the user it says", () => {
    assert.deepEqual(texts(last, "WORKDIR"), [IMAGE.folder]);
    assert.deepEqual(texts(last, "USER"), [IMAGE.user]);
    assert.deepEqual(texts(last, "ENTRYPOINT"), [JSON.stringify(IMAGE.entrypoint).replaceAll(",", ", ")]);
    assert.deepEqual(texts(last, "CMD"), [], "what is given to docker run is the program's own arguments");
  });

  test("builds with the Node that package.json asks for", () => {
    const dockerfile = readFileSync(path.join(root, "Dockerfile"), "utf8");

    const [, asked] = /^>=(\d+)\./.exec(readJson("package.json")["engines"]?.["node"] ?? "") ?? [];
    assert.ok(asked !== undefined);
    assert.equal(/^ARG NODE_IMAGE=node:(\d+)-/m.exec(dockerfile)?.[1], asked);
  });

  test("is sent exactly the files that it copies and that the list is made from", () => {
    const lines = readFileSync(path.join(root, ".dockerignore"), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    const sent = lines.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    const copied = texts(first, "COPY").flatMap((text) => text.split(" ").slice(0, -1));

    assert.equal(lines[0], "*");
    assert.deepEqual(sent.toSorted(), copied.toSorted());
    const unsent = files.filter(
      ({ path: file }) => !file.startsWith("dist/") && !sent.some((name) => file === name || file.startsWith(`${name}/`)),
    );
    assert.deepEqual(unsent, []);
  });
});

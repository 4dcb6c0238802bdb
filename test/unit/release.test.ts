import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { bundledPackages, compiled } from "../../tools/build.ts";
import { auditProblems, endedExceptions, readAnswer, readExceptions } from "../../tools/release/audit.ts";
import { makeBom } from "../../tools/release/sbom.ts";
import { REPOSITORY, readRepositoryFile } from "../../tools/repository-files.ts";
import { at } from "../support/cluster/shipped-manifests.ts";

const ADVISORY = "GHSA-aaaa-bbbb-cccc";
const found = {
  vulnerabilities: {
    outer: { via: ["inner"] },
    inner: { via: [{ url: `https://example.com/advisories/${ADVISORY}`, title: "Reads too far", severity: "high", name: "inner" }] },
  },
};
const clean = { vulnerabilities: {} };
const excused = (until: string) => [{ advisory: ADVISORY, package: "inner", why: "used on text of our own alone", until }];

describe("the audit of packages", () => {
  test("finds an advisory once, by the package that has it", () => {
    assert.deepEqual(auditProblems(found, [], "2026-11-24"), [`${ADVISORY} inner (high): Reads too far`]);
    assert.deepEqual(auditProblems(clean, [], "2026-11-24"), []);
  });

  test("excuses it until the exception's last day, and then no longer", () => {
    assert.deepEqual(auditProblems(found, excused("2026-11-24"), "2026-11-24"), []);
    assert.deepEqual(auditProblems(found, excused("2026-11-23"), "2026-11-24"), [
      `${ADVISORY} inner (high): Reads too far`,
      `${ADVISORY}: its exception ended on 2026-11-23`,
    ]);
  });

  test("wants an exception removed that excuses nothing any more", () => {
    assert.deepEqual(auditProblems(clean, excused("2026-12-31"), "2026-11-24"), [`${ADVISORY}: excepted, and no package has it`]);
  });

  test("takes no exception without advisory, reason and date", () => {
    const [whole] = excused("2026-12-31");
    assert.deepEqual(readExceptions(JSON.stringify([whole])), [whole]);
    for (const wrong of [{ advisory: "1234" }, { why: "fine" }, { until: "next year" }, { until: undefined }]) {
      assert.throws(() => readExceptions(JSON.stringify([{ ...whole, ...wrong }])), Object.keys(wrong)[0]);
    }
  });

  test("tells a registry that has no answer from one that has nothing to say, and names no host", () => {
    const host = ["registry.", "example.org"].join("");
    const refused = { message: `405 Method Not Allowed - POST https://${host}/-/npm/v1/security/advisories/bulk`, statusCode: 405 };
    const unreachable = { message: `request to https://${host}/-/npm/v1/security/advisories/bulk failed, reason: self-signed certificate` };
    const why = (answer: unknown): unknown => at(readAnswer(JSON.stringify(answer)), "why");
    assert.equal(why(refused), "the registry did not answer: 405 Method Not Allowed");
    assert.equal(why(unreachable), "the registry did not answer: request to failed, reason: self-signed certificate");
    assert.deepEqual(readAnswer(JSON.stringify(clean)), { kind: "report", report: clean });
    assert.throws(() => readAnswer("{}"));
  });

  test("has exceptions that hold today", () => {
    const exceptions = readExceptions(readRepositoryFile("tools/release/audit-exceptions.json"));
    assert.deepEqual(endedExceptions(exceptions, new Date().toISOString().slice(0, 10)), []);
  });
});

describe("the list of packages (CycloneDX)", () => {
  test("has exactly what is compiled in, with licence and the lockfile's checksum, and nothing that differs from run to run", async () => {
    const bom = await makeBom();
    const lock: { packages: Record<string, { version: string; integrity?: string }> } = JSON.parse(readRepositoryFile("package-lock.json"));
    const checksums = new Map(
      Object.entries(lock.packages).map(([folder, { version, integrity }]) => [
        `${folder.replace(/^.*node_modules\//, "")}@${version}`,
        integrity,
      ]),
    );

    assert.deepEqual(Object.keys(bom.metadata), ["component"]);
    assert.equal(bom["serialNumber"], undefined);
    const listed = bom.components.map(({ name, version }) => `${name}@${version}`);
    assert.deepEqual(listed.toSorted(), [...(await bundledPackages())].sort());
    assert.ok(listed.some((each) => each.startsWith("@azure/identity@")) && !listed.some((each) => each.startsWith("fast-check@")));
    for (const { name, version, purl, licenses, hashes } of bom.components) {
      const [hash] = hashes as readonly { readonly alg: string; readonly content: string }[];
      assert.match(purl, /^pkg:npm\//);
      assert.ok(licenses, name);
      assert.equal(hash?.alg, "SHA-512", name);
      assert.equal(`sha512-${Buffer.from(hash.content, "hex").toString("base64")}`, checksums.get(`${name}@${version}`), name);
    }
  });
});

describe("the compiled program", () => {
  test("has no API client that is never called, and loads no fetch of Node's beside its own", async () => {
    const { inputs, outputs } = await compiled();
    const modules = Object.keys(inputs).filter((file) => file.includes("@kubernetes/client-node/dist/gen/"));
    const loaded = new Set(Object.values(outputs).flatMap(({ inputs: used }) => Object.keys(used)));
    const imports = Object.values(outputs).flatMap((output) => output.imports);
    const external = imports.filter((each) => each.external && each.kind === "import-statement").map((each) => each.path);

    assert.ok(modules.length > 500, "the package has them, which is what is left out");
    assert.ok(modules.filter((file) => loaded.has(file)).length < 10);
    assert.ok(external.includes("node:tls"));
    assert.deepEqual(
      external.filter((name) => name === "http" || name === "node:http"),
      [],
    );
  });
});

describe("the signing script", () => {
  const script = path.join(REPOSITORY, "tools/release/sign-image.sh");
  const run = (...args: readonly string[]) => spawnSync(script, args, { encoding: "utf8", env: { PATH: "/usr/bin:/bin" } });

  test("says that nobody has run it", () => assert.match(readFileSync(script, "utf8").replaceAll(/\n# /g, " "), /HAS NOT RUN this script/));

  test("signs no tag, and says what it lacks", () => {
    assert.deepEqual([run().status, run("registry.example.com/kvi:1").status], [2, 2]);
    assert.match(run("registry.example.com/kvi:1").stderr, /has no digest/);
    assert.match(run(`registry.example.com/kvi@sha256:${"0".repeat(64)}`).stderr, /cosign is not installed/);
  });
});

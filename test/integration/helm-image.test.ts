/** An image of another version than the chart's: its program does not fit the chart's manifests. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { CHART, chartRefusal, HELM_VERSIONS, type HelmVersion, helmRefusal, renderChart, runHelm } from "../support/cluster/helm.ts";
import { fencedBlocks } from "../support/docs/markdown.ts";
import { type StubApiServer, sendJson, startStubApiServer } from "../support/processes/stub-api-server.ts";

const refusal = helmRefusal();
const skip = refusal === undefined ? false : `SKIPPED: ${refusal}`;

const NAME = "registry.example.com/platform/keyvault-injector";
const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHERS = ["0.3.0", "0.4.99", "v0.3.0"];

/** The images of a rendering that are ours. */
const imagesIn = (text: string): readonly string[] => [
  ...new Set([...text.matchAll(/^\s*image: "?(\S*keyvault-injector[^"\s]*)"?$/gm)].map(([, image = ""]) => image)),
];

describe("NC-1: an image of another version", { skip }, () => {
  for (const version of HELM_VERSIONS) {
    test(`NC-1: is refused with its field and the fix, by ${version}`, async () => {
      const whole = await chartRefusal(version, { set: [`image=${NAME}:0.3.0`] });
      assert.ok(
        whole.includes(
          `- image: ${NAME}:0.3.0 is version 0.3.0, but this chart installs ${VERSION}, and its manifests require the program of the same version. ` +
            `Set image.repository=${NAME} without a tag. To run another version on purpose, set its digest`,
        ),
        whole,
      );
      const apart = await chartRefusal(version, { set: [`image.repository=${NAME}`, "image.tag=0.3.0"] });
      assert.match(apart, /- image\.tag: 0\.3\.0 is version 0\.3\.0, but this chart installs .* Omit image\.tag\. To run another/);
    });
  }

  for (const tag of OTHERS) {
    test(`NC-1: is refused by its tag: ${tag}`, async () => {
      for (const set of [[`image=${NAME}:${tag}`], [`image.tag=${tag}`]])
        assert.match(
          await chartRefusal("helm-4", { set }),
          new RegExp(`- image\\S*: .*${tag} is version ${tag.replace("v", "")}, but this chart`),
        );
    });
  }

  const taken = [`:${VERSION}`, `:v${VERSION}`, "", ":stable", ":1", ":2026.11.26", ":0.3.0-mirror.4", `:0.3.0@${DIGEST}`, `@${DIGEST}`];
  for (const end of taken) {
    test(`NC-1: is not what has the chart's version, a name of one's own, or a digest: ${end || "no tag"}`, async () => {
      assert.deepEqual(imagesIn(await renderChart("helm-4", { set: [`image=localhost:5000/keyvault-injector${end}`] })), [
        `localhost:5000/keyvault-injector${end}`,
      ]);
    });
  }

  test("NC-1: may be one with a digest beside its tag", async () => {
    const set = [`image.repository=${NAME}`, "image.tag=0.3.0", `image.digest=${DIGEST}`];
    assert.deepEqual(imagesIn(await renderChart("helm-4", { set })), [`${NAME}@${DIGEST}`]);
  });
});

/** Answers to the requests that Helm makes before a dry run. */
const DISCOVERED: Readonly<Record<string, unknown>> = {
  "/version": { major: "1", minor: "36", gitVersion: "v1.36.0" },
  "/api": { kind: "APIVersions", versions: ["v1"] },
  "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
  "/api/v1": { kind: "APIResourceList", groupVersion: "v1", resources: [] },
};

/** A release of 0.3.0 with the image that its page on installing named, as Helm's storage in memory reads it. */
const RELEASE = {
  name: "akvsecretsprovider",
  namespace: "keyvault-injector",
  version: 1,
  info: { status: "deployed", first_deployed: "2026-01-01T00:00:00Z", last_deployed: "2026-01-01T00:00:00Z", deleted: "" },
  chart: { metadata: { apiVersion: "v2", name: "keyvault-injector", version: "0.3.0", appVersion: "0.3.0" }, values: {} },
  config: { image: `${NAME}:0.3.0` },
  manifest: "",
};

describe("NC-1: the command of the page on upgrading", { skip }, () => {
  let folder: string;
  let server: StubApiServer;
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "release-0.3.0-"));
    writeFileSync(path.join(folder, "release.yaml"), stringify([RELEASE]));
    server = await startStubApiServer(({ url }, response) => {
      const answer = DISCOVERED[url.pathname];
      sendJson(response, answer === undefined ? 404 : 200, answer ?? {});
    });
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  async function upgraded(version: HelmVersion, values: readonly string[]) {
    const args = ["upgrade", RELEASE.name, CHART, "--namespace", RELEASE.namespace, "--dry-run=client"];
    const storage = { HELM_DRIVER: "memory", HELM_MEMORY_DRIVER_DATA: path.join(folder, "release.yaml") };
    return runHelm(version, [...args, ...values], { ...storage, KUBECONFIG: server.kubeconfig });
  }

  const command = fencedBlocks(readRepositoryFile("docs/how-to/upgrade.md"))
    .map(({ text }) => text.replaceAll("\\\n", " "))
    .find((text) => text.includes("helm upgrade "));
  const [, given = ""] = /--namespace keyvault-injector\s+(.*)/.exec(command ?? "") ?? [];

  for (const version of HELM_VERSIONS) {
    test(`NC-1: runs this version's program where the release named another, by ${version}`, async () => {
      const { code, stdout, stderr } = await upgraded(version, given.split(/\s+/).filter(Boolean));

      assert.equal(code, 0, stderr);
      assert.deepEqual(imagesIn(stdout), [`${NAME}:${VERSION}`]);
    });

    test(`NC-1: fails without the image, with the field and the fix, by ${version}`, async () => {
      const { code, stderr } = await upgraded(version, ["--reset-then-reuse-values"]);

      assert.equal(code, 1);
      assert.ok(stderr.includes(`- image: ${NAME}:0.3.0 is version 0.3.0`), stderr);
    });
  }
});

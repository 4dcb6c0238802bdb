/** Reads the artifacts of `npm run release` from a real registry by digest. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { blobFile, type Descriptor, digestOf, INDEX, MANIFEST, OciLayout } from "../../tools/release/oci-layout.ts";
import { Registry } from "../../tools/release/registry.ts";
import { programRefusal } from "../e2e/support/binaries.ts";
import { type RunningRegistry, startRegistry } from "../support/processes/registry.ts";

const refusal = programRefusal(["registry"]);
/** `release:of-this-test`, bcrypt. */
const USERS = "release:$2b$04$E00B5VfEye0euujf/h5MB.u29nlKm46nGA49ZjDAtwU4VWwrHxVlO";

describe("the registry's client", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "layout-"));
  const layout = new OciLayout(folder);
  const image = (text: string): Descriptor => {
    const config = layout.addJson({ architecture: text }, "application/vnd.oci.image.config.v1+json");
    const layer = layout.addBlob(Buffer.from(`layer of ${text}`), "application/vnd.oci.image.layer.v1.tar+gzip");
    return layout.addJson({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }, MANIFEST);
  };
  const images = [image("amd64"), image("arm64")];
  const index = layout.addIndex(images, {});
  const chart = image("chart");
  layout.name("product:1.2.3", index);
  layout.name("charts/product:1.2.3", chart);
  layout.write();

  let server: RunningRegistry;
  before(async () => {
    server = await startRegistry();
  });
  after(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  test("pushes what the layout names, and everything below it, byte for byte", async () => {
    const pushed = await new Registry(`${server.host}/team`).pushLayout(folder);

    assert.deepEqual(
      pushed.map(({ repository, tag, digest }) => [repository, tag, digest]),
      [
        ["charts/product", "1.2.3", chart.digest],
        ["product", "1.2.3", index.digest],
      ],
    );
    const read = async (what: string, accept?: string) =>
      digestOf(Buffer.from(await (await server.get(what, accept === undefined ? {} : { accept })).arrayBuffer()));
    assert.equal(await read("team/product/manifests/1.2.3", INDEX), index.digest);
    assert.equal(await read(`team/charts/product/manifests/${chart.digest}`, MANIFEST), chart.digest);
    for (const { digest } of images) {
      assert.equal(await read(`team/product/manifests/${digest}`, MANIFEST), digest);
      const { config, layers }: { config: Descriptor; layers: readonly Descriptor[] } = JSON.parse(
        readFileSync(blobFile(folder, digest), "utf8"),
      );
      for (const blob of [config, ...layers]) assert.equal(await read(`team/product/blobs/${blob.digest}`), blob.digest);
    }
  });

  test("pushes again what is there", async () => {
    const again = await new Registry(`${server.host}/team`).pushLayout(folder);

    assert.deepEqual(again.map(({ digest }) => digest).toSorted(), [chart.digest, index.digest].toSorted());
  });

  test("attaches what is said of an image, each once, where the registry has no API for it", async () => {
    const registry = new Registry(`${server.host}/team`);
    const attached = { mediaType: "application/vnd.example+json", annotations: { kind: "example" } };
    for (const text of ["one", "other", "one"]) await registry.attach("product", index, JSON.stringify(text), attached);

    const answer = await server.get(`team/product/manifests/${index.digest.replace(":", "-")}`, { accept: INDEX });
    const { manifests }: { manifests: readonly Descriptor[] } = JSON.parse(await answer.text());
    assert.deepEqual(
      manifests.map(({ artifactType }) => artifactType),
      [attached.mediaType, attached.mediaType],
    );
    for (const { digest } of manifests) {
      const manifest: { subject: Descriptor; layers: readonly Descriptor[] } = JSON.parse(
        await (await server.get(`team/product/manifests/${digest}`, { accept: MANIFEST })).text(),
      );
      assert.equal(manifest.subject.digest, index.digest);
    }
  });

  test("says what the registry refused: a blob that is not what its name says", async () => {
    const damaged = mkdtempSync(path.join(tmpdir(), "layout-"));
    const broken = new OciLayout(damaged);
    const config = broken.addJson({}, "application/vnd.oci.image.config.v1+json");
    const layer = broken.addBlob("as it was", "application/vnd.oci.image.layer.v1.tar+gzip");
    broken.name("damaged:1", broken.addJson({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }, MANIFEST));
    broken.write();
    writeFileSync(blobFile(damaged, layer.digest), "otherwise");
    try {
      await assert.rejects(new Registry(server.host).pushLayout(damaged), /PUT \/v2\/damaged\/blobs\/uploads\/.*: 400 .*DIGEST_INVALID/s);
    } finally {
      rmSync(damaged, { recursive: true });
    }
  });

  test("signs in where it is asked to, with the credentials of the environment", async () => {
    const guarded = await startRegistry({ users: USERS });
    try {
      await assert.rejects(new Registry(guarded.host).pushLayout(folder), /401/);
      await assert.rejects(new Registry(guarded.host, { user: "release", password: "wrong" }).pushLayout(folder), /401/);
      await new Registry(guarded.host, { user: "release", password: "of-this-test" }).pushLayout(folder);

      const answer = await guarded.get("product/manifests/1.2.3", { accept: INDEX, credentials: "release:of-this-test" });
      assert.equal(answer.headers.get("docker-content-digest"), index.digest);
    } finally {
      await guarded.stop();
    }
  });
});

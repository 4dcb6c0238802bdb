/** Checks with Helm itself the chart's provenance that `npm run release` writes. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { generateKey, readKey } from "openpgp";
import { addChart } from "../../tools/release/artifacts.ts";
import { chartSigning } from "../../tools/release/chart-provenance.ts";
import { OciLayout } from "../../tools/release/oci-layout.ts";
import { Registry } from "../../tools/release/registry.ts";
import { VERSION } from "../../tools/repository-files.ts";
import { programRefusal } from "../e2e/support/binaries.ts";
import { HELM_VERSIONS, runHelm } from "../support/cluster/helm.ts";
import { type RunningRegistry, startRegistry } from "../support/processes/registry.ts";

const refusal = programRefusal(["registry", ...HELM_VERSIONS]);
const PASSPHRASE = "of-this-test-alone";
const DATE = "2026-01-02T03:04:05Z";

describe("the chart's provenance", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "chart-provenance-"));
  const file = (name: string): string => path.join(folder, name);
  let registry: RunningRegistry;

  before(async () => {
    for (const name of ["release", "other"]) {
      const { privateKey, publicKey } = await generateKey({ type: "rsa", rsaBits: 2048, userIDs: [{ name }], passphrase: PASSPHRASE });
      writeFileSync(file(`${name}.asc`), privateKey);
      // Helm's keyrings are binary.
      writeFileSync(file(`${name}.gpg`), (await readKey({ armoredKey: publicKey })).write());
    }
    registry = await startRegistry();
    const layout = new OciLayout(file("layout"));
    const { files, artifact } = await made(layout);
    layout.name(`charts/keyvault-injector:${VERSION}`, artifact);
    layout.write();
    for (const [name, content] of Object.entries(files)) writeFileSync(file(name), content);
    await new Registry(registry.host).pushLayout(layout.folder);
  });
  after(async () => {
    await registry?.stop();
    rmSync(folder, { recursive: true });
  });

  const made = async (layout: OciLayout) => {
    const sign = await chartSigning({ file: file("release.asc"), passphrase: PASSPHRASE });
    return addChart(layout, { image: undefined, annotations: {}, sign, date: DATE });
  };

  test("is the same when it is made again, and not made without the key's passphrase", async () => {
    const again = await made(new OciLayout(file("again")));
    for (const [name, content] of Object.entries(again.files)) assert.ok(readFileSync(file(name)).equals(Buffer.from(content)), name);
    assert.deepEqual(Object.keys(again.files), [`keyvault-injector-${VERSION}.tgz`, `keyvault-injector-${VERSION}.tgz.prov`]);
    await assert.rejects(chartSigning({ file: file("release.asc"), passphrase: undefined }), /set KEYVAULT_INJECTOR_CHART_PASSPHRASE/);
  });

  for (const version of HELM_VERSIONS) {
    test(`lets ${version} verify the chart that it pulls, by that key and no other`, async () => {
      const pull = (keyring: string) => {
        const chart = `oci://${registry.host}/charts/keyvault-injector`;
        const into = mkdtempSync(file("pulled-"));
        return runHelm(version, ["pull", chart, "--version", VERSION, "--plain-http", "-d", into, "--verify", "--keyring", file(keyring)]);
      };
      const { code, stdout, stderr } = await pull("release.gpg");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /Signed by: ?release/);
      assert.notEqual((await pull("other.gpg")).code, 0);
    });

    test(`lets ${version} verify the file, and find one that was changed`, async () => {
      const archive = file(`keyvault-injector-${VERSION}.tgz`);
      const verify = () => runHelm(version, ["verify", archive, "--keyring", file("release.gpg")]);
      const whole = readFileSync(archive);
      assert.equal((await verify()).code, 0);
      appendFileSync(archive, "x");
      assert.match((await verify()).stderr, /sha256 sum does not match/);
      writeFileSync(archive, whole);
    });
  }
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { VERSION } from "../../tools/repository-files.ts";

import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";

/** What users have installed: an upgrade starts from exactly these bytes. */
const RELEASED: Readonly<Record<string, string>> = {
  "0.1.0/crds.yaml": "1ad05a51e30a5215ce969df0df391360af355ad751af2bda13bc56ad3221e5b5",
  "0.1.0/keyvault-injector.yaml": "e7d616213eddecc40a5037046ba76d0e62fce2452e8868a3520804e880033291",
  "0.2.0/crds.yaml": "222580b84b2c3f97ba3b2678b578f82cf26e2f8ec55920047174c6a83f8144f2",
  "0.2.0/keyvault-injector.yaml": "5c04ae02184eccf9e2be25d50fb8aace8aff61c548a387ed4684af37b685fa33",
  "0.3.0/crds.yaml": "9f791e6ec52101e20bd188a4431b5cdd09a96a1587e4af3003e7e97ee681c350",
  "0.3.0/keyvault-injector.yaml": "a2b53a656a7878c0c9e865fce8347d7b08ba1029402e7dcc490788c2e555cb0a",
  "0.3.0/values.yaml": "0c2dc0e4480de70e333a3304f5fb3569195f1b5b2fdb28301a030769f4acd5c4",
};

const folder = path.join(MANIFESTS, "releases");

describe("rendered manifests of earlier releases", () => {
  test("are what they were when they were released", () => {
    const earlier = globSync("*/*.yaml", { cwd: folder }).filter((file) => !file.startsWith(`${VERSION}/`));
    const digests = earlier.map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(path.join(folder, file)))
        .digest("hex"),
    ]);
    assert.deepEqual(Object.fromEntries(digests), RELEASED);
  });

  test("exist for the version that is being built, which none of them is", () => {
    assert.ok(globSync(`${VERSION}/*.yaml`, { cwd: folder }).length > 0, VERSION);
    assert.ok(
      !Object.keys(RELEASED).some((file) => file.startsWith(`${VERSION}/`)),
      `${VERSION} is released: raise the version in package.json`,
    );
  });
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { SUMS } from "../../tools/release/raise-version.ts";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";

const folder = path.join(MANIFESTS, "releases");
/**
 * The files that users have installed: an upgrade starts from exactly these bytes. `npm run release -- VERSION --raise` adds the
 * files of a version.
 */
const RELEASED: Readonly<Record<string, string>> = Object.fromEntries(
  readRepositoryFile(SUMS)
    .trim()
    .split("\n")
    .map((line) => [line.slice(66), line.slice(0, 64)]),
);

describe("rendered manifests of earlier releases", () => {
  test("are what they were when they were released", () => {
    const earlier = globSync("*/*.yaml", { cwd: folder }).filter((file) => !file.startsWith(`${VERSION}/`));
    const digests = earlier.map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(path.join(folder, file)))
        .digest("hex"),
    ]);
    assert.ok(digests.length > 0);
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

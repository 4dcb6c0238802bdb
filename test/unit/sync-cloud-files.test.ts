import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";

import { cloudFileReader } from "../../src/sync/vault/cloud-files.ts";

let root: string;
let folder: string;

before(() => {
  root = mkdtempSync(path.join(tmpdir(), "cloud-files-"));
  folder = path.join(root, "clouds");
  // The layout in which the kubelet mounts a ConfigMap.
  mkdirSync(path.join(folder, "..2026_01"), { recursive: true });
  writeFileSync(path.join(folder, "..2026_01", "cloud.json"), "first");
  symlinkSync("..2026_01", path.join(folder, "..data"));
  symlinkSync("..data/cloud.json", path.join(folder, "cloud.json"));
});

after(() => rmSync(root, { recursive: true, force: true }));

function read(fileName: string): string {
  const contents = cloudFileReader(folder)?.(fileName);
  assert.ok(contents !== undefined);
  return contents.ok ? new TextDecoder().decode(contents.value) : contents.error;
}

describe("the folder of cloud files", () => {
  test("is read through the links of a mounted ConfigMap, and anew at each call", () => {
    assert.equal(read("cloud.json"), "first");
    mkdirSync(path.join(folder, "..2026_02"));
    writeFileSync(path.join(folder, "..2026_02", "cloud.json"), "second");
    symlinkSync("..2026_02", path.join(folder, "..data_tmp"));
    renameSync(path.join(folder, "..data_tmp"), path.join(folder, "..data"));
    assert.equal(read("cloud.json"), "second");
  });

  test("refuses a link that leads out of it, to a file or by a folder whose name begins like its own", () => {
    writeFileSync(path.join(root, "secret"), "not for you");
    mkdirSync(path.join(root, "clouds-other"));
    writeFileSync(path.join(root, "clouds-other", "x"), "not for you");
    symlinkSync("../secret", path.join(folder, "out"));
    symlinkSync("../clouds-other/x", path.join(folder, "sibling"));
    assert.equal(read("out"), "open out: the file is outside of its folder");
    assert.equal(read("sibling"), "open sibling: the file is outside of its folder");
  });

  test("words what cannot be read as Go does", () => {
    assert.equal(read("none.json"), "open none.json: no such file or directory");
    assert.equal(read("..data"), "read ..data: is a directory");
    symlinkSync("loop", path.join(folder, "loop"));
    assert.equal(read("loop"), "open loop: too many levels of symbolic links");
    assert.equal(read("x".repeat(300)), `open ${"x".repeat(300)}: file name too long`);
  });

  test("takes regular files up to 1 MiB", () => {
    writeFileSync(path.join(folder, "large"), "x".repeat(1_048_577));
    writeFileSync(path.join(folder, "full"), "x".repeat(1_048_576));
    execFileSync("mkfifo", [path.join(folder, "pipe")]);
    assert.equal(read("large"), "read large: larger than 1048576 bytes");
    assert.equal(read("full").length, 1_048_576);
    assert.equal(read("pipe"), "read pipe: not a regular file");
  });

  test("is not there where no folder is given", () => assert.equal(cloudFileReader(""), undefined));
});

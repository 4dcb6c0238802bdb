import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { FORBIDDEN } from "../../src/domain/injection/system-paths.ts";
import { injectionFiles } from "../../tools/injection-policy/files.ts";
import { injectionPolicies } from "../../tools/injection-policy/policies.ts";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";

const { inject, refuse } = injectionPolicies(VERSION);
const [mutating, validating] = [inject, refuse].map((objects) => JSON.stringify(objects[0]));

describe("the policies that inject", () => {
  test("read every annotation of pods that changes a pod, and write label and status", () => {
    for (const [name, key] of Object.entries(POD_ANNOTATIONS)) {
      // Written by the worker, and read by nobody.
      if (name === "rotated") continue;
      assert.ok(mutating?.includes(key), key);
      assert.ok(validating?.includes(key) || name === "status", key);
    }
    assert.ok(mutating?.includes(INJECTED_LABEL));
  });

  test("know every system path of the webhook", () => {
    for (const { trees, exact } of Object.values(FORBIDDEN))
      for (const path of [...trees, ...exact]) assert.ok(validating?.includes(path.replaceAll(".", String.raw`\\\\.`)), path);
  });

  test("depend on no other object: one that is missing would stop every pod", () => {
    for (const policy of [mutating, validating]) assert.doesNotMatch(policy ?? "", /paramKind|paramRef/);
  });

  test("are in the manifests as they are made", () => {
    for (const { file, text } of injectionFiles(VERSION)) assert.equal(readRepositoryFile(file), text);
  });
});

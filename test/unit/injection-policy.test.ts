import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SHIPPED_CONDITIONS } from "../../src/cli/shared/webhook-entry.ts";
import { INJECTED_LABEL, POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { FORBIDDEN_PATHS } from "../../src/domain/injection/system-paths.ts";
import { injectionFiles } from "../../tools/injection-policy/files.ts";
import { REFUSED } from "../../tools/injection-policy/mutation.ts";
import { injectionPolicy } from "../../tools/injection-policy/policies.ts";
import { readRepositoryFile, VERSION } from "../../tools/repository-files.ts";
import { at, listAt, parseManifests } from "../support/cluster/shipped-manifests.ts";

const [policy] = injectionPolicy(VERSION);
const text = JSON.stringify(policy);

describe("the policy that injects", () => {
  test("reads every annotation of pods that changes a pod, and writes label and status", () => {
    for (const [name, key] of Object.entries(POD_ANNOTATIONS)) {
      // The worker writes this annotation, and the policy does not read it.
      if (name !== "rotated") assert.ok(text.includes(key), key);
    }
    assert.ok(text.includes(INJECTED_LABEL));
  });

  test("knows every system path of the webhook", () => {
    for (const { trees, exact } of Object.values(FORBIDDEN_PATHS))
      for (const path of [...trees, ...exact]) assert.ok(text.includes(path.replaceAll(".", String.raw`\\\\.`)), path);
  });

  test("depends on no other object: one that is missing would stop every pod", () => {
    assert.doesNotMatch(text, /paramKind|paramRef/);
  });

  test("has each variable before it is used, and none that nobody uses", () => {
    const { variables, mutations } = policy.spec;
    const known = new Set<string>();
    const used = new Set<string>();
    for (const { name, expression } of [...variables, { name: "mutation", expression: mutations[0]?.jsonPatch.expression ?? "" }]) {
      for (const [, other = ""] of expression.matchAll(/variables\.(\w+)/g)) {
        assert.ok(known.has(other), `${name} uses ${other}`);
        used.add(other);
      }
      known.add(name);
    }
    assert.deepEqual(
      variables.map(({ name }) => name).filter((name) => !used.has(name)),
      [],
    );
  });

  test("is asked of the pods that the final check is about, which refuses those that it did", () => {
    const [check] = parseManifests(readRepositoryFile("manifests/policies/pod-volume.yaml"));
    const variables = listAt(check, "spec", "variables");
    const named = (name: string): string =>
      String(
        at(
          variables.find((variable) => at(variable, "name") === name),
          "expression",
        ),
      );
    const conditions = listAt(policy, "spec", "matchConditions").map((condition) => at(condition, "name"));

    for (const name of conditions) assert.ok(SHIPPED_CONDITIONS.includes(String(name)), `doctor takes ${String(name)} for somebody else's`);
    assert.deepEqual(policy.spec.matchConstraints, at(check, "spec", "matchConstraints"));
    assert.equal(named("status"), `object.metadata.annotations[?'${POD_ANNOTATIONS.status}'].orValue('')`);
    assert.ok(named("problem").includes(`variables.status.startsWith('${REFUSED}') ? variables.status.substring(${REFUSED.length})`));
  });

  test("takes a text apart into so many pieces and no more", () => {
    const splits = [...text.matchAll(/\.split\([^)]*\)/g)].map(([split]) => split);

    assert.ok(splits.length > 5);
    for (const split of splits) assert.match(split, /^\.split\(\\"[,/]\\", \d+\)$/);
  });

  test("CW-21: has a digest whose comment begins with the digest, in whole sentences", () => {
    const { text: made = "" } = injectionFiles(VERSION).find(({ file }) => file.endsWith(".ts")) ?? {};

    assert.match(made, /^\/\*\* Digest of the injection policy that this version ships\. \S+ generates this file\. \*\/\n/);
  });

  test("is in the manifests, and known to doctor, as it is made", () => {
    for (const { file, text: made } of injectionFiles(VERSION)) assert.equal(readRepositoryFile(file), made);
  });
});

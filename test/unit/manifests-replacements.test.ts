import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { describe, test } from "node:test";
import { at, listAt, MANIFESTS, readManifests } from "../support/cluster/shipped-manifests.ts";

const files = globSync("**/*.yaml", { cwd: MANIFESTS, exclude: ["helm/**", "releases/**"] }).sort();

describe("the replacements of the manifests", () => {
  test("NU1: select the targets of replacements by literal names, as older versions of kustomize do, and every policy on an account", () => {
    const targets = files.flatMap((file) =>
      readManifests(file).flatMap((document) => listAt(document, "replacements").flatMap((each) => listAt(each, "targets"))),
    );
    const names = targets.map((target) => String(at(target, "select", "name")));
    const isLiteral = (name: string): boolean => /^[a-z0-9.-]+$/.test(name);
    assert.ok(names.length > 20);
    assert.ok(!isLiteral("keyvault-injector-(sync|webhook)"));
    assert.deepEqual(
      names.filter((name) => !isLiteral(name)),
      [],
    );

    const ACCOUNT = "system:serviceaccount:keyvault-injector:";
    const onAccounts = files
      .filter((file) => /^(?:policies|components|overlays)\//.test(file))
      .flatMap((file) => readManifests(file))
      .filter(({ kind }) => kind === "ValidatingAdmissionPolicy")
      .filter((policy) => String(at(policy, "spec", "matchConditions", 0, "expression")).includes(ACCOUNT))
      .map(({ metadata }) => metadata.name);
    const referring = targets
      .filter((target) => listAt(target, "fieldPaths").includes("spec.matchConditions.0.expression"))
      .map((target) => String(at(target, "select", "name")));
    assert.ok(onAccounts.length > 10);
    assert.deepEqual(
      onAccounts.filter((name) => !referring.includes(name)),
      [],
    );
  });
});

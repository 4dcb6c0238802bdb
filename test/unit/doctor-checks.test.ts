import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkPolicies } from "../../src/cli/doctor/check-policies.ts";
import { checkRights } from "../../src/cli/doctor/check-rights.ts";
import { workerSettings } from "../../src/cli/doctor/class/class-look.ts";
import { settingsOf } from "../../src/cli/doctor/settings-in-force.ts";
import { holding } from "../support/held-objects.ts";
import { readRepositoryFile } from "../support/repository-files.ts";
import { type Manifest, parseManifests, readManifests } from "../support/shipped-manifests.ts";

const NAMESPACE = "keyvault-injector";

/** The shipped policies, after a change of their text. */
function policiesWith(change: (text: string) => string = (text) => text): readonly Manifest[] {
  const files: readonly string[] = Object(readManifests("policies/kustomization.yaml")[0])["resources"];
  return files.flatMap((file) => parseManifests(change(readRepositoryFile(`manifests/policies/${file}`))));
}

async function foundIn(policies: readonly Manifest[], namespace = NAMESPACE): Promise<readonly string[]> {
  const results = await checkPolicies({ viewer: holding(policies), namespace });
  return results.filter(({ state }) => state !== "OK").map(({ message }) => message);
}

describe("doctor's look at the policies", () => {
  test("finds nothing wrong with them as they are shipped", async () => {
    assert.deepEqual(await foundIn(policiesWith()), []);
  });

  test("takes another namespace of the node side for what it is", async () => {
    const moved = policiesWith((text) => text.replaceAll("'kube-system'", "'node-side'"));

    assert.ok(JSON.stringify(moved).includes("'node-side'"));
    assert.deepEqual(await foundIn(moved), []);
  });

  test("finds a policy that looks for the worker's own key in another namespace, kube-system among them", async () => {
    for (const elsewhere of ["elsewhere", "kube-system"]) {
      const moved = policiesWith((text) =>
        text.replaceAll("request.namespace == 'keyvault-injector'", `request.namespace == '${elsewhere}'`),
      );

      const expected = `policy keyvault-injector-sync-secrets is written for the install in namespace ${elsewhere}, not in keyvault-injector`;
      assert.deepEqual(await foundIn(moved), [expected]);
    }
  });

  test("finds each policy that names an account of another namespace, kube-system among them", async () => {
    for (const elsewhere of ["elsewhere", "kube-system"]) {
      const found = await foundIn(
        policiesWith((text) => text.replaceAll(":keyvault-injector:keyvault-injector-", `:${elsewhere}:keyvault-injector-`)),
      );

      assert.ok(found.length >= 5, found.join("; "));
      for (const message of found)
        assert.ok(message.endsWith(`is written for the install in namespace ${elsewhere}, not in keyvault-injector`));
    }
  });
});

const RBAC = ["base/sync-rbac.yaml", "components/namespaces/cluster-rights.yaml", "components/namespaces/binding.yaml"].flatMap(
  readManifests,
);

/** By the shipped component: a binding in each namespace, and none for the whole cluster. */
function boundIn(...namespaces: readonly string[]): readonly Manifest[] {
  const everywhere = ({ kind, metadata }: Manifest): boolean => kind === "ClusterRoleBinding" && metadata.name === "keyvault-injector-sync";
  const served = ({ metadata }: Manifest): boolean => metadata.name === "keyvault-injector-sync-served";
  const kept = RBAC.filter((object) => !everywhere(object));
  const copies = namespaces.flatMap((namespace) =>
    kept.filter(served).map((binding) => ({ ...binding, metadata: { ...binding.metadata, namespace } })),
  );
  return [...kept, ...copies];
}

async function lackingIn(objects: readonly Manifest[], namespaces = ""): Promise<readonly string[]> {
  const settings = workerSettings({ ...settingsOf(undefined), namespaces });
  const results = await checkRights({ viewer: holding(objects), namespace: NAMESPACE, settings });
  return results.filter(({ state }) => state !== "OK").map(({ message }) => message);
}

describe("doctor's look at the worker's rights", () => {
  test("finds nothing missing where each served namespace is bound", async () => {
    assert.deepEqual(await lackingIn(boundIn("one", "two"), "one,two"), []);
    assert.deepEqual(await lackingIn(RBAC), []);
    assert.deepEqual(await lackingIn(RBAC, "one,two"), []);
  });

  test("finds the served namespace that is not bound, and no other", async () => {
    const lacking = await lackingIn(boundIn("one"), "one,two");

    assert.ok(lacking.includes("the worker may not create, patch, delete secrets in two: no Secret is written"), lacking.join("; "));
    for (const message of lacking) assert.match(message, / in two: /);
  });

  test("counts no RoleBinding for an install that serves every namespace", async () => {
    const lacking = await lackingIn(boundIn("one", "two"));

    assert.ok(lacking.includes("the worker may not create, patch, delete secrets: no Secret is written"), lacking.join("; "));
  });
});

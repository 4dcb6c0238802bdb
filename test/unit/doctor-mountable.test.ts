import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CheckResult, DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkClasses } from "../../src/cli/doctor/checks/classes.ts";
import { checkNodes } from "../../src/cli/doctor/checks/nodes.ts";
import { counted } from "../../src/domain/words.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aClass } from "../support/fixtures/pods.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";
import { holding } from "../support/worker/held-objects.ts";

const OBJECTS = "array:\n  - |\n    objectName: a\n    objectType: secret\n";
const NAMESPACE = "keyvault-injector";

async function checked(objects: readonly Manifest[]): Promise<readonly CheckResult[]> {
  return checkClasses({ viewer: holding(objects), namespace: NAMESPACE } as unknown as DoctorContext); // The check reads nothing else.
}

/** The example class without any edits. */
function unedited(name: string): Manifest {
  const { spec } = aClass({ keyvaultName: "<key-vault-name>", tenantId: "<tenant-Id>" });
  return { ...usedClass(name, { objects: [] }), spec };
}

const sound = usedClass("sound", { objects: ["secret/db-pass"] });
const states = (results: readonly CheckResult[]) => results.map(({ state, message }) => `${state} ${message}`);

describe("NB4: doctor, of classes that no pod can mount", () => {
  test("names one that only pods would mount, and what to run", async () => {
    const results = await checked([sound, unedited("demo")]);

    assert.equal(results.length, 1);
    assert.match(states(results)[0] ?? "", /^WARN no pod can mount class shop\/demo: .*<key-vault-name>/);
    assert.equal(results[0]?.fix, "keyvault-injector doctor class shop/demo");
  });

  test("names five of many, and counts the rest", async () => {
    const results = await checked(Array.from({ length: 8 }, (_, index) => unedited(`demo-${index}`)));

    assert.equal(results.length, 6);
    assert.equal(results[5]?.message, "3 more classes cannot be mounted by any pod");
    assert.equal(results[5]?.fix, "keyvault-injector doctor class");
  });

  test("says once what the worker has said of a class", async () => {
    const conditions = [{ type: "Synced", status: "False", reason: "InvalidClass", message: "write the vault's name" }];
    const status = {
      apiVersion: "keyvault-injector.dev/v1alpha1",
      kind: "SecretProviderClassSync",
      metadata: { namespace: "shop", name: "demo" },
      status: { observedGeneration: 1, secrets: [], conditions },
    };
    assert.deepEqual(states(await checked([unedited("demo"), status])), ["WARN shop/demo is InvalidClass: write the vault's name"]);
  });

  test("leaves alone what pods can mount, what only Secrets lack, and classes of other providers", async () => {
    const parameters = { usePodIdentity: "true", keyvaultName: "kv", tenantId: "tenant", objects: OBJECTS };
    const foreign = { ...unedited("vault"), spec: { provider: "vault", parameters: {} } } as Manifest;
    const forMountsAlone = { ...unedited("pods"), spec: { provider: "azure", parameters } } as Manifest;

    assert.deepEqual(states(await checked([sound, foreign, forMountsAlone])), [
      "OK 0 classes have a status from the worker, and none of them fails; none of 3 classes has an error that stops its pods",
    ]);
  });
});

test("NC-23: doctor counts one class in the singular", async () => {
  const conditions = [{ type: "Synced", status: "True", reason: "Synced", message: "all is well" }];
  const status: Manifest = Object.assign(
    { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", status: { conditions, secrets: [] } },
    { metadata: { namespace: "shop", name: "web" } },
  );

  assert.deepEqual(states(await checked([sound, status])), [
    "OK 1 class has a status from the worker, and does not fail; the only class has no error that stops its pods",
  ]);
  assert.deepEqual([counted(1, "class"), counted(2, "class"), counted(2, "Secret")], ["1 class", "2 classes", "2 Secrets"]);
});

test("NC-23: doctor counts one node in the singular", async () => {
  const node = (name: string): Manifest => ({ apiVersion: "v1", kind: "Node", metadata: { name } });
  const said = async (...names: readonly string[]) => {
    const context = { viewer: holding(names.map(node)) } as unknown as DoctorContext; // All that the check asks for.
    return (await checkNodes(context)).map(({ message }) => message);
  };

  assert.deepEqual(await said("a"), ["0 of 1 node has the driver; without it: a"]);
  assert.deepEqual(await said("a", "b"), ["0 of 2 nodes have the driver; without it: a, b"]);
});

test("AT20-9: doctor names five failing classes of a namespace, and counts its others, so that another namespace's are seen", async () => {
  const failing = (namespace: string, name: string): Manifest => {
    const conditions = [{ type: "Synced", status: "False", reason: "InvalidClass", message: "write the vault's name" }];
    const status = { observedGeneration: 1, secrets: [], conditions };
    return { apiVersion: "keyvault-injector.dev/v1alpha1", kind: "SecretProviderClassSync", metadata: { namespace, name }, status };
  };
  const many = Array.from({ length: 3000 }, (_, index) => failing("evil", `c-${index}`));
  const results = await checked([...many, failing("shop", "cart")]);

  assert.equal(results.length, 7);
  assert.equal(results[5]?.message, "2995 more classes of evil fail");
  assert.equal(results[5]?.fix, "kubectl get spcsync -n evil");
  assert.match(results[6]?.message ?? "", /^shop\/cart is InvalidClass/);
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";

const NAMESPACE: Manifest = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };

async function explained(spc: Manifest): Promise<string> {
  const cluster = heldCluster([NAMESPACE, spc]);
  return (await runOffline(["explain", `spc/${spc.metadata.name}`, "-n", "shop"], "", { cluster })).output;
}

describe("NB3: explain, of a class without secretObjects that no pod mounts", () => {
  test("does not say that pods mount it", async () => {
    const output = await explained(usedClass("unused", { objects: ["secret/db-pass"] }));

    assert.equal(output.split("\n")[1], "  it lists no secretObjects, so nothing is synced; pods can still mount it", output);
    assert.match(output, /^ {2}ok +pods +no pod mounts it now$/m);
  });
});

describe("NB19: explain, of a class with workload identity", () => {
  const identity = async (annotations: Readonly<Record<string, string>>): Promise<string | undefined> => {
    const spc = usedClass("wi", { objects: ["secret/db-pass"], secrets: { db: { PASSWORD: "db-pass" } } });
    const parameters = { ...(spc.spec as { parameters: object }).parameters, clientID: "app-1" };
    const given = { ...spc, metadata: { ...spc.metadata, annotations }, spec: { ...(spc.spec as object), parameters } };
    return /^ {2}(.*identity .*)$/m.exec(await explained(given))?.[1]?.replaceAll(/ +/g, " ");
  };

  test("names both ServiceAccounts, and does not claim that the application trusts them", async () => {
    assert.equal(
      await identity({ "keyvault-injector.dev/service-account": "cart" }),
      "ok identity class wi uses workload identity as the application app-1: the worker signs in with the ServiceAccount cart, and each pod with its own; federated credentials are not checked",
    );
  });

  test("does not name the worker's ServiceAccount, if the class does not", async () => {
    assert.equal(
      await identity({}),
      "ok identity class wi uses workload identity as the application app-1: the worker signs in with the ServiceAccount of its pods, and each pod with its own; federated credentials are not checked",
    );
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { itemsOf } from "../../src/cli/manifest/items.ts";
import { createFacts, inTermsOfFiles } from "../../src/cli/shared/injection.ts";
import { warning } from "../../src/domain/injection/messages.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { aPod } from "../support/fixtures/pods.ts";
import { usedClass } from "../support/fixtures/used-objects.ts";
import { holding } from "../support/worker/held-objects.ts";

const GIVEN = readManifests("a.json", '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}').documents.flatMap(itemsOf);

describe("NC12: a class that does not exist", () => {
  const existing = { apiVersion: "v1", kind: "SecretProviderClass", metadata: { namespace: "shop", name: "web-secrets" } };
  const reported = async (name: string): Promise<string> => {
    const facts = createFacts(GIVEN, holding([existing]), "shop");
    const fact = await facts.classOf({ namespace: "shop", name });
    const text = warning("classMissingGuess", { class: name, secret: "creds" });
    const injection = { decision: { kind: "unchanged" }, classes: new Map([[name, fact]]) } as unknown as Parameters<
      typeof inTermsOfFiles
    >[2]; // What is read of it.
    return inTermsOfFiles(text, "shop", injection, facts);
  };

  test("is told with its consequence, and with what its volume gets", async () => {
    assert.equal(await reported("other"), 'SecretProviderClass "other" does not exist: pods wait for it (credentials: Secret "creds")');
  });

  test("is told with the class of the cluster that may be meant", async () => {
    assert.equal(
      await reported("web-secret"),
      'SecretProviderClass "web-secret" is neither in these files nor in the namespace; did you mean "web-secrets"? Pods wait for it (credentials: Secret "creds")',
    );
  });
});

describe("a class that a pod of the cluster names, and that does not exist", () => {
  const existing = usedClass("shop-secrets", { objects: ["secret/db-pass"] });
  const pod = JSON.stringify(aPod({ inject: "true", "secret-provider-class": "shop-secret" }));
  const waiting = async (): Promise<Manifest> => {
    const [injected] = JSON.parse((await runOffline(["render", "-f", "-", "-o", "json"], pod)).output).items;
    return { ...injected, metadata: { ...injected.metadata, name: "a2", namespace: "shop" }, status: { phase: "Pending" } };
  };
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  const explained = async (argv: readonly string[], input = "") =>
    (await runOffline(["explain", ...argv], input, { cluster: heldCluster([namespace, existing, await waiting()]) })).output;

  test("NB7: is told without a word of files, in its first line and in its step", async () => {
    const output = await explained(["pod/a2"]);
    const said = 'SecretProviderClass shop-secret does not exist in namespace shop; did you mean "shop-secrets"?';

    assert.equal(output.split("\n")[1], `  ${said}`, output);
    assert.ok(output.includes(`  PROBLEM  class        ${said}\n`), output);
    assert.equal(output.match(/SecretProviderClass "?shop-secret\b/g)?.length, 2, output);
    assert.doesNotMatch(output, /these files/);
  });

  test("NB7: is told with the files that were given", async () => {
    const output = await explained(["-f", "-", "-n", "shop"], pod);
    assert.match(output, /SecretProviderClass shop-secret is neither in these files nor in the namespace; did you mean "shop-secrets"\?/);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { fingerprintOf } from "../../src/azure/credential.ts";
import { createVaultClients } from "../../src/azure/vault-clients.ts";
import type { VaultClient } from "../../src/domain/ports/vault-client.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { PollingWorker } from "../support/worker/polling-worker.ts";

const FEDERATED: VaultIdentity = {
  kind: "workloadIdentity",
  clientId: "the-client",
  account: { namespace: "shop", name: "cart" },
  requestToken: () => Promise.reject(new Error("not asked for here")),
};

/** Vault clients for the classes of a namespace, and a clock that the test moves. */
function clientsOf(options: { readonly maxClients?: number } = {}) {
  let now = 0;
  const clients = createVaultClients({ ...options, now: () => now });
  const ask = (namespace: string, vault: string, clientId = "app"): VaultClient => {
    const address = { authorityHost: "https://login.microsoftonline.com/", tenantId: "t", vaultUrl: `https://${vault}.vault.azure.net/` };
    return clients.clientFor(address, { kind: "managedIdentity", clientId }, namespace);
  };
  return { ask, pass: (milliseconds: number): void => void (now += milliseconds) };
}

describe("the cache of clients", () => {
  test("keeps those used last of a namespace that has too many", () => {
    const { ask } = clientsOf({ maxClients: 2 });
    const [a, b] = [ask("n", "a"), ask("n", "b")];
    assert.equal(ask("n", "a"), a);
    ask("n", "c");

    assert.equal(ask("n", "a"), a);
    assert.notEqual(ask("n", "b"), b);
  });

  test("keeps a namespace's however many another one has", () => {
    const { ask } = clientsOf();
    const mine = ask("mine", "vault");
    for (let index = 0; index < 2_000; index += 1) ask("greedy", `v${index}`);

    assert.equal(ask("mine", "vault"), mine);
  });

  test("gives one namespace all that no other has", () => {
    const { ask } = clientsOf({ maxClients: 10 });
    ask("mine", "vault");
    const others = Array.from({ length: 9 }, (_, index) => ask("greedy", `v${index}`));

    assert.deepEqual(
      others.map((_, index) => ask("greedy", `v${index}`)),
      others,
    );
  });

  test("keeps what two namespaces use while one of them keeps it", () => {
    const { ask } = clientsOf({ maxClients: 10 });
    const shared = ask("mine", "vault");
    assert.equal(ask("greedy", "vault"), shared, "an identity of the node is the same for both");
    for (let index = 0; index < 50; index += 1) ask("greedy", `v${index}`);

    assert.equal(ask("mine", "vault"), shared);
  });

  test("takes what nobody has used for an hour first, whoever had it: namespaces go", () => {
    const { ask, pass } = clientsOf({ maxClients: 10 });
    for (let index = 0; index < 8; index += 1) ask(`former-${index}`, "vault-of-then", `app-${index}`);
    pass(3_600_000);
    const [a, b, c] = [ask("mine", "a"), ask("mine", "b"), ask("mine", "c")];

    assert.deepEqual([ask("mine", "a"), ask("mine", "b"), ask("mine", "c")], [a, b, c]);
  });

  test("has room for a namespace that comes when all have one each: the one that was used longest ago goes", () => {
    const { ask } = clientsOf({ maxClients: 3 });
    const [a, b] = [ask("a", "a"), ask("b", "b"), ask("c", "c")];
    assert.equal(ask("a", "a"), a);
    ask("d", "d");

    assert.equal(ask("a", "a"), a);
    assert.notEqual(ask("b", "b"), b);
  });

  test("is asked by the worker in the name of the class's namespace", async () => {
    const worker = new PollingWorker();
    await worker.givenObjects("a");
    const one = await worker.synced({ objects: ["a"] });

    assert.deepEqual([...worker.vaults.namespaces], [one.provider.metadata.namespace]);
    assert.ok(one.provider.metadata.namespace);
  });

  test("tells identities apart without holding the client secret", () => {
    const identity = (secret: string, clientId = "c") =>
      ({ kind: "servicePrincipal", clientId, clientSecret: Sensitive.ofText(secret) }) as const;
    const key = new Uint8Array(32);
    const fingerprints = [identity("canary"), identity("canary2"), identity("canary", "d")].map((each) => fingerprintOf(each, key));
    assert.equal(new Set(fingerprints).size, 3);
    assert.equal(fingerprintOf(identity("canary"), key), fingerprints[0]);
    assert.notEqual(fingerprintOf(identity("canary"), new Uint8Array(32).fill(1)), fingerprints[0]);
    assert.doesNotMatch(fingerprints.join(), /canary/);
  });

  test("tells the same application apart by its account, and the identities of the node", () => {
    const key = new Uint8Array(32);
    const ofAccount = (namespace: string, name: string): VaultIdentity => ({ ...FEDERATED, account: { namespace, name } });
    const distinct: readonly VaultIdentity[] = [
      ofAccount("shop", "cart"),
      ofAccount("shop", "other"),
      ofAccount("elsewhere", "cart"),
      { ...FEDERATED, clientId: "other" },
      { kind: "managedIdentity", clientId: undefined },
      { kind: "managedIdentity", clientId: "the-client" },
      { kind: "managedIdentity", clientId: "" },
    ];
    assert.equal(new Set(distinct.map((each) => fingerprintOf(each, key))).size, distinct.length);
    assert.equal(fingerprintOf(ofAccount("shop", "cart"), key), fingerprintOf(FEDERATED, key));
  });
});

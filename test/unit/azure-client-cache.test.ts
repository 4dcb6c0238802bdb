import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { fingerprintOf } from "../../src/azure/credential.ts";
import { LruCache } from "../../src/azure/lru-cache.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";

const FEDERATED: VaultIdentity = {
  kind: "workloadIdentity",
  clientId: "the-client",
  account: { namespace: "shop", name: "cart" },
  requestToken: () => Promise.reject(new Error("not asked for here")),
};

describe("the cache of clients", () => {
  test("keeps the entries used last", () => {
    const cache = new LruCache<object>(2);
    const [a, b] = [cache.getOrCreate("a", () => ({})), cache.getOrCreate("b", () => ({}))];
    assert.equal(
      cache.getOrCreate("a", () => ({})),
      a,
    );
    cache.getOrCreate("c", () => ({}));
    assert.equal(
      cache.getOrCreate("a", () => ({})),
      a,
    );
    assert.notEqual(
      cache.getOrCreate("b", () => ({})),
      b,
    );
    assert.equal(cache.size, 2);
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

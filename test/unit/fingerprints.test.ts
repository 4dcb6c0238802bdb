import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret } from "../../src/domain/kubernetes.ts";
import type { DesiredSecret } from "../../src/domain/secret-objects/desired-secret.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { wantedFrom } from "../../src/sync/secrets/secret-body.ts";
import { observeStoredSecret } from "../../src/sync/secrets/secret-store.ts";

const KEY = new Uint8Array(32).fill(7);
const fingerprints = createFingerprints(KEY);

function desired(name: string, value: string): DesiredSecret {
  const data = new Map([["password", Sensitive.ofText(value)]]);
  return { name, type: "Opaque", labels: {}, annotations: {}, data, sources: new Map(), objects: [`secret/${name}@1`] };
}

const fingerprintOf = (namespace: string, name: string, value: string): string =>
  wantedFrom(desired(name, value), fingerprints, { namespace, observed: undefined }).fingerprint;

/** The Secret as the API server stores it after the worker wrote it with the fingerprint. */
function stored(namespace: string, value: string, content: string): Secret {
  const fieldsV1 = { "f:data": { "f:password": {} }, "f:metadata": { "f:labels": { [`f:${MANAGED_LABEL}`]: {} } } };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      namespace,
      name: "db",
      uid: "1",
      labels: { [MANAGED_LABEL]: "true" },
      annotations: { [SECRET_ANNOTATIONS.class]: "demo", [SECRET_ANNOTATIONS.content]: content },
      managedFields: [{ manager: "keyvault-injector-sync", operation: "Update", fieldsV1 }],
    },
    type: "Opaque",
    data: { password: Buffer.from(value).toString("base64") },
  };
}

/** The fingerprint as version 0.3.0 made it: each part follows its length. */
function of030(...parts: readonly string[]): string {
  const hmac = createHmac("sha256", KEY);
  for (const part of parts) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(part));
    hmac.update(length).update(part);
  }
  return `v1:${hmac.digest("hex")}`;
}

describe("the fingerprint of a Secret", () => {
  test("S8: does not tell that another namespace's Secret holds the same data", () => {
    assert.notEqual(fingerprintOf("payments", "db", "hunter2"), fingerprintOf("attacker", "db", "hunter2"));
  });

  test("S8: does not tell that another Secret of the namespace holds the same data", () => {
    assert.notEqual(fingerprintOf("payments", "db", "hunter2"), fingerprintOf("payments", "guess", "hunter2"));
  });

  test("is the same for the same Secret and data, and another for other data", () => {
    assert.equal(fingerprintOf("payments", "db", "hunter2"), fingerprintOf("payments", "db", "hunter2"));
    assert.notEqual(fingerprintOf("payments", "db", "hunter2"), fingerprintOf("payments", "db", "hunter3"));
    assert.match(fingerprintOf("payments", "db", "hunter2"), /^v2:[0-9a-f]{64}:[0-9a-f]{64}$/);
  });

  test("shows an edit of the data, and a copy into another namespace", () => {
    const content = fingerprintOf("payments", "db", "hunter2");

    assert.equal(observeStoredSecret(stored("payments", "hunter2", content), fingerprints).isContentIntact, true);
    assert.equal(observeStoredSecret(stored("payments", "edited", content), fingerprints).isContentIntact, false);
    assert.equal(observeStoredSecret(stored("attacker", "hunter2", content), fingerprints).isContentIntact, false);
  });
});

describe("the fingerprint of a Secret that 0.3.0 wrote", () => {
  const content = of030("password", "hunter2");
  const observed = observeStoredSecret(stored("payments", "hunter2", content), fingerprints);
  const wanted = (value: string) => wantedFrom(desired("db", value), fingerprints, { namespace: "payments", observed });

  test("is recognised, and shows an edit", () => {
    assert.equal(observed.isContentIntact, true);
    assert.equal(observeStoredSecret(stored("payments", "edited", content), fingerprints).isContentIntact, false);
  });

  test("stays while the data does, and gives way to a new one with the data", () => {
    assert.equal(wanted("hunter2").fingerprint, content);
    assert.match(wanted("hunter3").fingerprint, /^v2:/);
  });
});

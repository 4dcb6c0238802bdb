import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { desiredClass } from "../../src/domain/gateways/desired-class.ts";
import { tlsOwner } from "../../src/domain/gateways/tls-owner.ts";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import {
  ASKED,
  claimedBy,
  droppedBy,
  gateway,
  ingress,
  made,
  NOT_YET,
  owning,
  plan,
  saidBy,
  statesOf,
} from "../support/fixtures/gateway-plans.ts";

describe("an Ingress that names a certificate", () => {
  const wanted = [{ hosts: ["a.example", "b.example"], secretName: "keyvault-web" }];
  const classes = [made(ingress())];

  test("has spec.tls written for the hosts of its rules where it asks for that", () => {
    const found = plan(ingress(), { classes });
    assert.deepEqual(claimedBy(found), ["keyvault-web"]);
    assert.deepEqual(found.references?.claimed[0]?.reference.wanted, wanted);
    assert.deepEqual(plan(ingress({ tls: wanted }), { classes }).references, undefined);
  });

  test("gets a Secret alone where it does not", () => {
    const found = plan(ingress({ annotations: ASKED }), { classes });
    assert.deepEqual([statesOf(found), found.references, found.notices], [["ready"], undefined, []]);
  });

  test("has the hosts follow its rules, and spec.tls of somebody else left alone", () => {
    const before = [{ hosts: ["a.example"], secretName: "keyvault-web" }];
    const tlsOwned = [owning("helm", "f:spec", "f:tls")];
    assert.deepEqual(claimedBy(plan(ingress({ tls: before }), { classes })), ["keyvault-web"]);
    assert.deepEqual(claimedBy(plan(ingress({ tls: before, managedFields: tlsOwned }), { classes })), []);
    assert.deepEqual(statesOf(plan(ingress({ tls: [{ secretName: "mine" }], managedFields: tlsOwned }), { classes })), ["conflict"]);
    assert.deepEqual(statesOf(plan(ingress({ tls: [{ secretName: "mine" }, { secretName: "keyvault-web" }] }), { classes })), ["ready"]);
  });

  const byArgo = { managedFields: [owning("argocd", "f:spec", "f:tls")] };
  for (const [what, tls] of [
    ["for some of its hosts", [{ hosts: ["a.example"], secretName: "keyvault-web" }]],
    ["without hosts, as a conflict advises", [{ secretName: "keyvault-web" }]],
  ] as const)
    test(`R20-6: is ready where somebody else names its Secret in spec.tls ${what}`, () => {
      const found = plan(ingress({ tls, ...byArgo }), { classes });
      assert.deepEqual([statesOf(found), found.references, found.notices], [["ready"], undefined, []]);
      assert.deepEqual(
        statesOf(plan(ingress({ tls, ...byArgo }), { classes, secret: NOT_YET })),
        ["pending"],
        "not before its Secret is there",
      );
    });

  test("R20-6: is told whose an empty spec.tls is, which is not written over", () => {
    const found = plan(ingress({ tls: [], ...byArgo }), { classes });
    assert.deepEqual([statesOf(found), found.references], [["conflict"], undefined]);
    assert.match(saidBy(found), /^TlsConflict: spec\.tls is not changed: it was written by argocd; /);
  });

  test("has spec.tls removed with the annotation", () => {
    assert.deepEqual(droppedBy(plan(ingress({ annotations: {}, tls: wanted }), { classes })), ["keyvault-web"]);
    assert.deepEqual(droppedBy(plan(ingress({ annotations: {}, tls: [...wanted, { secretName: "mine" }] }), { classes })), []);
  });
});

describe("the name of a class", () => {
  test("is never cut: what would be too long is said", () => {
    const metadata = { namespace: "team", name: "a".repeat(240), uid: "u", resourceVersion: "7" };
    const spec = { gatewayClassName: "named", listeners: [{ name: "https", protocol: "HTTPS", tls: { options: ASKED } }] };
    const owner = tlsOwner("Gateway", { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", metadata, spec } as KubeObject); // The object has a spec.
    const found = plan(owner, { classes: [] });
    assert.deepEqual(found.applied, []);
    assert.match(
      saidBy(found),
      /^InvalidTlsOption: metadata\.name and the listener's name: .*more than 253 characters in its name; write shorter names$/,
    );
  });

  test("is that of the Secret", () => {
    const owner = gateway();
    const address = { keyvaultName: "shop", cloudName: "AzurePublicCloud", objectName: "web", objectVersion: undefined };
    const { metadata, spec } = desiredClass({
      owner,
      name: "kv-gw-cert-web-https",
      address,
      identity: { account: undefined, parameters: {} },
    });
    assert.equal(spec?.secretObjects?.[0]?.secretName, metadata.name);
  });
});

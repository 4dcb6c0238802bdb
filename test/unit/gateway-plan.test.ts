import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MADE_FOR } from "../../src/domain/annotations.ts";
import { GATEWAY_MANAGER } from "../../src/domain/gateways/made-for.ts";
import { TLS_KEYS } from "../../src/domain/gateways/tls-entry.ts";
import {
  ADDRESS,
  ASKED,
  claimedBy,
  droppedBy,
  gateway,
  made,
  NOT_YET,
  OURS,
  owning,
  plan,
  READY,
  REFS,
  saidBy,
  statesOf,
  type World,
} from "../support/fixtures/gateway-plans.ts";

describe("a listener that names a certificate", () => {
  test("gets a class of its own, which it owns, by the identity of its account", () => {
    const found = plan(gateway(), { classes: [], secret: NOT_YET });

    assert.deepEqual(statesOf(found), ["pending"]);
    assert.deepEqual(found.applied, [
      {
        apiVersion: "secrets-store.csi.x-k8s.io/v1",
        kind: "SecretProviderClass",
        metadata: {
          namespace: "team",
          name: "kv-gw-cert-web-https",
          labels: { [MADE_FOR]: "Gateway" },
          annotations: { [MADE_FOR]: "web", "keyvault-injector.dev/sync": "always", "keyvault-injector.dev/service-account": "reader" },
          ownerReferences: [{ apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", name: "web", uid: "u", controller: true }],
        },
        spec: {
          provider: "azure",
          parameters: {
            keyvaultName: "shop",
            cloudName: "AzurePublicCloud",
            clientID: "client",
            tenantID: "tenant",
            objects: 'array:\n  - |\n    objectName: "web"\n    objectType: secret\n',
          },
          secretObjects: [
            {
              secretName: "kv-gw-cert-web-https",
              type: "kubernetes.io/tls",
              data: [
                { objectName: "web", key: "tls.key" },
                { objectName: "web", key: "tls.crt" },
              ],
            },
          ],
        },
      },
    ]);
  });

  test("keeps the version that its address names", () => {
    const options = { ...ASKED, [TLS_KEYS.address]: `${ADDRESS}/0123abcd` };
    const [desired] = plan(gateway({ options }), { classes: [] }).applied;
    assert.match(desired?.spec?.parameters?.["objects"] ?? "", /objectVersion: "0123abcd"/);
  });

  test("is referred to the Secret once that is there, and not before", () => {
    assert.deepEqual(claimedBy(plan(gateway(), { secret: NOT_YET })), []);
    assert.deepEqual(claimedBy(plan(gateway(), { secret: READY })), ["kv-gw-cert-web-https"]);
  });

  test("is left as it is once all is there", () => {
    const settled = gateway({ certificateRefs: OURS });
    assert.deepEqual(plan(settled), {
      applied: [],
      references: undefined,
      removed: [],
      notices: [],
      certificates: [{ className: "kv-gw-cert-web-https", state: "ready" }],
    });
    const byItsAuthor = gateway({ certificateRefs: OURS, managedFields: [owning("kubectl", ...REFS)] });
    assert.deepEqual(statesOf(plan(byItsAuthor)), ["ready"]);
    assert.equal(plan(byItsAuthor).references, undefined);
  });

  test("keeps references of somebody else, who is named", () => {
    const other = gateway({ certificateRefs: [{ name: "mine" }], managedFields: [owning("helm", ...REFS)] });
    const found = plan(other);

    assert.deepEqual(statesOf(found), ["conflict"]);
    assert.equal(found.references, undefined);
    assert.equal(
      saidBy(found),
      "TlsConflict: spec.listeners[https].tls.certificateRefs is not changed: it was written by helm; remove it there, name the Secret kv-gw-cert-web-https in it, or remove kubernetes.azure.com/tls-cert-keyvault-uri from the Gateway",
    );
  });

  test("R20-6: is told whose an empty list of references is, which is not written over", () => {
    const empty = gateway({ certificateRefs: [], managedFields: [owning("argocd", ...REFS)] });
    const found = plan(empty);

    assert.deepEqual([statesOf(found), found.references], [["conflict"], undefined]);
    assert.equal(
      saidBy(found),
      "TlsConflict: spec.listeners[https].tls.certificateRefs is not changed: it was written by argocd; remove it there, name the Secret kv-gw-cert-web-https in it, or remove kubernetes.azure.com/tls-cert-keyvault-uri from the Gateway",
    );
  });

  test("has its class written again where somebody changed it, and left alone where somebody added to it", () => {
    const own = made(gateway());
    const spec = { ...own.spec, parameters: { ...own.spec?.parameters, keyvaultName: "other" } };
    assert.equal(plan(gateway(), { classes: [{ ...own, spec }] }).applied.length, 1);
    const metadata = { ...own.metadata, labels: { ...own.metadata.labels, team: "shop" } };
    assert.deepEqual(plan(gateway(), { classes: [{ ...own, metadata }] }).applied, []);
  });

  for (const [who, taken, words] of [
    ["somebody else", { ...made(gateway()), owners: "[]" }, /someone else wrote it \(team\/kv-gw-cert-web-https\)/],
    ["a copy that somebody made of such a class", made(gateway(), "kubectl"), /someone else wrote it/],
    [
      "another Gateway",
      made(gateway(), GATEWAY_MANAGER, { annotations: { [MADE_FOR]: "web-https" } }),
      /the worker created it for Gateway\/team\/web-https/,
    ],
    ["App Routing", made(gateway(), "aks-app-routing-operator"), /the AKS add-on App Routing created it/],
    [
      "App Routing, by its label",
      made(gateway(), GATEWAY_MANAGER, { labels: { "app.kubernetes.io/managed-by": "aks-app-routing-operator" } }),
      /the AKS add-on App Routing created it/,
    ],
  ] as const)
    test(`leaves a class of its name to ${who}`, () => {
      const found = plan(gateway(), { classes: [taken] });
      assert.deepEqual([statesOf(found), found.applied, found.references], [["conflict"], [], undefined]);
      assert.match(saidBy(found), words);
    });

  test("waits for a class that is being restored after its CRD was lost, and says nothing of it", () => {
    const found = plan(gateway(), { classes: [made(gateway(), "keyvault-injector-sync")] });
    assert.deepEqual(found, {
      applied: [],
      references: undefined,
      removed: [],
      notices: [],
      certificates: [{ className: "kv-gw-cert-web-https", state: "pending" }],
    });
  });

  test("says why its class is not mirrored, and keeps the reference to a Secret that is there", () => {
    const problem = "ObjectNotFound: not found in the vault";
    const found = plan(gateway({ certificateRefs: [] }), { secret: { isMade: true, problem } });
    assert.deepEqual(statesOf(found), ["failed"]);
    assert.deepEqual(claimedBy(found), ["kv-gw-cert-web-https"]);
    assert.equal(
      saidBy(found),
      `CertificateNotSynced: the Secret kv-gw-cert-web-https does not match the vault: ${problem} (SecretProviderClass kv-gw-cert-web-https)`,
    );
  });

  for (const [what, facts, message] of [
    [
      "an address that is none",
      { options: { ...ASKED, [TLS_KEYS.address]: "x" } },
      /^InvalidTlsOption: spec\.listeners\[https\]\.tls\.options: kubernetes\.azure\.com\/tls-cert-keyvault-uri is not an https/,
    ],
    [
      "an account that is not there",
      { options: { ...ASKED, [TLS_KEYS.account]: "nobody" } },
      /tls-cert-service-account: the namespace has no ServiceAccount with that name; create it/,
    ],
    [
      "an account without an identity",
      { options: { ...ASKED, [TLS_KEYS.account]: "bare" } },
      /no annotation azure\.workload\.identity\/client-id; set it/,
    ],
    [
      "an account without a tenant",
      { options: { ...ASKED, [TLS_KEYS.account]: "homeless" } },
      /set azure\.workload\.identity\/tenant-id on the ServiceAccount, or the setting --tenant-id$/,
    ],
    ["neither account nor tenant", { options: { [TLS_KEYS.address]: ADDRESS } }, /name a ServiceAccount, or set --tenant-id$/],
    ["an account alone", { options: { [TLS_KEYS.account]: "reader" } }, /is set without kubernetes\.azure\.com\/tls-cert-keyvault-uri/],
    ["a protocol without TLS", { protocol: "HTTP" }, /spec\.listeners\[https\]\.protocol: only HTTPS and TLS listeners use a certificate/],
    ["a mode without a certificate", { mode: "Passthrough" }, /spec\.listeners\[https\]\.tls\.mode: Passthrough uses no certificate/],
  ] as const)
    test(`with ${what} is told the field and the fix`, () => {
      const found = plan(gateway(facts), { classes: [] });
      assert.deepEqual([found.applied, found.references], [[], undefined]);
      assert.match(saidBy(found), message);
    });

  test("keeps class and reference while its address is none", () => {
    const options = { ...ASKED, [TLS_KEYS.address]: "https://shop.vault.azure.net/" };
    const found = plan(gateway({ options, certificateRefs: OURS }), { classes: [made(gateway())] });
    assert.deepEqual([statesOf(found), found.removed, found.references], [["invalid"], [], undefined]);
  });
});

describe("without an account, a certificate is read", () => {
  const options = { [TLS_KEYS.address]: ADDRESS };
  const parametersWith = (identities: World["identities"]): Readonly<Record<string, string>> => {
    const [desired = assert.fail()] = plan(gateway({ options }), {
      classes: [],
      identities: { tenantId: "tenant", ...identities },
    }).applied;
    const { objects: _, keyvaultName: __, cloudName: ___, ...identity } = desired.spec?.parameters ?? {};
    return identity;
  };

  test("with the node's managed identity where the namespace may use it", () => {
    assert.deepEqual(parametersWith({ mayUseNode: true }), { tenantID: "tenant", useVMManagedIdentity: "true" });
  });

  test("A4: with the one of the node's managed identities that the operator names", () => {
    assert.deepEqual(parametersWith({ mayUseNode: true, nodeClientId: "kubelet" }), {
      tenantID: "tenant",
      useVMManagedIdentity: "true",
      userAssignedIdentityID: "kubelet",
    });
  });

  test("else with the service principal of the namespace", () => {
    assert.deepEqual(parametersWith({ mayUseNode: false, nodeClientId: "kubelet" }), { tenantID: "tenant" });
  });
});

describe("what a listener asks for no more", () => {
  const own = made(gateway());
  const silent = gateway({ options: {}, certificateRefs: OURS });

  test("goes: first the reference, then the class", () => {
    const found = plan(silent, { classes: [own] });
    assert.deepEqual(droppedBy(found), ["kv-gw-cert-web-https"]);
    assert.deepEqual(found.removed, [own]);
    assert.deepEqual(statesOf(found), []);
  });

  test("goes with the GatewayClass that an operator named", () => {
    const found = plan(gateway({ certificateRefs: OURS }), { classes: [own], isServed: false });
    assert.deepEqual([droppedBy(found), found.removed], [["kv-gw-cert-web-https"], [own]]);
  });

  test("leaves a reference that its author owns, and one whose class is not the worker's", () => {
    const owned = gateway({ options: {}, certificateRefs: OURS, managedFields: [owning("kubectl", ...REFS)] });
    assert.equal(plan(owned, { classes: [own] }).references, undefined);
    assert.equal(plan(silent, { classes: [{ ...own, owners: "[]" }] }).references, undefined);
  });
});

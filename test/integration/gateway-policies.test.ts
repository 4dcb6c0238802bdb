import { after, before, describe, test } from "node:test";
import { MADE_FOR } from "../../src/domain/annotations.ts";
import { TLS_KEYS } from "../../src/domain/gateways/tls-entry.ts";
import { APPLY_PATCH, type ApiAnswer, apiRequest } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { assertAllowed, assertDenied } from "../support/cluster/policy-answers.ts";
import { at, policyIsActive } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { SYNC_USER } from "../support/worker/sync-world.ts";
import { gatewayPath, ingressPath } from "./gateway-tls/gateway-world.ts";
import {
  ADDRESS,
  aFullGateway,
  aGateway,
  anIngress,
  MANAGED,
  type PolicyPlane,
  SHOP,
  startPolicyPlane,
} from "./gateway-tls/policy-requests.ts";
import { moduleRefusal } from "./go-module.ts";

const refusal = controlPlaneRefusal() ?? moduleRefusal();

const CLASSES = "keyvault-injector-sync-classes";
const GATEWAYS = "keyvault-injector-sync-gateways";

let world: PolicyPlane;

const classPath = (name: string): string => `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${SHOP}/secretproviderclasses/${name}`;

interface ClassFacts {
  readonly name: string;
  readonly type?: string;
  readonly owners?: readonly unknown[];
}

const MARKS = { labels: { [MADE_FOR]: "Gateway" }, annotations: { [MADE_FOR]: "web" } };
const owner = (name: string) => ({ apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", name, uid: "u", controller: true });

function aClass({ name, type = "kubernetes.io/tls", owners = [owner("web")] }: ClassFacts) {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: SHOP, name, ...MARKS, ownerReferences: owners },
    spec: {
      provider: "azure",
      parameters: { keyvaultName: "demo", objects: "" },
      secretObjects: [{ secretName: name, type, data: [{ objectName: "web", key: "tls.crt" }] }],
    },
  };
}

const CHANGED = { spec: { parameters: { keyvaultName: "elsewhere" } } };

/** Sends the worker's write of `certificateRefs` to the live object. */
async function referred(where: string, refs: readonly unknown[]): Promise<ApiAnswer> {
  const { body } = await apiRequest(world.plane, { method: "GET", path: where });
  const listener = at(body, "spec", "listeners", 0) as { readonly tls: object }; // As the test wrote it.
  return world.merged(where, { spec: { listeners: [{ ...listener, tls: { ...listener.tls, certificateRefs: refs } }] } });
}

describe("the policies on what the worker writes for Gateways and Ingresses", {
  skip: refusal === undefined ? false : `SKIPPED: ${refusal}`,
}, () => {
  before(async () => {
    world = await startPolicyPlane();
    await world.made(classPath("kv-gw-cert-web-https"), aClass({ name: "kv-gw-cert-web-https" }));
    await policyIsActive(CLASSES, () => world.merged(classPath("kv-gw-cert-web-https"), { metadata: { finalizers: ["example.com/x"] } }));
  });
  after(async () => {
    await world?.plane.stop();
  });

  test("A15: leave the worker no class of its own where the component is not installed", async () => {
    assertDenied(
      await world.merged(classPath("kv-gw-cert-web-https"), CHANGED),
      CLASSES,
      /cannot change or remove existing fields of a class/,
    );
  });

  describe("with the component", () => {
    before(async () => {
      await world.install("default");
      await eventually(async () => (await world.merged(classPath("kv-gw-cert-web-https"), CHANGED)).status === 200, {
        what: "the component",
      });
    });

    test("A15: leave the worker what it made for a Gateway, and gives an owner again after its definition was lost", async () => {
      assertAllowed(await world.dry({ method: "DELETE", path: classPath("kv-gw-cert-web-https"), as: SYNC_USER }));
      const restored = await world.made(classPath("kv-gw-cert-web-back"), aClass({ name: "kv-gw-cert-web-back", owners: [] }));
      assertDenied(await world.merged(restored, CHANGED), CLASSES, /cannot change or remove existing fields of a class/);
      assertAllowed(await world.merged(restored, { ...CHANGED, metadata: { ownerReferences: [owner("web")] } }));
    });

    for (const [what, facts] of [
      ["of another type, by its mark", { name: "app", type: "Opaque", owners: [] }],
      ["of another type, with mark and owner", { name: "kv-gw-cert-web-opaque", type: "Opaque" }],
      ["under another name, with mark and owner", { name: "kv-gw-cert-other-https" }],
      ["under another owner", { name: "kv-gw-cert-web-other", owners: [owner("other")] }],
      ["under an owner that is no controller", { name: "kv-gw-cert-web-loose", owners: [{ ...owner("web"), controller: false }] }],
    ] as const) {
      test(`A15: refuse the worker a class of somebody else: ${what}`, async () => {
        const where = await world.made(classPath(facts.name), aClass(facts));
        const tls = [{ secretName: facts.name, type: "kubernetes.io/tls", data: [] }];

        assertDenied(await world.merged(where, CHANGED), CLASSES, /cannot change or remove existing fields of a class/);
        const taken = { metadata: { ownerReferences: [owner("web")] }, spec: { ...CHANGED.spec, secretObjects: tls } };
        assertDenied(await world.merged(where, taken), CLASSES, /cannot change or remove existing fields of a class/);
        assertDenied(await world.dry({ method: "DELETE", path: where, as: SYNC_USER }), CLASSES, /can delete only classes that it created/);
      });
    }

    test("A16: let the worker refer a listener that asks for it to the Secret of its own name, and to no other", async () => {
      const asking = await world.made(gatewayPath(SHOP, "asking"), aGateway("asking", { [TLS_KEYS.address]: ADDRESS }));
      const silent = await world.made(gatewayPath(SHOP, "silent"), aGateway("silent", {}));

      assertAllowed(await referred(asking, [{ name: "kv-gw-cert-asking-https" }]));
      for (const name of ["kv-gw-cert-anything", "kv-gw-cert-silent-https", "kv-gw-cert-asking-https-2"])
        assertDenied(await referred(asking, [{ name }]), GATEWAYS, /only references to its own Secret/);
      assertDenied(
        await referred(silent, [{ name: "kv-gw-cert-silent-https" }]),
        GATEWAYS,
        /its own Secret .* only if the listener requests/,
      );
    });

    test("A16: let the worker refer all listeners of a Gateway that has as many as there may be, at no more than a policy may cost", async () => {
      const gateway = aFullGateway("full");
      const where = await world.made(gatewayPath(SHOP, "full"), gateway);
      const { metadata, spec, ...kind } = gateway;
      const listeners = spec.listeners.map(({ name }) => ({ name, tls: { certificateRefs: [{ name: `kv-gw-cert-full-${name}` }] } }));
      const path = `${where}?fieldManager=keyvault-injector-gateways&dryRun=All`;
      const body = { ...kind, metadata, spec: { listeners } };

      assertAllowed(await apiRequest(world.plane, { method: "PATCH", path, body, contentType: APPLY_PATCH, as: SYNC_USER }));
    });

    test("A16: refuse the worker references that somebody else has written, also under the name of its own", async () => {
      const named = aGateway("named", { [TLS_KEYS.address]: ADDRESS }, [{ name: "kv-gw-cert-named-https" }]);
      const where = await world.made(gatewayPath(SHOP, "named"), named);
      assertDenied(await referred(where, []), GATEWAYS, /cannot change references that someone else wrote/);

      const tls = [{ hosts: ["shop.example.com"], secretName: "keyvault-named" }];
      const ingress = await world.made(ingressPath(SHOP, "named"), anIngress("named", MANAGED, { tls }));
      assertDenied(await world.merged(ingress, { spec: { tls: null } }), GATEWAYS, /cannot change references that someone else wrote/);
    });

    test("A16: let the worker give an Ingress that asks for it TLS of its own Secret for its own hosts, and no other", async () => {
      const asking = await world.made(ingressPath(SHOP, "asking"), anIngress("asking", MANAGED));
      const silent = await world.made(ingressPath(SHOP, "silent"), anIngress("silent", {}));
      const manual = await world.made(ingressPath(SHOP, "manual"), anIngress("manual", { [TLS_KEYS.address]: ADDRESS }));
      const tls = (secretName: string, hosts: readonly string[]) => ({ spec: { tls: [{ secretName, hosts }] } });
      const own = ["shop.example.com"];

      assertAllowed(await world.merged(asking, tls("keyvault-asking", own)));
      for (const [where, change] of [
        [asking, tls("keyvault-other", own)],
        [asking, tls("keyvault-asking", ["elsewhere.example.com"])],
        [asking, tls("keyvault-asking", [...own, "elsewhere.example.com"])],
        [asking, tls("keyvault-asking", [])],
        [silent, tls("keyvault-silent", own)],
        [manual, tls("keyvault-manual", own)],
      ] as const)
        assertDenied(await world.merged(where, change), GATEWAYS, /only one tls entry of an Ingress/);
    });

    test("A16: refuse the worker to take the fields of others from them, and let it give up its own", async () => {
      const where = await world.made(ingressPath(SHOP, "owned"), anIngress("owned", MANAGED));
      const { body } = await apiRequest(world.plane, { method: "GET", path: where });
      const entries = at(body, "metadata", "managedFields") as readonly { readonly manager: string }[]; // As the API server writes it.
      const own = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: { namespace: SHOP, name: "owned" } };
      const tls = [{ hosts: ["shop.example.com"], secretName: "keyvault-owned" }];
      const path = `${where}?fieldManager=keyvault-injector-gateways`;

      for (const managedFields of [[{}], entries.map((entry) => ({ ...entry, manager: "nobody" }))])
        assertDenied(await world.merged(where, { metadata: { managedFields } }), GATEWAYS, /cannot take over fields that others own/);
      const written = { ...own, spec: { tls } };
      assertAllowed(await apiRequest(world.plane, { method: "PATCH", path, body: written, contentType: APPLY_PATCH, as: SYNC_USER }));
      assertAllowed(await world.merged(where, { metadata: { managedFields: entries } }));
    });
  });
});

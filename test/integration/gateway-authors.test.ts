import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
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
  collectionOf,
  MANAGED,
  type Options,
  type PolicyPlane,
  SHOP,
  startPolicyPlane,
} from "./gateway-tls/policy-requests.ts";
import { moduleRefusal } from "./go-module.ts";

const refusal = controlPlaneRefusal() ?? moduleRefusal();

const OWN = "keyvault-injector";
const IDENTITIES = "keyvault-injector-gateway-identities";
const AUTHORS = "keyvault-injector-gateway-authors";
const GATEWAYS = "keyvault-injector-sync-gateways";
const PROBE = "keyvault-injector-guardrail-probe";

/** Users who may write Gateways and Ingresses of the namespace with their status, and have these additional rights there. */
const PEOPLE: Readonly<Record<string, readonly string[]>> = {
  "only-routes": [],
  "with-default-credentials": ["get secrets secrets-store-creds", "update secrets"],
  "with-writes-of-secrets": ["update secrets"],
  "with-the-account": ["create serviceaccounts/token reader", "update secrets"],
  "with-the-account-alone": ["create serviceaccounts/token reader"],
  "with-every-account": ["create serviceaccounts/token", "update secrets"],
};

let world: PolicyPlane;
let serial = 0;

const another = (): string => `web-${++serial}`;
const warned = ({ warnings }: ApiAnswer): readonly string[] => warnings.filter((warning) => warning.includes(AUTHORS));

function aRoute(annotations: Options, as: string, ingressClassName = "any"): Promise<ApiAnswer> {
  const name = another();
  const body = anIngress(name, annotations, { ingressClassName });
  return world.dry({ method: "POST", path: collectionOf(ingressPath(SHOP, name)), body, as });
}

function aListener(options: Options, as: string, gatewayClassName = "any"): Promise<ApiAnswer> {
  const name = another();
  const { spec, ...gateway } = aGateway(name, options);
  const body = { ...gateway, spec: { ...spec, gatewayClassName } };
  return world.dry({ method: "POST", path: collectionOf(gatewayPath(SHOP, name)), body, as });
}

describe("who may ask for a certificate for a Gateway or an Ingress", {
  skip: refusal === undefined ? false : `SKIPPED: ${refusal}`,
}, () => {
  before(async () => {
    world = await startPolicyPlane();
    await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: rightsOfPeople() }));
  });
  after(async () => {
    await world?.plane.stop();
  });

  describe("with the default overlay", () => {
    before(async () => {
      await world.install("default");
      await policyIsActive(IDENTITIES, () => aRoute({ [TLS_KEYS.account]: "reader" }, "only-routes"));
      await eventually(async () => warned(await aRoute({ [TLS_KEYS.address]: ADDRESS }, "only-routes")).length > 0, { what: AUTHORS });
    });

    test("A13: ask for the right to an account where it comes by the status of an Ingress, and let a controller's status pass", async () => {
      const where = await world.made(ingressPath(SHOP, "status"), anIngress("status", MANAGED));
      const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };

      const lending = { metadata: { annotations: { [TLS_KEYS.account]: "reader" } }, status };
      assertDenied(
        await world.merged(`${where}/status`, lending, "only-routes"),
        IDENTITIES,
        /lends the identity of ServiceAccount 'reader'/,
      );
      assertAllowed(await world.merged(`${where}/status`, lending, "with-the-account"));
      const moved = { metadata: { annotations: { [TLS_KEYS.address]: `${ADDRESS}-2` } }, status };
      assert.equal(warned(await world.merged(`${where}/status`, moved, "only-routes")).length, 2);
      const reported = await world.merged(`${where}/status`, { status }, "only-routes");
      assertAllowed(reported);
      assert.deepEqual(reported.warnings, []);
    });

    test("A13: let the status of a Gateway pass that has as many listeners as there may be, and ask once for all their accounts", async () => {
      const where = await world.made(gatewayPath(SHOP, "full"), aFullGateway("full"));
      const status = { conditions: [] };

      const reported = await world.merged(`${where}/status`, { status }, "only-routes");
      assertAllowed(reported);
      assert.deepEqual(reported.warnings, []);
      const path = collectionOf(where);
      const asked = (as: string) => world.dry({ method: "POST", path, body: aFullGateway(another()), as });
      assertAllowed(await asked("with-the-account"));
      assertDenied(await asked("only-routes"), IDENTITIES, /lends the identity of ServiceAccount 'reader'/);
    });

    test("A12: refuse the worker the one Ingress by which it tries whether they are there, and every other as well", async () => {
      const tried = (name: string, query = "&dryRun=All") => {
        const { metadata, ...rest } = anIngress(name, { [TLS_KEYS.account]: PROBE });
        const path = `${ingressPath(OWN, name)}?fieldManager=keyvault-injector-sync&force=true${query}`;
        const body = { ...rest, metadata: { ...metadata, namespace: OWN } };
        return apiRequest(world.plane, { method: "PATCH", path, body, contentType: APPLY_PATCH, as: SYNC_USER });
      };

      assertDenied(await tried(PROBE), IDENTITIES, /lends the identity of ServiceAccount/);
      assert.match(String(at((await tried(PROBE, "")).body, "message")), new RegExp(`'(?:${GATEWAYS}|${IDENTITIES})'`));
      assert.match(String(at((await tried("another")).body, "message")), /cannot create resource/);
    });

    test("SW3: ask for the account of any class that may be named later, and do not say that the worker serves the class", async () => {
      const lending = { [TLS_KEYS.address]: ADDRESS, [TLS_KEYS.account]: "reader" };
      for (const answer of [await aListener(lending, "only-routes", "istio"), await aRoute(lending, "only-routes", "nginx-internal")])
        assertDenied(answer, IDENTITIES, /serviceaccounts\/token, even if the sync worker does not serve the object's class yet\. /);
      assertAllowed(await aListener(lending, "only-routes", "approuting-istio"));
      assertAllowed(await aRoute(lending, "only-routes", "webapprouting.kubernetes.azure.com"));
    });

    test("A8: warn who asks for a certificate without an account and may not use the namespace's credentials", async () => {
      for (const ask of [aRoute, aListener]) {
        const answer = await ask({ [TLS_KEYS.address]: ADDRESS }, "only-routes");
        assertAllowed(answer);
        assert.equal(warned(answer).length, 2);
        assert.deepEqual(warned(await ask({ [TLS_KEYS.address]: ADDRESS }, "with-default-credentials")), []);
        assert.deepEqual(warned(await ask({}, "only-routes")), []);
      }
    });
  });

  describe("with the strict overlay", () => {
    before(async () => {
      await world.install("strict");
      await policyIsActive(AUTHORS, () => aRoute({ [TLS_KEYS.address]: ADDRESS }, "only-routes"));
    });

    test("A8: refuse a certificate to who names no account and may not use the namespace's credentials, as a class of theirs is", async () => {
      const asking = { [TLS_KEYS.address]: ADDRESS };
      for (const ask of [aRoute, aListener]) {
        assertDenied(await ask(asking, "with-writes-of-secrets"), AUTHORS, /credentials in Secret secrets-store-creds/);
        assertDenied(await ask({ ...asking, [TLS_KEYS.account]: "" }, "with-every-account"), AUTHORS, /secrets-store-creds/);
        assertDenied(
          await ask({ ...asking, [TLS_KEYS.account]: "reader" }, "with-the-account-alone"),
          AUTHORS,
          /lack permission to update Secrets/,
        );
        assertAllowed(await ask(asking, "with-default-credentials"));
        assertAllowed(await ask({ ...asking, [TLS_KEYS.account]: "reader" }, "with-the-account"));
        assertAllowed(await ask({}, "only-routes"));
      }
    });

    test("SW3: say what the worker does once it serves the class, and not that it does so for a class of App Routing", async () => {
      const asking = { [TLS_KEYS.address]: ADDRESS };
      const if_ = "this object requests a certificate.*\\. If the sync worker serves the object's class, now or later, it";
      for (const answer of [
        await aListener(asking, "with-writes-of-secrets", "istio"),
        await aRoute(asking, "with-writes-of-secrets", "nginx-internal"),
      ])
        assertDenied(
          answer,
          AUTHORS,
          new RegExp(`${if_} can use the credentials in Secret secrets-store-creds, and you lack permission to get`),
        );
      const lending = { ...asking, [TLS_KEYS.account]: "reader" };
      for (const answer of [
        await aListener(lending, "with-the-account-alone", "istio"),
        await aRoute(lending, "with-the-account-alone", "nginx-internal"),
      ])
        assertDenied(answer, AUTHORS, new RegExp(`${if_} writes the certificate to a Secret, and you lack permission to update Secrets`));
    });

    test("A8: ask again where the address changes, the account goes, or the class becomes another one, and not for a label", async () => {
      const where = await world.made(ingressPath(SHOP, "changed"), anIngress("changed", { ...MANAGED, [TLS_KEYS.account]: "reader" }));
      const change = (body: unknown) => world.merged(where, body, "with-every-account");

      assertDenied(await change({ metadata: { annotations: { [TLS_KEYS.account]: null } } }), AUTHORS, /secrets-store-creds/);
      assertDenied(
        await change({ metadata: { annotations: { [TLS_KEYS.address]: `${ADDRESS}-2`, [TLS_KEYS.account]: "" } } }),
        AUTHORS,
        /secrets-store-creds/,
      );
      assertAllowed(await change({ metadata: { labels: { a: "b" } } }));
      const routed = anIngress("routed", MANAGED, { ingressClassName: "webapprouting.kubernetes.azure.com" });
      const moved = await world.made(ingressPath(SHOP, "routed"), routed);
      assertAllowed(await world.merged(moved, { metadata: { labels: { a: "b" } } }, "only-routes"));
      assertDenied(
        await world.merged(moved, { spec: { ingressClassName: "any" } }, "with-writes-of-secrets"),
        AUTHORS,
        /secrets-store-creds/,
      );
    });
  });
});

/** A role for each user, with the same name, and a binding to it. */
function rightsOfPeople(): readonly unknown[] {
  const routes = [
    { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingresses/status"], verbs: ["*"] },
    { apiGroups: ["gateway.networking.k8s.io"], resources: ["gateways", "gateways/status"], verbs: ["*"] },
  ];
  const rbac = "rbac.authorization.k8s.io";
  return Object.entries(PEOPLE).flatMap(([name, rights]) => {
    const metadata = { name, namespace: SHOP };
    const roleRef = { apiGroup: rbac, kind: "Role", name };
    const subjects = [{ apiGroup: rbac, kind: "User", name }];
    return [
      { apiVersion: `${rbac}/v1`, kind: "Role", metadata, rules: [...routes, ...rights.map(ruleOf)] },
      { apiVersion: `${rbac}/v1`, kind: "RoleBinding", metadata, roleRef, subjects },
    ];
  });
}

function ruleOf(right: string): unknown {
  const [verb, resource, name] = right.split(" ");
  return { apiGroups: [""], resources: [resource], verbs: [verb], ...(name === undefined ? {} : { resourceNames: [name] }) };
}

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { TLS_KEYS } from "../../src/domain/gateways/tls-entry.ts";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { type ApiAnswer, apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import { classPath, find, send } from "../support/worker/sync-world.ts";
import {
  ACCOUNT,
  applyGateway,
  type GatewayFacts,
  type GatewayWorld,
  gatewayOf,
  gatewayPath,
  ingressPath,
  installGatewayApi,
  NAMED,
  startGatewayWorld,
} from "./gateway-tls/gateway-world.ts";
import { moduleRefusal } from "./go-module.ts";

const refusal = controlPlaneRefusal() ?? moduleRefusal();
const POLICY = "keyvault-injector-gateway-identities";
const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const APP_ROUTINGS = { gateway: "approuting-istio", ingress: "webapprouting.kubernetes.azure.com" };
const REFUSED = new RegExp(
  `${POLICY}.* lends the identity of ServiceAccount 'gateway-cert': you need permission to create its serviceaccounts/token`,
);

let world: GatewayWorld;
let address: string;

interface People {
  readonly namespace: string;
  /** May write Gateways and Ingresses, and request tokens of the account. */
  readonly author: string;
  /** May write Gateways and Ingresses, and their status. */
  readonly writer: string;
}

async function aNamespaceOfPeople(): Promise<People> {
  const namespace = await world.gatewayNamespace();
  const [author, writer] = [`author-of-${namespace}`, `writer-of-${namespace}`];
  const may = async (user: string, rules: readonly unknown[]): Promise<void> => {
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
    await send(world.plane, { method: "POST", path: `${rbac}/roles`, body: { metadata: { name: user }, rules } });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: user };
    const subjects = [{ apiGroup: roleRef.apiGroup, kind: "User", name: user }];
    await send(world.plane, { method: "POST", path: `${rbac}/rolebindings`, body: { metadata: { name: user }, roleRef, subjects } });
  };
  const writing = [
    { apiGroups: ["gateway.networking.k8s.io"], resources: ["gateways"], verbs: ["*"] },
    { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingresses/status"], verbs: ["*"] },
  ];
  await may(writer, writing);
  await may(author, [...writing, { apiGroups: [""], resources: ["serviceaccounts/token"], resourceNames: [ACCOUNT], verbs: ["create"] }]);
  // RBAC needs a moment until new roles have an effect.
  for (const as of [author, writer])
    await eventually(async () => (await createGateway(as, { namespace, name: "probe", listeners: [] }, "?dryRun=All")).status !== 403, {
      what: `the rights of ${as}`,
    });
  return { namespace, author, writer };
}

function createGateway(as: string, facts: GatewayFacts, query = ""): Promise<ApiAnswer> {
  const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${facts.namespace}/gateways${query}`;
  return apiRequest(world.plane, { method: "POST", path, body: gatewayOf(facts), as });
}

interface IngressFacts {
  readonly namespace: string;
  readonly name: string;
  readonly className: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function createIngress(as: string, { namespace, name, className, annotations = asking() }: IngressFacts): Promise<ApiAnswer> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`;
  const defaultBackend = { service: { name: "shop", port: { number: 80 } } };
  const body = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { namespace, name, annotations },
    spec: { ingressClassName: className, defaultBackend },
  } as KubeObject; // An object with a spec.
  return apiRequest(world.plane, { method: "POST", path, body, as });
}

/** Annotations of an Ingress that uses the account. */
const asking = () => ({ [TLS_KEYS.address]: address, [TLS_KEYS.account]: ACCOUNT });

/** Sends the patch as a dry run. */
function patch(as: string, where: string, body: unknown): Promise<ApiAnswer> {
  return apiRequest(world.plane, { method: "PATCH", path: `${where}?dryRun=All`, contentType: MERGE_PATCH, body, as });
}

function assertRefused({ status, body }: ApiAnswer, what: string): void {
  assert.equal(status, 403, `${what}: ${JSON.stringify(body)}`);
  assert.match(JSON.stringify(body), REFUSED, what);
}

function assertTaken({ status, body }: ApiAnswer, what: string): void {
  assert.ok(status < 300, `${what}: ${JSON.stringify(body)}`);
}

describe("a Gateway or an Ingress lends the identity of an account", {
  skip: refusal === undefined ? false : `SKIPPED: ${refusal}`,
}, () => {
  before(async () => {
    world = await startGatewayWorld();
    address = world.addressOf("web");
    await installGatewayApi(world.plane);
  });
  after(async () => {
    await world?.stop();
  });

  test("for those alone who may have its token", async () => {
    const { namespace, author, writer } = await aNamespaceOfPeople();
    const listeners = [
      { name: "shop", address },
      { name: "blog", address },
    ];
    const gateway: GatewayFacts = { namespace, name: "web", listeners };

    assertTaken(await createGateway(author, gateway, "?dryRun=All"), "by its author");
    assertRefused(await createGateway(writer, gateway, "?dryRun=All"), "by another");
    const plain = { ...gateway, listeners: [{ name: "shop", options: { "example.com/kept": "by the author" } }] };
    assertTaken(await createGateway(writer, plain, "?dryRun=All"), "without an account");
    assertTaken(await createGateway(writer, { ...gateway, className: APP_ROUTINGS.gateway }, "?dryRun=All"), "of App Routing");
  });

  test("by the word of who wrote it, so that others may change the rest of it", async () => {
    const { namespace, author, writer } = await aNamespaceOfPeople();
    await applyGateway(world.plane, { namespace, name: "web", listeners: [{ name: "shop", address }] });
    assertTaken(await createIngress(author, { namespace, name: "shop", className: NAMED }), "by its author");

    for (const where of [gatewayPath(namespace, "web"), ingressPath(namespace, "shop")])
      assertTaken(await patch(writer, where, { metadata: { labels: { a: "b" } } }), where);
    const { spec } = gatewayOf({ namespace, name: "web", listeners: [{ name: "moved", address }] }) as KubeObject & {
      readonly spec: unknown;
    };
    assertTaken(await patch(writer, gatewayPath(namespace, "web"), { spec }), "to another listener");
    const elsewhere = { metadata: { annotations: { [TLS_KEYS.address]: world.addressOf("other") } } };
    assertRefused(await patch(writer, ingressPath(namespace, "shop"), elsewhere), "another certificate");
    const status = { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } };
    assertTaken(await patch(writer, `${ingressPath(namespace, "shop")}/status`, status), "its status");
  });

  test("S1: a change of its class is judged as a new one, since nobody judged those of App Routing", async () => {
    const { namespace, author, writer } = await aNamespaceOfPeople();
    const listeners = [{ name: "shop", address }];
    assertTaken(await createGateway(writer, { namespace, name: "web", className: APP_ROUTINGS.gateway, listeners }), "of App Routing");
    assertTaken(await createIngress(writer, { namespace, name: "shop", className: APP_ROUTINGS.ingress }), "of App Routing");
    await applyGateway(world.plane, { namespace, name: "other", className: "somebody-elses", listeners });

    const moves = [
      [gatewayPath(namespace, "web"), { spec: { gatewayClassName: NAMED } }],
      [gatewayPath(namespace, "other"), { spec: { gatewayClassName: NAMED } }],
      [ingressPath(namespace, "shop"), { spec: { ingressClassName: NAMED } }],
      [ingressPath(namespace, "shop"), { spec: { ingressClassName: null }, metadata: { annotations: { [CLASS_ANNOTATION]: NAMED } } }],
    ] as const;
    for (const [where, change] of moves) {
      assertRefused(await patch(writer, where, change), `${where} ${JSON.stringify(change)}`);
      assertTaken(await patch(author, where, change), `${where} ${JSON.stringify(change)}`);
    }
  });

  test("SW3: whoever wrote it before its class was named is asked, because the worker uses the account as soon as the class is named", async () => {
    const { namespace, author, writer } = await aNamespaceOfPeople();
    const later = { namespace, name: "shop", className: "named-later" };
    assertRefused(await createIngress(writer, later), "by another");
    assertTaken(await createIngress(author, later), "by its author");

    const worker = await world.product.start("sync", { args: ["--ingress-classes=named-later"] });
    const spc = await eventually(() => find<KubeObject>(world.plane, classPath(namespace, "keyvault-shop")), { what: "the class" });
    await worker.stop();

    assert.equal(spc.metadata.annotations?.[CLASS_ANNOTATIONS.serviceAccount], ACCOUNT);
  });

  test("S1: a change of the annotation that is its class is judged as well", async () => {
    const { namespace, author, writer } = await aNamespaceOfPeople();
    const where = ingressPath(namespace, "shop");
    const toAnnotation = (name: string) => ({ spec: { ingressClassName: null }, metadata: { annotations: { [CLASS_ANNOTATION]: name } } });
    assertTaken(await createIngress(author, { namespace, name: "shop", className: NAMED }), "by its author");
    await send(world.plane, { method: "PATCH", path: where, contentType: MERGE_PATCH, body: toAnnotation("somebody-elses") });

    assertRefused(await patch(writer, where, toAnnotation(NAMED)), "to the class that is served");
    assertTaken(await patch(author, where, toAnnotation(NAMED)), "by its author");
  });

  test("S1: annotations that come with a status are judged, too", async () => {
    const { namespace, author, writer } = await aNamespaceOfPeople();
    assertTaken(await createIngress(writer, { namespace, name: "shop", className: NAMED, annotations: {} }), "without an account");
    const where = `${ingressPath(namespace, "shop")}/status`;

    assertRefused(await patch(writer, where, { metadata: { annotations: asking() } }), "by another");
    assertTaken(await patch(author, where, { metadata: { annotations: asking() } }), "by its author");
  });
});

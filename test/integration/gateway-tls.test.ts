import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MADE_FOR } from "../../src/domain/annotations.ts";
import { GATEWAY_MANAGER } from "../../src/domain/gateways/made-for.ts";
import { TLS_KEYS } from "../../src/domain/gateways/tls-entry.ts";
import type { KubeObject, Secret, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { APPLY_PATCH, type ApiCall, apiRequest, JSON_PATCH, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { readManifests } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { samplesOf } from "../support/worker/metric-samples.ts";
import {
  assertNothingForbidden,
  CLASS_CRD,
  classOf,
  classPath,
  createClass,
  dataOf,
  eventsOf,
  find,
  mergePatch,
  opaque,
  SYNC_USER,
  secretPath,
  send,
} from "../support/worker/sync-world.ts";
import {
  ACCOUNT,
  AUTHOR,
  applyAs,
  applyGateway,
  changedByAuthor,
  type GatewayFacts,
  type GatewayWorld,
  gatewayOf,
  gatewayPath,
  ingressPath,
  installGatewayApi,
  liveGateway,
  NAMED,
  referencesOf,
  removeGatewayApi,
  startGatewayWorld,
} from "./gateway-tls/gateway-world.ts";
import { moduleRefusal } from "./go-module.ts";

const refusal = controlPlaneRefusal() ?? moduleRefusal();
const OTHER = { "example.com/kept": "by the author" };

let world: GatewayWorld;
let worker: ProductProcess;
let address: string;

const arguments_ = [
  "--rotation-poll-interval=10s",
  `--gateway-classes=${NAMED},approuting-istio`,
  `--ingress-classes=${NAMED},webapprouting.kubernetes.azure.com`,
];

async function secretIs(namespace: string, name: string): Promise<Secret> {
  return eventually(() => find<Secret>(world.plane, secretPath(namespace, name)), { what: `Secret ${namespace}/${name}` });
}

async function isGone(where: string): Promise<void> {
  await eventually(async () => (await find(world.plane, where)) === undefined, { what: `the end of ${where}` });
}

async function referencesAre(namespace: string, name: string, wanted: Readonly<Record<string, readonly string[]>>): Promise<void> {
  let last: unknown;
  await eventually(
    async () => {
      last = await referencesOf(world.plane, namespace, name);
      return JSON.stringify(last) === JSON.stringify(wanted);
    },
    { what: `references ${JSON.stringify(wanted)}` },
  ).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : ""}; they are ${JSON.stringify(last)}`);
  });
}

async function messageOf(namespace: string, name: string, reason: string): Promise<string> {
  const found = await eventually(async () => (await eventsOf(world.plane, { namespace, name })).find((event) => event.reason === reason), {
    what: `${reason} on ${namespace}/${name}`,
  });
  return found.message;
}

/** Creates a Gateway and waits until its listeners have their certificates. */
async function aServedGateway(listeners: readonly string[]): Promise<GatewayFacts> {
  const facts = { namespace: await world.gatewayNamespace(), name: "web", listeners: listeners.map((name) => ({ name, address })) };
  await applyGateway(world.plane, facts);
  await referencesAre(facts.namespace, "web", Object.fromEntries(listeners.map((name) => [name, [`kv-gw-cert-web-${name}`]])));
  await ownersAre(gatewayPath(facts.namespace, "web"), [AUTHOR]);
  return facts;
}

async function managersOf(where: string): Promise<readonly string[]> {
  const found = await find<KubeObject>(world.plane, where);
  return (found?.metadata.managedFields ?? []).map(({ manager = "" }) => manager);
}

/** Waits until these managers own the fields. The worker gives up ownership right after its write. */
async function ownersAre(where: string, managers: readonly string[]): Promise<void> {
  await eventually(async () => JSON.stringify(await managersOf(where)) === JSON.stringify(managers), {
    what: `${where} owned by ${managers.join(", ")}`,
  });
}

/** Returns the log lines about the kind Gateway itself. */
function linesOfGateways(): readonly string[] {
  return worker
    .log()
    .split("\n")
    .filter((line) => line.includes('"resource":"gateways"'));
}

const unserved = (): readonly string[] => linesOfGateways().filter((line) => line.includes("kind is not served"));
const warnings = (): readonly string[] => linesOfGateways().filter((line) => /"level":"(?:warn|error)"/.test(line));

describe("certificates of Gateways and Ingresses", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startGatewayWorld();
    await world.emulator.createCertificate({ vault: world.vault, name: "web" });
    address = world.addressOf("web");
    worker = await world.product.start("sync", { args: arguments_ });
  });
  after(async () => {
    await world?.stop();
  });

  test("are nothing to warn of while the Gateway API is not there, and begin once it comes", async () => {
    await eventually(() => unserved().length === 1, { what: "the line that says so" });
    assert.deepEqual(warnings(), []);

    await installGatewayApi(world.plane);
    const served = Date.now();

    const { namespace } = await aServedGateway(["shop"]);
    console.log(`gateway-tls: from the coming of the Gateway API to a reference ${Date.now() - served} ms`);
    assert.equal((await secretIs(namespace, "kv-gw-cert-web-shop")).type, "kubernetes.io/tls");
    assert.equal(unserved().length, 1);
  });

  test("come to a listener within five seconds, as class, Secret and reference, and nothing else changes", async () => {
    const namespace = await world.gatewayNamespace();
    const facts: GatewayFacts = {
      namespace,
      name: "web",
      listeners: [
        { name: "shop", address, options: OTHER },
        { name: "plain", options: OTHER },
      ],
    };
    const started = performance.now();

    await applyGateway(world.plane, facts);
    await referencesAre(namespace, "web", { shop: ["kv-gw-cert-web-shop"], plain: [] });

    const took = Math.round(performance.now() - started);
    console.log(`gateway-tls: from the option to certificateRefs and Secret ${took} ms`);
    assert.ok(took < 5_000, `${took} ms`);
    const data = (await dataOf(world.plane, namespace, "kv-gw-cert-web-shop")) ?? assert.fail();
    assert.deepEqual(Object.keys(data).sort(), ["tls.crt", "tls.key"]);
    const spc = (await find<SecretProviderClass>(world.plane, classPath(namespace, "kv-gw-cert-web-shop"))) ?? assert.fail();
    const gateway = await liveGateway(world.plane, namespace, "web");
    assert.deepEqual(spc.metadata.ownerReferences, [
      { apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway", name: "web", uid: gateway.metadata.uid, controller: true },
    ]);
    await ownersAre(gatewayPath(namespace, "web"), [AUTHOR]);
    assert.deepEqual(await changedByAuthor(world.plane, gatewayPath(namespace, "web"), gatewayOf(facts)), []);
    assert.equal(samplesOf(await worker.metrics()).value("gateway_certificates", { state: "ready" }), 2);
  });

  test("follow a rotation in the vault", async () => {
    await world.emulator.createCertificate({ vault: world.vault, name: "rotated" });
    const namespace = await world.gatewayNamespace();
    await applyGateway(world.plane, { namespace, name: "web", listeners: [{ name: "shop", address: world.addressOf("rotated") }] });
    await secretIs(namespace, "kv-gw-cert-web-shop");
    const before_ = await dataOf(world.plane, namespace, "kv-gw-cert-web-shop");

    await world.emulator.createCertificate({ vault: world.vault, name: "rotated" });

    const changed = async () => (await dataOf(world.plane, namespace, "kv-gw-cert-web-shop"))?.["tls.crt"] !== before_?.["tls.crt"];
    await eventually(changed, { what: "the new certificate", within: 30_000 });
  });

  test("go with their listener, which its author removes by server-side apply", async () => {
    const { namespace } = await aServedGateway(["shop", "blog"]);

    await applyGateway(world.plane, { namespace, name: "web", listeners: [{ name: "shop", address }] });

    await isGone(classPath(namespace, "kv-gw-cert-web-blog"));
    await isGone(secretPath(namespace, "kv-gw-cert-web-blog"));
    await referencesAre(namespace, "web", { shop: ["kv-gw-cert-web-shop"] });
  });

  test("go with their option, and the reference first", async () => {
    const { namespace } = await aServedGateway(["shop", "blog"]);
    const facts: GatewayFacts = {
      namespace,
      name: "web",
      listeners: [
        { name: "shop", address },
        { name: "blog", options: OTHER },
      ],
    };

    await applyGateway(world.plane, facts);

    await isGone(secretPath(namespace, "kv-gw-cert-web-blog"));
    assert.deepEqual(await referencesOf(world.plane, namespace, "web"), { shop: ["kv-gw-cert-web-shop"], blog: [] });
    await ownersAre(gatewayPath(namespace, "web"), [AUTHOR]);
    assert.deepEqual(await changedByAuthor(world.plane, gatewayPath(namespace, "web"), gatewayOf(facts)), []);
  });

  test("go with their Gateway, and with its class", async () => {
    const [deleted, moved] = [await aServedGateway(["shop"]), await aServedGateway(["shop"])];

    await send(world.plane, { method: "DELETE", path: gatewayPath(deleted.namespace, "web") });
    await applyGateway(world.plane, { ...moved, className: "somebody-elses" });

    for (const { namespace } of [deleted, moved]) {
      await isGone(classPath(namespace, "kv-gw-cert-web-shop"));
      await isGone(secretPath(namespace, "kv-gw-cert-web-shop"));
    }
    await referencesAre(moved.namespace, "web", { shop: [] });
  });

  test("come back where a client-side apply drops their reference", async () => {
    const { namespace } = await aServedGateway(["shop"]);

    const { spec } = gatewayOf({ namespace, name: "web", listeners: [{ name: "shop", address }] }) as KubeObject & {
      readonly spec: unknown;
    };
    await mergePatch(world.plane, gatewayPath(namespace, "web"), { spec });

    await referencesAre(namespace, "web", { shop: ["kv-gw-cert-web-shop"] });
  });

  test("leave a class, a Secret and references of somebody else as they are, and say so", async () => {
    const namespace = await world.gatewayNamespace();
    const object = await world.object("of somebody else");
    const foreign = classOf(world, {
      namespace,
      name: "kv-gw-cert-taken-shop",
      objects: [object],
      secretObjects: [opaque("theirs", object)],
    });
    await createClass(world.plane, foreign);
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "kv-gw-cert-secret-shop" }, stringData: { mine: "yes" } };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: secret });

    await applyGateway(world.plane, { namespace, name: "taken", listeners: [{ name: "shop", address }] });
    await applyGateway(world.plane, { namespace, name: "secret", listeners: [{ name: "shop", address }] });
    await applyGateway(world.plane, {
      namespace,
      name: "refs",
      listeners: [{ name: "shop", address, certificateRefs: [{ name: "mine" }] }],
    });

    assert.match(
      await messageOf(namespace, "taken", "TlsConflict"),
      /^the SecretProviderClass kv-gw-cert-taken-shop is not changed: someone else wrote it/,
    );
    assert.match(await messageOf(namespace, "secret", "CertificateNotSynced"), /Secret kv-gw-cert-secret-shop .* Conflict: /);
    assert.match(
      await messageOf(namespace, "refs", "TlsConflict"),
      new RegExp(`^spec\\.listeners\\[shop\\]\\.tls\\.certificateRefs is not changed: it was written by ${AUTHOR};`),
    );
    const spc = await find<SecretProviderClass>(world.plane, classPath(namespace, "kv-gw-cert-taken-shop"));
    assert.deepEqual(spc?.spec, foreign.spec);
    assert.deepEqual(await dataOf(world.plane, namespace, "kv-gw-cert-secret-shop"), { mine: "yes" });
    assert.deepEqual(await referencesOf(world.plane, namespace, "secret"), { shop: [] });
    assert.deepEqual(await referencesOf(world.plane, namespace, "refs"), { shop: ["mine"] });
  });

  test("are refused with the field and the fix where the address or the account is none, and keep what was there", async () => {
    const { namespace } = await aServedGateway(["shop"]);

    await applyGateway(world.plane, { namespace, name: "web", listeners: [{ name: "shop", address: "https://example.com/x" }] });

    const message = await messageOf(namespace, "web", "InvalidTlsOption");
    assert.match(message, /^spec\.listeners\[shop\]\.tls\.options: kubernetes\.azure\.com\/tls-cert-keyvault-uri names no vault/);
    assert.deepEqual(await referencesOf(world.plane, namespace, "web"), { shop: ["kv-gw-cert-web-shop"] });
    await secretIs(namespace, "kv-gw-cert-web-shop");

    await send(world.plane, { method: "DELETE", path: `/api/v1/namespaces/${namespace}/serviceaccounts/${ACCOUNT}` });
    await applyGateway(world.plane, { namespace, name: "web", listeners: [{ name: "shop", address }] });
    await eventually(
      async () => (await eventsOf(world.plane, { namespace, name: "web" })).some((event) => event.message.includes("no ServiceAccount")),
      {
        what: "the missing account",
      },
    );
  });

  test("come to an Ingress that asks for them, and go with the annotation", async () => {
    const namespace = await world.gatewayNamespace();
    const ingress = (annotations: Readonly<Record<string, string>>): KubeObject => {
      const backend = { service: { name: "shop", port: { number: 80 } } };
      const rules = [{ host: "shop.example.com", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }];
      const spec = { ingressClassName: NAMED, rules };
      return {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { namespace, name: "shop", annotations },
        spec,
      } as KubeObject; // An object with a spec.
    };
    const asked = ingress({ [TLS_KEYS.address]: address, [TLS_KEYS.account]: ACCOUNT, [TLS_KEYS.managed]: "true" });
    const tlsOf = async (): Promise<unknown> =>
      (await find<KubeObject & { readonly spec: { readonly tls?: unknown } }>(world.plane, ingressPath(namespace, "shop")))?.spec.tls;
    const tlsIs = (wanted: unknown) =>
      eventually(async () => JSON.stringify(await tlsOf()) === JSON.stringify(wanted), { what: "spec.tls" });

    await applyAs(world.plane, ingressPath(namespace, "shop"), asked);
    await tlsIs([{ hosts: ["shop.example.com"], secretName: "keyvault-shop" }]);
    await ownersAre(ingressPath(namespace, "shop"), [AUTHOR]);
    assert.deepEqual(await changedByAuthor(world.plane, ingressPath(namespace, "shop"), asked), []);

    await applyAs(world.plane, ingressPath(namespace, "shop"), ingress({}));
    await tlsIs(undefined);
    await isGone(classPath(namespace, "keyvault-shop"));
    await isGone(secretPath(namespace, "keyvault-shop"));
  });

  test("come to a Gateway whose author used the worker's field manager, and nothing of it is lost", async () => {
    const facts: GatewayFacts = { namespace: await world.gatewayNamespace(), name: "web", listeners: [{ name: "shop", address }] };
    const where = gatewayPath(facts.namespace, "web");
    const query = `fieldManager=${GATEWAY_MANAGER}&force=true`;

    await send(world.plane, { method: "PATCH", path: `${where}?${query}`, body: gatewayOf(facts), contentType: APPLY_PATCH });

    await referencesAre(facts.namespace, "web", { shop: ["kv-gw-cert-web-shop"] });
    await eventually(async () => !(await managersOf(where)).includes(GATEWAY_MANAGER), { what: "the end of the worker's ownership" });
    assert.deepEqual(await changedByAuthor(world.plane, where, gatewayOf(facts)), []);
  });

  test("leave Gateways and Ingresses of App Routing to App Routing", async () => {
    const namespace = await world.gatewayNamespace();
    const lines = worker
      .log()
      .split("\n")
      .filter((line) => line.includes("belongs to App Routing"));
    assert.equal(lines.length, 2);
    await applyGateway(world.plane, { namespace, name: "managed", className: "approuting-istio", listeners: [{ name: "shop", address }] });
    await applyGateway(world.plane, { namespace, name: "ours", listeners: [{ name: "shop", address }] });

    await referencesAre(namespace, "ours", { shop: ["kv-gw-cert-ours-shop"] });
    assert.equal(await find(world.plane, classPath(namespace, "kv-gw-cert-managed-shop")), undefined);
  });

  test("go with the Gateways when the Gateway API goes, without a warning, and begin again once it is back", async () => {
    const { namespace } = await aServedGateway(["shop"]);

    await removeGatewayApi(world.plane);
    await isGone(secretPath(namespace, "kv-gw-cert-web-shop"));
    await eventually(() => unserved().length === 2, { what: "the second line that says so" });
    await installGatewayApi(world.plane);

    const { namespace: next } = await aServedGateway(["shop"]);
    await secretIs(next, "kv-gw-cert-web-shop");
    assert.deepEqual(warnings(), []);
  });

  test("come through the loss of the CRD of classes, with their owner, and nobody is told of a conflict", async () => {
    const { namespace } = await aServedGateway(["shop"]);
    const place = { namespace, name: "kv-gw-cert-web-shop" };
    const before_ = await find<SecretProviderClass>(world.plane, classPath(namespace, place.name));

    await send(world.plane, { method: "DELETE", path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CLASS_CRD}` });

    const restored = await eventually(
      async () => {
        const found = await find<SecretProviderClass>(world.plane, classPath(namespace, place.name)).catch(() => undefined);
        return found?.metadata.uid !== before_?.metadata.uid && found?.metadata.ownerReferences !== undefined ? found : undefined;
      },
      { what: "the restored class with its owner", within: 40_000 },
    );
    assert.deepEqual(restored.metadata.ownerReferences, before_?.metadata.ownerReferences);
    assert.deepEqual(restored.spec, before_?.spec);
    await secretIs(namespace, place.name);
    assert.deepEqual(await referencesOf(world.plane, namespace, "web"), { shop: [place.name] });
    assert.deepEqual(
      (await eventsOf(world.plane, { namespace, name: "web" })).map(({ reason }) => reason),
      [],
    );
  });

  test("are all that the worker's account may write into Gateways, Ingresses and classes", async () => {
    const { namespace } = await aServedGateway(["shop"]);
    const object = await world.object("of somebody else");
    await createClass(
      world.plane,
      classOf(world, { namespace, name: "theirs", objects: [object], secretObjects: [opaque("theirs", object)] }),
    );
    const gateway = gatewayPath(namespace, "web");
    const listener = (changes: unknown): ApiCall => {
      const body = [{ op: "add", path: "/spec/listeners/0", value: changes }];
      return { method: "PATCH", path: gateway, contentType: JSON_PATCH, body: [{ op: "remove", path: "/spec/listeners/0" }, ...body] };
    };
    const [live = assert.fail()] = (await liveGateway(world.plane, namespace, "web")).spec.listeners;
    const merge = (path: string, body: unknown): ApiCall => ({ method: "PATCH", path, body, contentType: MERGE_PATCH });

    for (const [what, call, words] of [
      ["another host", listener({ ...live, hostname: "elsewhere.example" }), /can change only the certificateRefs of a listener/],
      [
        "another option",
        listener({ ...live, tls: { ...live.tls, options: { a: "b" } } }),
        /can change only the certificateRefs of a listener/,
      ],
      [
        "somebody's Secret",
        listener({ ...live, tls: { ...live.tls, certificateRefs: [{ name: "admin" }] } }),
        /only references to its own Secret/,
      ],
      ["another class", merge(gateway, { spec: { gatewayClassName: "other" } }), /can change only the listeners of a Gateway/],
      ["a label", merge(gateway, { metadata: { labels: { a: "b" } } }), /cannot change the metadata of a Gateway/],
      [
        "the end of somebody's class",
        { method: "DELETE", path: classPath(namespace, "theirs") },
        /can delete only classes that it created/,
      ],
      [
        "somebody's class",
        merge(classPath(namespace, "theirs"), { metadata: { labels: { [MADE_FOR]: "Gateway" } } }),
        /cannot change labels or annotations/,
      ],
      [
        "another Secret of its own class",
        merge(classPath(namespace, "kv-gw-cert-web-shop"), { spec: { secretObjects: [{ secretName: "more", type: "Opaque", data: [] }] } }),
        /cannot change existing parts/,
      ],
    ] as const) {
      const { status, body } = await apiRequest(world.plane, { ...call, path: `${call.path}?dryRun=All`, as: SYNC_USER });
      assert.equal(status, 403, `${what}: ${JSON.stringify(body)}`);
      assert.match(JSON.stringify(body), words, what);
    }
  });

  for (const [policy, file] of [
    ["keyvault-injector-sync-gateways", "policies/sync-gateways.yaml"],
    ["keyvault-injector-gateway-identities", "components/gateway-tls/rights/gateway-identities.yaml"],
  ] as const)
    test(`A12: are limited by a policy that the worker misses where it is absent: ${policy}`, async () => {
      const isMissing = async () => samplesOf(await worker.metrics()).value("guardrails_missing", { policy }) === 1;
      const binding = readManifests(file).find(({ kind }) => kind === "ValidatingAdmissionPolicyBinding");

      await world.plane.kubectl(["delete", "validatingadmissionpolicybinding", policy]);
      await eventually(isMissing, { what: "the missing policy" });
      await world.plane.kubectl(["apply", "-f", "-"], JSON.stringify(binding));

      await eventually(async () => !(await isMissing()), { what: "the policy that is there again" });
    });

  test("take no right that the worker lacks, and leave no field of a Gateway in its name", async () => {
    const gateways = await find<KubeObject & { readonly items: readonly KubeObject[] }>(
      world.plane,
      "/apis/gateway.networking.k8s.io/v1/gateways",
    );
    const owned = gateways?.items.filter(({ metadata }) => metadata.managedFields?.some(({ manager }) => manager === GATEWAY_MANAGER));
    assert.deepEqual(owned, []);
    const troubles = worker
      .log()
      .split("\n")
      .filter((line) => line.startsWith('{"level":"error"') || line.includes('"queue":"gateways"'));
    assert.deepEqual(troubles, []);
    assertNothingForbidden("gateway-tls", world.plane);
  });
});

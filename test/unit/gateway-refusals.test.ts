import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { heldOwner } from "../../src/domain/gateways/held-owner.ts";
import { GATEWAY_MANAGER } from "../../src/domain/gateways/made-for.ts";
import { OWNER_RESOURCES } from "../../src/domain/gateways/owner-kinds.ts";
import { type ObjectRef, RESOURCES, type Resource, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { MadeClasses } from "../../src/sync/gateways/made-classes.ts";
import { type OwnerContext, reconcileOwner } from "../../src/sync/gateways/reconcile-owner.ts";
import { READY } from "../support/fixtures/gateway-plans.ts";
import type { SimulatedCall } from "../support/simulation/cluster.ts";
import { ASKING, leadGateways, NAMED, putGateway, putIngress } from "../support/simulation/gateways.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const GATEWAY = { namespace: "team", name: "shop" };
const CLASSES = RESOURCES.secretProviderClasses;
const DENIED = 'admission webhook "policy.example" denied the request';

const refusal = (verb: SimulatedCall["verb"], { plural }: Resource, name: string): KubeError =>
  new KubeError("Forbidden", `${verb} ${plural} team/${name}: HTTP 403: ${DENIED}`, { retry: { kind: "backoff" }, status: 403 });

/** The API server refuses these writes until that is taken back. */
function refuse({ cluster }: SimulatedWorld, verb: SimulatedCall["verb"], resource: Resource, name: string): () => void {
  cluster.fault = (call) => {
    const isMeant = call.verb === verb && call.resource.plural === resource.plural && call.ref.name === name;
    return isMeant ? refusal(verb, resource, name) : undefined;
  };
  return () => {
    cluster.fault = () => undefined;
  };
}

/** Of a pass over the Gateway, whose Secrets are made. */
function contextOf({ cluster, logger }: SimulatedWorld, say: OwnerContext["report"]["say"]): OwnerContext {
  const classes = { get: (ref: ObjectRef) => cluster.get<SecretProviderClass>(CLASSES, ref), secretOf: () => READY };
  const context = {
    kube: cluster.client,
    owners: {
      hasSynced: () => true,
      hasAccounts: true,
      get: () => heldOwner("Gateway", cluster.get(OWNER_RESOURCES.Gateway, GATEWAY) ?? assert.fail(), [NAMED]),
    },
    classes,
    made: new MadeClasses(classes),
    crdHealth: { state: { kind: "whole" } },
    settings: { served: { Gateway: [NAMED], Ingress: [] }, tenantId: "tenant", nodeClientId: "", mayUseNode: () => true },
    report: { say },
    logger,
  };
  return context as unknown as OwnerContext; // As far as it is asked.
}

function put(world: SimulatedWorld, ...listeners: readonly string[]): void {
  putGateway(world, { ...GATEWAY, listeners: listeners.map((name) => ({ name, options: ASKING })) });
}

const classesIn = ({ cluster }: SimulatedWorld): readonly string[] =>
  cluster.all<SecretProviderClass>(CLASSES).map(({ metadata }) => metadata.name);

const saidIn = ({ events }: SimulatedWorld): readonly string[] =>
  events.filter(({ regarding }) => regarding.metadata.name === GATEWAY.name).map(({ reason, message }) => `${reason}: ${message}`);

describe("a Gateway or Ingress of which the API server refuses a write", () => {
  test("RC-1: gets all other classes where one is refused, and is told which", async () => {
    const world = new SimulatedWorld();
    const accept = refuse(world, "apply", CLASSES, "kv-gw-cert-shop-a");
    const leader = leadGateways(world);
    put(world, "a", "b", "c");

    await world.clock.advance(10_000);

    assert.deepEqual(classesIn(world), ["kv-gw-cert-shop-b", "kv-gw-cert-shop-c"]);
    assert.deepEqual(saidIn(world).slice(0, 1), [
      `CertificateNotSynced: the SecretProviderClass kv-gw-cert-shop-a cannot be written: apply secretproviderclasses team/kv-gw-cert-shop-a: HTTP 403: ${DENIED}`,
    ]);

    accept();
    await world.clock.advance(120_000);

    assert.equal(classesIn(world).includes("kv-gw-cert-shop-a"), true, "the refused class is tried again");
    await leader.stop();
  });

  test("RC-1: loses all other classes that it does not want where one cannot be removed, and is told which", async () => {
    const world = new SimulatedWorld();
    const leader = leadGateways(world);
    put(world, "a", "b", "c");
    await world.clock.advance(10_000);
    assert.equal(classesIn(world).length, 3, "the control");
    const accept = refuse(world, "delete", CLASSES, "kv-gw-cert-shop-a");

    world.cluster.delete(OWNER_RESOURCES.Gateway, GATEWAY);
    put(world, "d");
    await world.clock.advance(10_000);

    assert.deepEqual(classesIn(world).toSorted(), ["kv-gw-cert-shop-a", "kv-gw-cert-shop-d"]);
    assert.match(
      saidIn(world).join("\n"),
      /CertificateNotSynced: the SecretProviderClass kv-gw-cert-shop-a cannot be removed: delete .*denied/,
    );

    accept();
    await world.clock.advance(120_000);

    assert.deepEqual(classesIn(world), ["kv-gw-cert-shop-d"]);
    await leader.stop();
  });

  for (const { what, resource, name, states } of [
    {
      what: "the certificate references of the Gateway",
      resource: OWNER_RESOURCES.Gateway,
      name: GATEWAY.name,
      states: ["failed", "failed"],
    },
    { what: "the SecretProviderClass kv-gw-cert-shop-a", resource: CLASSES, name: "kv-gw-cert-shop-a", states: ["failed", "pending"] },
  ]) {
    test(`RC-1: is told, and counted, where the API server refuses to write ${what}`, async () => {
      const world = new SimulatedWorld();
      put(world, "a", "b");
      refuse(world, "apply", resource, name);
      const reported: unknown[] = [];
      const say: OwnerContext["report"]["say"] = (_, notices, messages) => void reported.push(notices, messages);

      await assert.rejects(reconcileOwner(contextOf(world, say), "Gateway/team/shop", AbortSignal.timeout(10_000)), { code: "Forbidden" });

      const message = `${what} cannot be written: ${refusal("apply", resource, name).message}`;
      assert.deepEqual(reported, [[{ reason: "CertificateNotSynced", message }], states]);
    });
  }

  test("RC-1: gets its class where what an earlier write left cannot be given up", async () => {
    const world = new SimulatedWorld();
    putIngress(world, { ...GATEWAY, manager: GATEWAY_MANAGER });
    const accept = refuse(world, "patch", OWNER_RESOURCES.Ingress, GATEWAY.name);
    const leader = leadGateways(world);

    await world.clock.advance(10_000);

    assert.deepEqual(classesIn(world), ["keyvault-shop"]);
    assert.match(saidIn(world).join("\n"), /CertificateNotSynced: .*denied/);
    accept();
    await leader.stop();
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OWNER_RESOURCES } from "../../src/domain/gateways/owner-kinds.ts";
import type { NamedClasses } from "../../src/domain/gateways/served-classes.ts";
import { TLS_KEYS } from "../../src/domain/gateways/tls-entry.ts";
import { type KubeObject, type ObjectMeta, RESOURCES } from "../../src/domain/kubernetes.ts";
import { startOwners } from "../../src/sync/gateways/owners.ts";
import { ADDRESS, ASKED } from "../support/fixtures/gateway-plans.ts";
import { leadGateways, NAMED, putGateway, putIngress, type SimulatedIngress } from "../support/simulation/gateways.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const REF = { namespace: "shop", name: "web" };
const CLASS = { namespace: "shop", name: "keyvault-web" };
const OURS = [{ hosts: ["shop.example.com"], secretName: CLASS.name }];
/** Entries that make an Ingress 1.5 MiB large. */
const LARGE = Array.from({ length: 45_000 }, (_, index) => ({ hosts: ["h"], secretName: `s${index}` }));
const SERVED: NamedClasses = { Gateway: [NAMED], Ingress: [NAMED] };

async function ownersOf(world: SimulatedWorld) {
  const stop = new AbortController();
  const ignored = (): void => undefined;
  const { watcher } = world.cluster;
  const owners = startOwners({ watcher, kinds: ["Ingress"], served: SERVED, onChange: ignored }, stop.signal);
  await world.clock.advance(0);
  stop.abort();
  return owners;
}

async function held(facts: Partial<SimulatedIngress>) {
  const world = new SimulatedWorld();
  putIngress(world, { ...REF, ...facts });
  return (await ownersOf(world)).get("Ingress", REF);
}

function putAccount(world: SimulatedWorld, annotations: NonNullable<ObjectMeta["annotations"]>): void {
  const body: KubeObject = { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...REF, name: "reader", annotations } };
  world.cluster.put(RESOURCES.serviceAccounts, body);
}

const saidBy = (world: SimulatedWorld): readonly string[] => world.events.map(({ reason, message }) => `${reason}: ${message}`);

describe("of Gateways and Ingresses the worker holds", () => {
  for (const [which, facts] of [
    ["of a class that nobody named", { className: "nobodys" }],
    ["that asks for nothing", { annotations: {} }],
    [
      "of a class that nobody named and that has a long name",
      { className: "", annotations: { "kubernetes.io/ingress.class": "x".repeat(200_000) } },
    ],
  ] as const)
    test(`A10: nothing of an Ingress ${which}`, async () => {
      assert.equal((await held({ tls: LARGE, ...facts }))?.object.metadata.name, undefined);
    });

  test("A10: of an Ingress that asks what it asks for, and nothing of what others wrote", async () => {
    const owner = (await held({ tls: LARGE })) ?? assert.fail();
    assert.deepEqual(
      owner.entries.map(({ address, reference: { present, current } }) => ({ address, present: present.length, current })),
      [{ address: ADDRESS, present: 0, current: "other" }],
    );
  });

  test("what may be the worker's own and has to go, whoever serves the class", async () => {
    const world = new SimulatedWorld();
    putIngress(world, { ...REF, className: "nobodys", annotations: {}, tls: OURS });
    assert.equal((await ownersOf(world)).get("Ingress", REF), undefined, "the control: its author owns it");
    const ownedByNobody = { metadata: { managedFields: [{}] } };
    await world.cluster.client.mergePatch(OWNER_RESOURCES.Ingress, REF, ownedByNobody, { fieldManager: "x" }, new AbortController().signal);

    const owner = (await ownersOf(world)).get("Ingress", REF) ?? assert.fail();

    assert.deepEqual(
      owner.entries.map(({ reference }) => reference.present),
      [OURS],
    );
  });

  test("nothing of one that asks no more, whose class goes all the same", async () => {
    const world = new SimulatedWorld();
    putIngress(world, REF);
    const leader = leadGateways(world);
    await world.clock.advance(1_000);
    assert.notEqual(world.cluster.get(RESOURCES.secretProviderClasses, CLASS), undefined, "the control");

    putIngress(world, { ...REF, annotations: {} });
    await world.clock.advance(1_000);

    assert.equal((await ownersOf(world)).get("Ingress", REF), undefined);
    assert.equal(world.cluster.get(RESOURCES.secretProviderClasses, CLASS), undefined);
    await leader.stop();
  });

  test("A10: no address and no account that are too long, and says which", async () => {
    for (const [key, length, most] of [
      [TLS_KEYS.address, 200_000, 1024],
      [TLS_KEYS.account, 200_000, 253],
    ] as const) {
      const world = new SimulatedWorld();
      putIngress(world, { ...REF, annotations: { ...ASKED, [key]: "x".repeat(length) } });
      const leader = leadGateways(world);
      await world.clock.advance(1_000);
      assert.match(
        (await ownersOf(world)).get("Ingress", REF)?.entries[0]?.problem ?? "",
        new RegExp(`^metadata.annotations: ${key} has more than ${most} `),
      );
      assert.match(
        saidBy(world).join("\n"),
        new RegExp(`^InvalidTlsOption: metadata.annotations: ${key} has more than ${most} characters; [^x]*x?[^x]*$`),
      );
      await leader.stop();
    }
  });

  test("A10: no more than 64 hosts, and says so", async () => {
    const world = new SimulatedWorld();
    const hosts = Array.from({ length: 65 }, (_, index) => `h${index}.example.com`);
    putIngress(world, { ...REF, hosts, annotations: { ...ASKED, [TLS_KEYS.managed]: "true" } });
    const leader = leadGateways(world);

    await world.clock.advance(1_000);

    assert.deepEqual(saidBy(world), [
      "InvalidTlsOption: spec.rules: 65 hosts exceed the 64 that the worker writes into spec.tls; split the Ingress, or remove kubernetes.azure.com/tls-cert-keyvault-managed and name the Secret keyvault-web in spec.tls",
    ]);
    await leader.stop();
  });

  test("A10: nothing of a Gateway that asks for too much, says so, and keeps what was made for it", async () => {
    const world = new SimulatedWorld();
    const options = { [TLS_KEYS.address]: ADDRESS };
    putGateway(world, { ...REF, listeners: [{ name: "https", options }] });
    const leader = leadGateways(world);
    await world.clock.advance(1_000);
    const made = world.cluster.get(RESOURCES.secretProviderClasses, { ...REF, name: "kv-gw-cert-web-https" }) ?? assert.fail();

    putGateway(world, { ...REF, listeners: Array.from({ length: 65 }, (_, index) => ({ name: `https-${index}`, options })) });
    await world.clock.advance(20_000);

    assert.deepEqual(world.cluster.get(RESOURCES.secretProviderClasses, made.metadata), made);
    assert.deepEqual(saidBy(world).slice(-1), [
      "InvalidTlsOption: spec.listeners: the certificate requests exceed the worker's limits for one Gateway (64 listeners, 65536 characters), so the worker changes nothing; split it into several Gateways, or write shorter names",
    ]);
    await leader.stop();
  });
});

describe("of ServiceAccounts the worker holds", () => {
  for (const key of ["azure.workload.identity/client-id", "azure.workload.identity/tenant-id"])
    test(`A10: no ${key} that is too long, and says so`, async () => {
      const world = new SimulatedWorld();
      putAccount(world, { "azure.workload.identity/client-id": "id", [key]: `${" ".repeat(200_000)}an-id-of-36-characters-or-so` });
      putIngress(world, { ...REF, annotations: ASKED });
      const leader = leadGateways(world);

      await world.clock.advance(1_000);

      assert.deepEqual(saidBy(world), [
        `InvalidTlsOption: metadata.annotations: kubernetes.azure.com/tls-cert-service-account: the annotation ${key} of the ServiceAccount has more than 100 characters; write only the id`,
      ]);
      const { clientId, tenantId } = (await ownersOf(world)).accountOf({ ...REF, name: "reader" }) ?? assert.fail();
      assert.deepEqual({ clientId, tenantId }, { clientId: "", tenantId: "" });
      await leader.stop();
    });
});

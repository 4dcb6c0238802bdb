import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import { adoptedNames, DRIVER_MANAGED_LABEL, type TakeOver, type TakeOverFacts, takeOver } from "../../src/domain/sync/take-over.ts";
import { ownershipRefusal } from "../../src/sync/secrets/take-over-secret.ts";

function live(changes: Partial<ObservedSecret> = {}): ObservedSecret {
  return {
    ref: { namespace: "team", name: "app" },
    uid: "secret-1",
    resourceVersion: "5",
    type: "Opaque",
    immutable: false,
    labels: {},
    annotations: {},
    owned: { data: [], labels: [], annotations: [] },
    isContentIntact: false,
    ...changes,
  };
}

function verdict(facts: Partial<TakeOverFacts>): TakeOver {
  return takeOver({
    className: "demo",
    adopts: [],
    wanted: { name: "app", type: "Opaque" },
    live: live(),
    writer: "kubectl",
    driverSync: undefined,
    adoptDriverSecrets: true,
    oldestClass: "demo",
    ...facts,
  });
}

const messageOf = (result: TakeOver): string => (result.kind === "refused" ? result.message : `taken from the ${result.from}`);

const agreed = { annotations: { [SECRET_ANNOTATIONS.adoptableBy]: "demo" } };
const driverMade = { labels: { [DRIVER_MANAGED_LABEL]: "true" } };

describe("a Secret that is not ours", () => {
  test("is left alone, and its writer named where the API server says who that is", () => {
    assert.match(
      messageOf(verdict({})),
      /exists but is not managed by the worker \(written by kubectl\), so the worker leaves it unchanged/,
    );
    assert.match(messageOf(verdict({ writer: undefined })), /exists but is not managed by the worker, so the worker leaves it unchanged/);
  });

  test("is taken over where both sides say so, for the class that was named", () => {
    assert.deepEqual(verdict({ adopts: ["app"], live: live(agreed) }), { kind: "take", from: "owner" });
    assert.match(messageOf(verdict({ adopts: ["app"] })), /set the annotation keyvault-injector\.dev\/adoptable-by: demo on the Secret/);
    assert.match(
      messageOf(verdict({ live: live(agreed) })),
      /list the Secret in the annotation keyvault-injector\.dev\/adopt of the class/,
    );
    assert.match(messageOf(verdict({ className: "other", adopts: ["app"], live: live(agreed) })), /adoptable-by: other on the Secret/);
  });

  test("of the driver's sync is taken over once nothing lets that write any more, if the operator wants that", () => {
    const facts = { live: live(driverMade) };

    assert.deepEqual(verdict(facts), { kind: "take", from: "driver" });
    assert.match(messageOf(verdict({ ...facts, driverSync: "x" })), /which ClusterRoleBinding x allows; turn that sync off/);
    assert.match(messageOf(verdict({ ...facts, adoptDriverSecrets: false })), /--adopt-driver-secrets is false/);
  });

  test("of the driver's sync may have been made for an older class, which a younger one takes nothing from without its owner's word", () => {
    const facts = { live: live(driverMade), oldestClass: "orders" };

    assert.match(messageOf(verdict(facts)), /the older class orders also names it, so the worker leaves it unchanged/);
    assert.match(messageOf(verdict(facts)), /app in the annotation keyvault-injector\.dev\/adopt of demo, and .*adoptable-by: demo on/);
    assert.deepEqual(verdict({ ...facts, adopts: ["app"], live: live({ ...driverMade, ...agreed }) }), { kind: "take", from: "owner" });
    assert.match(messageOf(verdict({ ...facts, adoptDriverSecrets: false })), /--adopt-driver-secrets is false/);
  });

  test("is not taken from a driver that still writes it, whoever else agrees", () => {
    const both = live({ ...agreed, ...driverMade });

    assert.match(messageOf(verdict({ adopts: ["app"], live: both, driverSync: "x" })), /turn that sync off/);
  });

  test("is not taken over where that would mean to delete it", () => {
    for (const from of [agreed, driverMade]) {
      const facts = { adopts: ["app"] };
      assert.match(messageOf(verdict({ ...facts, live: live({ ...from, type: "kubernetes.io/tls" }) })), /its type is kubernetes\.io\/tls/);
      assert.match(messageOf(verdict({ ...facts, live: live({ ...from, immutable: true }) })), /it is immutable/);
    }
  });
});

describe("an adopted Secret", () => {
  const terms = { adopts: ["app"], driverSync: undefined, adoptDriverSecrets: true, oldestClass: "demo" };
  const secret = { name: "app", type: "Opaque", labels: {}, annotations: {}, data: new Map(), sources: new Map(), objects: [] };
  const adopted = { [SECRET_ANNOTATIONS.adopted]: "true", [SECRET_ANNOTATIONS.adoptableBy]: "demo" };
  const onto = { uid: "secret-1", resourceVersion: "1" };
  const apply = { kind: "apply", onto, removed: { data: [], labels: [], annotations: [] }, why: "the content changed" } as const;
  const refusalOf = (className: string, adopts: readonly string[]) =>
    ownershipRefusal({ secret, className, observed: live({ annotations: adopted }), terms: { ...terms, adopts } }, apply);

  test("is written by the class that both sides agree on, and by no other, whoever names it", () => {
    assert.equal(refusalOf("demo", ["app"]), undefined);
    assert.match(refusalOf("heir", ["app"]) ?? "", /Secret app was adopted, but its owner does not allow this for the class heir/);
    assert.match(
      refusalOf("demo", []) ?? "",
      /Secret app was adopted, but .*list the Secret in the annotation keyvault-injector\.dev\/adopt/,
    );
  });
});

describe("the annotation adopt of a class", () => {
  test("lists names, with or without blanks", () => {
    const annotations = { [CLASS_ANNOTATIONS.adopt]: " a,b , ,c" };
    const provider = { apiVersion: "v1", kind: "SecretProviderClass", metadata: { name: "demo", annotations } };

    assert.deepEqual(adoptedNames(provider), ["a", "b", "c"]);
    assert.deepEqual(adoptedNames({ ...provider, metadata: { name: "demo" } }), []);
  });
});

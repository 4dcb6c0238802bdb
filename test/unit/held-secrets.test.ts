/** Secrets as the worker holds them: whoever may write them in a namespace can give them our label, and make them as large as an object can be. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type KubeObject, type ObjectRef, RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { planCopy } from "../../src/domain/sync/copies/copy-plan.ts";
import { isAsWritten } from "../../src/domain/sync/fetch-trigger.ts";
import { heldSecret } from "../../src/domain/sync/held-secret.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { startSecretStore } from "../../src/sync/secrets/secret-store.ts";
import { secretOf } from "../support/fixtures/class-facts.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";
import { toldCopies } from "../support/worker/reported-copies.ts";

const MIB = 1_048_576;

interface SecretFacts extends ObjectRef {
  readonly namespace: string;
  /** Characters of labels, annotations and names of keys, of each. */
  readonly padding: number;
}

/** As somebody makes it who says that the worker owns all of it. */
function forged({ namespace, name, padding }: SecretFacts): Secret {
  const keys = Array.from({ length: Math.ceil(padding / 1_000) }, (_, index) => `${index}`.padEnd(500, "k"));
  const map = Object.fromEntries(keys.map((key) => [key, "v".repeat(500)]));
  const fields = Object.fromEntries(keys.map((key) => [`f:${key}`, {}]));
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      namespace,
      name,
      uid: `${namespace}/${name}`,
      labels: { ...map, [MANAGED_LABEL]: "true" },
      annotations: { [SECRET_ANNOTATIONS.class]: "app", [SECRET_ANNOTATIONS.objects]: "o".repeat(padding) },
      managedFields: [
        {
          manager: "keyvault-injector-sync",
          operation: "Update",
          fieldsV1: { "f:data": fields, "f:metadata": { "f:labels": { ...fields, [`f:${MANAGED_LABEL}`]: {} } } },
        },
      ],
    },
    data: {},
  };
}

function aStore() {
  const { watcher, report, tellGone } = toldCopies();
  const fingerprints = createFingerprints(Buffer.alloc(32, 1));
  const warned: unknown[] = [];
  const logger = { warn: (message: string, fields?: object) => warned.push({ message, ...fields }) };
  const store = startSecretStore({ watcher, fingerprints, logger, onChange: () => undefined }, new AbortController().signal);
  const held = (namespace: string): number => JSON.stringify(store.list().filter(({ ref }) => ref.namespace === namespace)).length;
  return { store, held, report, tellGone, warned, fingerprints };
}

describe("what is held of Secrets", () => {
  test("A18-18: is bounded for a namespace, however many Secrets of it claim to be the worker's, and however large they are", () => {
    const { store, held, report } = aStore();
    for (let index = 0; index < 60; index += 1) report(forged({ namespace: "greedy", name: `s${index}`, padding: MIB / 2 }));
    report(forged({ namespace: "other", name: "s", padding: MIB / 2 }));

    assert.ok(held("greedy") < 16 * MIB, `${held("greedy")} characters of some ${60 * MIB}`);
    assert.ok(held("greedy") > 4 * MIB, "as much as there is room for");
    assert.ok(held("other") > MIB / 2, "another namespace has room of its own");
    const last = store.get({ namespace: "greedy", name: "s59" });
    assert.equal(last?.isPartial, true);
    assert.deepEqual([last?.annotations, last?.owned.labels], [{ [SECRET_ANNOTATIONS.class]: "app" }, [MANAGED_LABEL]]);
    assert.equal(store.ofClass("greedy/app").length, 60, "whose each is stays known");
  });

  test("A18-18: has room again where some have gone, and where one is small by now", () => {
    const { store, held, report, tellGone } = aStore();
    const [first, ...others] = Array.from({ length: 60 }, (_, index) => forged({ namespace: "team", name: `s${index}`, padding: MIB / 2 }));
    for (const each of [first, ...others]) if (each !== undefined) report(each);
    for (const each of others) tellGone(each);
    assert.ok(held("team") < 2 * MIB);
    const again = forged({ namespace: "team", name: "s59", padding: MIB / 2 });
    report(again);
    assert.equal(store.get(again.metadata)?.isPartial, undefined);
  });

  test("A18-12: what is held in part is counted, and told once where it is the worker's own", () => {
    const { store, report, warned, fingerprints } = aStore();
    const proven = (secret: Secret): Secret => {
      const place = { namespace: secret.metadata.namespace ?? "", name: secret.metadata.name };
      const content = fingerprints.withProof(fingerprints.ofEncoded(place, { data: {}, keys: [] }), place);
      return {
        ...secret,
        metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [SECRET_ANNOTATIONS.content]: content } },
      };
    };
    for (let index = 0; index < 60; index += 1) report(forged({ namespace: "greedy", name: `s${index}`, padding: MIB / 2 }));
    assert.ok(store.withoutRoom > 30, `${store.withoutRoom}`);
    assert.deepEqual(warned, [], "whoever forges Secrets writes no log");

    const forgedOnes = store.withoutRoom;
    const own = Array.from({ length: 60 }, (_, index) => proven(forged({ namespace: "team", name: `s${index}`, padding: MIB / 2 })));
    for (const each of [...own, ...own]) report(each);
    const ownOnes = store.withoutRoom - forgedOnes;
    assert.ok(ownOnes > 10 && ownOnes < 60, `${ownOnes}`);
    assert.equal(warned.length, ownOnes);
    assert.deepEqual(warned.at(-1), { message: "a Secret is too large to keep", secret: "team/s59" });
  });

  test("has neither the labels nor the annotations of others", () => {
    const secret = secretOf("app");
    const others = { ...secret, labels: { ...secret.labels, theirs: "1" }, annotations: { ...secret.annotations, "kubectl/last": "{}" } };
    assert.deepEqual(
      heldSecret(others, () => true),
      secret,
    );
  });

  test("in part is read before it is what copies are made from, or compared with", () => {
    const whole = { classKey: "team/demo", secret: secretOf("app"), mark: "mark" };
    const part = { ...whole, secret: heldSecret(whole.secret, () => false) };
    const isClaimedBy = () => false;
    assert.equal(planCopy(whole, { observed: undefined, isClaimedBy }).kind, "create");
    const step = planCopy(part, { observed: undefined, isClaimedBy });
    assert.equal(step.kind, "unread");
  });
});

describe("a Secret for which there is no room", () => {
  test("A18-18: is written by what the API server has: left alone while it is right, and written whole", async () => {
    const world = new SimulatedWorld();
    const labels = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`label-${index}`.padEnd(60, "x"), "v".repeat(63)]));
    world.vaults.set("db");
    await world.clock.advance(600_000);
    const names = Array.from({ length: 200 }, (_, index) => `app-${index}`);
    const secretOfClass = (name: string): ObjectRef => ({ namespace: "team", name: `${name}-db` });
    for (const name of names) {
      world.apply({ namespace: "team", name, objects: ["db"] });
      const provider = world.cluster.get<KubeObject & { readonly spec: { readonly secretObjects: readonly object[] } }>(
        RESOURCES.secretProviderClasses,
        { namespace: "team", name },
      );
      assert.ok(provider !== undefined);
      const secretObjects = provider.spec.secretObjects.map((each) => ({ ...each, labels }));
      world.cluster.put(RESOURCES.secretProviderClasses, { ...provider, spec: { ...provider.spec, secretObjects } } as KubeObject);
    }
    const leader = world.lead();
    await world.clock.advance(2 * INTERVAL);
    const live = (name: string): Secret => {
      const found = world.cluster.get<Secret>(RESOURCES.secrets, secretOfClass(name));
      assert.ok(found !== undefined, `the Secret of ${name}`);
      return found;
    };
    const versions = () => names.map((name) => live(name).metadata.resourceVersion);
    const before = versions();
    let reads = 0;
    world.cluster.fault = ({ verb, resource }) => {
      if (verb === "list" && resource === RESOURCES.secrets) reads += 1;
      return undefined;
    };
    await world.clock.advance(4 * INTERVAL);
    assert.deepEqual(versions(), before, "nothing is written that is right");
    assert.ok(reads > 0, "some are held in part, and are read");

    const [label = ""] = Object.keys(labels);
    for (const name of names) {
      const secret = live(name);
      const edited = { ...secret.metadata.labels, [label]: "edited" };
      world.cluster.put(RESOURCES.secrets, { ...secret, metadata: { ...secret.metadata, labels: edited } });
    }
    world.vaults.set("db");
    await world.clock.advance(4 * INTERVAL);
    assert.deepEqual(
      names.filter((name) => live(name).metadata.labels?.[label] === "edited"),
      [],
    );
    assert.ok(names.every((name) => world.condition({ namespace: "team", name }, "Synced") === "True Synced"));
    await leader.stop();
  });

  test("A18-18: is no damage that anybody is told of, however often it is written", async () => {
    const observed = heldSecret(secretOf("app"), () => false);
    const secretObject = { secretName: "app", type: "Opaque", labels: { app: "web" } };
    assert.ok(isAsWritten("demo", secretObject, observed));
    assert.ok(!isAsWritten("demo", secretObject, { ...observed, isContentIntact: false }), "edited values are found");
    assert.ok(!isAsWritten("other", secretObject, observed));
  });
});

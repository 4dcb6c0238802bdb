import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { SYNC_REASONS, type SyncReason } from "../../src/domain/reasons.ts";
import { nextStatus } from "../../src/domain/sync/class-status.ts";
import { readiness } from "../../src/domain/sync/readiness.ts";
import type { ClassStatus } from "../../src/domain/sync/status-fields.ts";
import {
  isCurrentForm,
  readStatus,
  type SecretProviderClassSync,
  type StoredClassStatus,
  storedForm,
} from "../../src/domain/sync/stored-status.ts";
import { olderForm, storeAsBefore } from "../support/fixtures/older-status.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";

const KIND = RESOURCES.secretProviderClassSyncs;
const CLASS = { namespace: "team", name: "app" };
const HOUR = 3_600_000;

async function syncedWorld() {
  const world = new SimulatedWorld();
  world.vaults.set("db");
  world.vaults.set("other");
  await world.clock.advance(HOUR);
  world.apply({ ...CLASS, objects: ["db"] });
  const leader = world.lead();
  await world.clock.advance(1_000);
  return { world, leader };
}

function storedIn(world: SimulatedWorld): SecretProviderClassSync {
  const stored = world.cluster.get<SecretProviderClassSync>(KIND, CLASS);
  assert.ok(stored?.status !== undefined);
  return stored;
}

/** The readiness by the conditions that kstatus reads, such as `False Stalled`. */
const readinessIn = ({ status }: SecretProviderClassSync): string =>
  (status?.conditions ?? [])
    .filter(({ type, status: said }) => type === "Ready" || (said === "True" && (type === "Reconciling" || type === "Stalled")))
    .map(({ type, status: said }) => (type === "Ready" ? said : type))
    .join(" ");

function writesOf(world: SimulatedWorld, plural: string): number {
  return world.cluster.writes.filter(({ resource }) => resource.plural === plural).length;
}

describe("the generations of a status", () => {
  test("F1: are the object's own wherever tools look for that, and the class's under a name of its own", async () => {
    const { world, leader } = await syncedWorld();
    for (const objects of [["db", "other"], ["other"]]) {
      world.apply({ ...CLASS, objects });
      await world.clock.advance(1_000);
    }

    const { metadata, status } = storedIn(world);
    assert.equal(world.cluster.get<KubeObject>(RESOURCES.secretProviderClasses, CLASS)?.metadata.generation, 3);
    assert.equal(status?.observedClassGeneration, 3);
    assert.equal(metadata.generation, 1);
    assert.equal(status?.observedGeneration, 1);
    assert.deepEqual([...new Set(status?.conditions?.map(({ observedGeneration }) => observedGeneration))], [1]);
    await leader.stop();
  });

  test("of an edit come with the answer to it, in one write", async () => {
    const { world, leader } = await syncedWorld();
    const before = writesOf(world, KIND.plural);
    const seen = new Set<string>();
    world.cluster.watcher.reflect(
      {
        resource: KIND,
        project: (object) => object as SecretProviderClassSync, // The watch is on this kind only.
        onChange: (_, { current }) => void (current && seen.add(`${current.status?.observedClassGeneration} ${readinessIn(current)}`)),
      },
      new AbortController().signal,
    );

    world.apply({ ...CLASS, objects: ["absent"] });
    await world.clock.advance(1_000);
    world.apply({ ...CLASS, objects: ["db"] });
    await world.clock.advance(1_000);

    assert.deepEqual([...seen], ["1 True", "2 False Stalled", "3 True"]);
    assert.equal(writesOf(world, KIND.plural) - before, 2);
    await leader.stop();
  });
});

describe("Ready", () => {
  const passing: readonly SyncReason[] = ["Unreachable", "Throttled", "Frozen", "CredentialsMissing", "IdentityUnavailable"];
  const typesOf = (...said: Parameters<typeof readiness>): readonly string[] =>
    readiness(...said).map(({ type, status }) => `${type} ${status}`);

  test("stands alone where all is well or the class is switched off, and else with what it waits for", () => {
    assert.deepEqual(typesOf({ status: "True", reason: "Synced" }, []), ["Ready True"]);
    assert.deepEqual(typesOf({ status: "Unknown", reason: "SwitchedOff" }, []), ["Ready Unknown"]);
    for (const reason of SYNC_REASONS.filter((each) => each !== "Synced" && each !== "SwitchedOff" && each !== "PartialSync")) {
      const expected = passing.includes(reason) ? "Reconciling True" : "Stalled True";
      assert.deepEqual(typesOf({ status: "False", reason }, [{ state: reason }]), ["Ready False", expected], reason);
    }
  });

  test("of a class of which some Secrets fail waits for somebody where one of them does", () => {
    const partial = { status: "False", reason: "PartialSync" } as const;
    assert.deepEqual(typesOf(partial, [{ state: "Synced" }, { state: "Unreachable" }]), ["Ready False", "Reconciling True"]);
    assert.deepEqual(typesOf(partial, [{ state: "Unreachable" }, { state: "Conflict" }]), ["Ready False", "Stalled True"]);
  });

  test("follows the class: an edit that fails stalls it, an outage of the vault is progress, and what mends it leaves Ready alone", async () => {
    const { world, leader } = await syncedWorld();
    assert.equal(readinessIn(storedIn(world)), "True");
    world.apply({ ...CLASS, objects: ["absent"] });
    await world.clock.advance(1_000);
    assert.equal(readinessIn(storedIn(world)), "False Stalled");

    world.vaults.failure = () => new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
    world.apply({ ...CLASS, objects: ["db"] });
    await world.clock.advance(1_000);
    assert.equal(readinessIn(storedIn(world)), "False Reconciling");

    world.vaults.failure = undefined;
    await world.clock.advance(2 * INTERVAL);
    assert.equal(readinessIn(storedIn(world)), "True");
    await leader.stop();
  });

  test("is unknown, and neither progress nor failure, once the class is switched off", async () => {
    const { world, leader } = await syncedWorld();
    world.apply({ ...CLASS, objects: ["db"], annotations: { "keyvault-injector.dev/sync": "never" } });
    await world.clock.advance(1_000);
    assert.equal(readinessIn(storedIn(world)), "Unknown");
    await leader.stop();
  });
});

describe("a status of 0.2.0 or 0.3.0", () => {
  const older = olderForm(
    nextStatus(
      {
        generation: 5,
        reason: "Synced",
        message: "1 of 1 Secrets are up to date",
        isFresh: true,
        secrets: [{ name: "app", state: "Synced", data: [] }],
      },
      undefined,
      HOUR,
    ) as ClassStatus, // There was no status before, so that the result is a status.
  );
  const object = (status: StoredClassStatus): SecretProviderClassSync => ({
    apiVersion: "keyvault-injector.dev/v1alpha1",
    kind: "SecretProviderClassSync",
    metadata: { name: "app", generation: 1 },
    status,
  });

  test("is read as this version would say it, with the times that it had", () => {
    const read = readStatus(older);
    assert.equal(read?.observedClassGeneration, 5);
    assert.deepEqual([read?.syncedSecrets, read?.desiredSecrets], [1, 1]);
    assert.deepEqual(
      read?.conditions.map(({ type, status, lastTransitionTime }) => [type, status, lastTransitionTime]),
      ["Ready", "Synced", "Fresh"].map((type) => [type, "True", "1970-01-01T01:00:00Z"]),
    );
    assert.equal(isCurrentForm(object(older)), false);
    assert.equal(isCurrentForm(object(storedForm(read))), true);
    assert.deepEqual(readStatus(storedForm(read)), read);
  });

  test("is read even where it lacks what the schema does not ask for", () => {
    assert.deepEqual(readStatus({}), { observedClassGeneration: 0, conditions: [], syncedSecrets: 0, desiredSecrets: 0, secrets: [] });
    assert.equal(readStatus(undefined), undefined);
  });

  for (const settings of [{}, { enableSecretRotation: false }, { syncSecret: false }]) {
    test(`is stored anew once, without a question to the vault: ${JSON.stringify(settings)}`, async () => {
      const { world, leader } = await syncedWorld();
      world.apply({ ...CLASS, objects: ["other"] });
      await world.clock.advance(1_000);
      await leader.stop();
      await storeAsBefore(world, CLASS);
      assert.equal(storedIn(world).status?.observedGeneration, 2);
      assert.equal(readinessIn(storedIn(world)), "");
      const [before, secrets] = [writesOf(world, KIND.plural), writesOf(world, "secrets")];
      world.vaults.taken();

      const next = world.lead({ settings });
      await world.clock.advance(10_000);

      const { status } = storedIn(world);
      assert.deepEqual([status?.observedClassGeneration, status?.observedGeneration, status?.secretsSynced], [2, 1, undefined]);
      assert.equal(readinessIn(storedIn(world)), settings.syncSecret === false ? "Unknown" : "True");
      assert.deepEqual(world.vaults.taken(), []);
      await world.clock.advance(HOUR / 2);
      assert.equal(writesOf(world, KIND.plural) - before, 1);
      assert.equal(writesOf(world, "secrets"), secrets);
      await next.stop();
    });
  }

  test("does not hide an edit that was made while no worker led", async () => {
    const { world, leader } = await syncedWorld();
    await leader.stop();
    await storeAsBefore(world, CLASS);
    world.apply({ ...CLASS, objects: ["other"] });

    const next = world.lead();
    await world.clock.advance(1_000);

    assert.equal(world.value({ namespace: "team", name: "app-other" }), "other@v2");
    assert.equal(storedIn(world).status?.observedClassGeneration, 2);
    await next.stop();
  });
});

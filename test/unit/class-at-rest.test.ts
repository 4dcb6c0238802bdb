import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeldClass } from "../../src/domain/provider-class/held-class.ts";
import { type ClassStatus, rfc3339 } from "../../src/domain/sync/class-status.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import { type AtRest, pollAtRest, type QuietPoll, type RestPorts } from "../../src/sync/classes/at-rest.ts";
import { ClassStates } from "../../src/sync/classes/class-states.ts";
import type { GateState } from "../../src/sync/healing/crd-health.ts";
import type { Hint } from "../../src/sync/push/hints.ts";
import type { Rechecked } from "../../src/sync/vault/mirror.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const KEY = "team/demo";
const INTERVAL = 120_000;
const WHOLE: GateState = { kind: "whole", crdUid: "crd", crdGeneration: 1 };

/** The caches as they were when the class came to rest, each of which may be changed. */
class Rest {
  readonly clock = new ManualClock();
  readonly states = new ClassStates();
  spc: HeldClass | undefined = aClass();
  status: ClassStatus | undefined = aStatus(this.clock.now());
  secrets: readonly ObservedSecret[] = [aSecret("one"), aSecret("two")];
  crd: GateState = WHOLE;
  problem: string | undefined;
  isUsed = true;
  isFollowed: boolean | undefined = false;
  isCurrent = true;
  hints: readonly Hint[] = [];
  hasUnstored = false;
  rechecked: Rechecked = { kind: "unchanged", checkedAt: 0 };
  /** What happens while the vault is asked. */
  meanwhile: () => void = () => undefined;
  rechecks = 0;
  readonly resting: AtRest;

  constructor() {
    const { spc, status, secrets, clock } = this;
    assert.ok(spc && status);
    this.resting = {
      spc,
      status,
      secrets,
      crd: { crdUid: "crd", crdGeneration: 1 },
      unguarded: undefined,
      isUsed: true,
      isFollowed: false,
      until: clock.now() + 10 * INTERVAL,
      recheck: () => {
        this.rechecks += 1;
        this.meanwhile();
        return Promise.resolve(this.rechecked);
      },
    };
    const sight = { cluster: "cluster", key: KEY, spc, interval: INTERVAL, status, polledUntil: clock.now(), now: clock.now() };
    this.states.note(KEY, { kind: "seen", sight });
  }

  async due(): Promise<void> {
    await this.clock.advance(INTERVAL);
    this.rechecked = { kind: "unchanged", checkedAt: this.clock.now() };
  }

  poll(): Promise<QuietPoll> {
    return pollAtRest(portsOf(this), KEY, this.resting, new AbortController().signal);
  }
}

function portsOf(rest: Rest): RestPorts {
  return {
    clock: rest.clock,
    stores: { states: rest.states, statuses: { hasUnstored: () => rest.hasUnstored } },
    caches: {
      settings: {
        syncSecret: true,
        enableSecretRotation: true,
        rotationPollInterval: INTERVAL,
        syncMode: "always",
        unusedGrace: 0,
        expiryWarning: 0,
        adoptDriverSecrets: false,
        restoresClasses: true,
      },
      classes: { get: () => rest.spc, claimants: () => [] },
      secrets: { hasSynced: true, isBlind: false, size: 2, get: () => undefined, ofClass: () => rest.secrets },
      snapshots: { get: () => undefined, isCurrent: () => rest.isCurrent },
      statuses: { get: () => rest.status, has: () => true },
      consumers: {
        isUsed: () => rest.isUsed,
        watch: { hasSynced: true, lastActivity: 0, unbrokenSince: 0, isFollowed: true },
      },
      isFollowed: () => rest.isFollowed,
      crdHealth: {
        get state() {
          return rest.crd;
        },
        damagedSince: undefined,
      },
      hints: { of: () => rest.hints },
      cluster: {
        driverSync: undefined,
        guardrails: {
          get problem() {
            return rest.problem;
          },
        },
      },
    },
  };
}

const A_HINT: Hint = {
  object: "secret/one",
  change: "AccessChanged",
  objects: 1,
  version: undefined,
  happenedAt: 0,
  receivedAt: 0,
  unseenSince: 0,
  dueAt: 0,
  looks: 0,
};

/** Each alone makes the class one that is read again. */
const CHANGES: Readonly<Record<string, (rest: Rest) => unknown>> = {
  "the class was edited, or applied again": (rest) => (rest.spc = aClass()),
  "the class is gone": (rest) => (rest.spc = undefined),
  "the status was written": (rest) => (rest.status = aStatus(rest.clock.now() - INTERVAL)),
  "the status is gone": (rest) => (rest.status = undefined),
  "the status is not stored": (rest) => (rest.hasUnstored = true),
  "a Secret was edited": (rest) => (rest.secrets = [rest.secrets[0] ?? aSecret("one"), aSecret("two")]),
  "a Secret is gone": (rest) => (rest.secrets = rest.secrets.slice(1)),
  "a Secret came": (rest) => (rest.secrets = [...rest.secrets, aSecret("three")]),
  "the CRD is not whole": (rest) => (rest.crd = { kind: "frozen", why: "it is away" }),
  "the CRD is another one": (rest) => (rest.crd = { kind: "whole", crdUid: "other", crdGeneration: 1 }),
  "the CRD was edited": (rest) => (rest.crd = { kind: "whole", crdUid: "crd", crdGeneration: 2 }),
  "the snapshot is not that of the class": (rest) => (rest.isCurrent = false),
  "a policy is missing": (rest) => (rest.problem = "keyvault-injector-sync-secrets is missing"),
  "no pod uses the class any more": (rest) => (rest.isUsed = false),
  "a workload asks for restarts": (rest) => (rest.isFollowed = true),
  "nobody knows whether a workload asks for restarts": (rest) => (rest.isFollowed = undefined),
  "an event told of an object": (rest) => (rest.hints = [A_HINT]),
  "an object changed for another class": (rest) => rest.states.note(KEY, { kind: "objectChanged", now: rest.clock.now() }),
  "a Secret was damaged": (rest) => rest.states.note(KEY, { kind: "damageSeen", now: rest.clock.now() }),
  "the class was told as stale": (rest) => rest.states.note(KEY, { kind: "staleReported", isStale: true }),
  "an object's date was told": (rest) =>
    rest.states.note(KEY, { kind: "datesReported", byObject: new Map([["secret/one", "ObjectExpired"]]) }),
  "the state is forgotten": (rest) => rest.states.forget(KEY),
  "the vault's list changed": (rest) => (rest.rechecked = { kind: "changed" }),
};

describe("a class at rest whose poll is due", () => {
  test("is polled without being read, and comes again at its next poll, having been checked", async () => {
    const rest = new Rest();
    await rest.due();
    const before = rest.states.get(KEY);
    const poll = await rest.poll();
    const after = rest.states.get(KEY);
    assert.ok(poll !== undefined && "result" in poll && before && after);
    assert.deepEqual(poll.result, { kind: "requeueAt", at: after.nextPoll });
    assert.ok(after.nextPoll > rest.clock.now());
    assert.equal(after.lastSuccess, rest.clock.now());
    assert.equal(after.lastPoll, before.nextPoll);
  });

  for (const [what, change] of Object.entries(CHANGES)) {
    test(`is read where ${what}`, async () => {
      const rest = new Rest();
      await rest.due();
      change(rest);
      assert.equal(await rest.poll(), undefined);
    });

    test(`is read where, while the vault is asked, ${what}`, async () => {
      const rest = new Rest();
      await rest.due();
      rest.meanwhile = () => change(rest);
      assert.equal(await rest.poll(), undefined);
      assert.equal(rest.rechecks, 1);
    });
  }

  test("is read where its poll is not due, and the vault is not asked", async () => {
    const rest = new Rest();
    assert.equal(await rest.poll(), undefined);
    assert.equal(rest.rechecks, 0);
  });

  test("is read where the time of its last check is to be written, or a date to be told", async () => {
    for (const waits of [31, 10]) {
      const rest = new Rest();
      if (waits > 10) Object.assign(rest.resting, { until: Number.POSITIVE_INFINITY });
      await rest.clock.advance(waits * INTERVAL);
      assert.equal(await rest.poll(), undefined);
      assert.equal(rest.rechecks, 0);
    }
  });

  test("is read where all that was seen is older than two polls, as under throttling", async () => {
    const rest = new Rest();
    await rest.clock.advance(4 * INTERVAL);
    rest.rechecked = { kind: "unchanged", checkedAt: rest.clock.now() - 3 * INTERVAL };
    assert.equal(await rest.poll(), undefined);
  });

  test("is told of the vault's refusal, for which nobody asks the vault again", async () => {
    const rest = new Rest();
    await rest.due();
    rest.rechecked = { kind: "refused", reason: "Unreachable", message: "no answer", retry: { kind: "backoff" } };
    assert.deepEqual(await rest.poll(), { answer: rest.rechecked });
  });
});

function aClass(): HeldClass {
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { namespace: "team", name: "demo", uid: "uid" },
  };
}

function aStatus(checked: number): ClassStatus {
  return {
    observedClassGeneration: 0,
    conditions: [{ type: "Synced", status: "True", reason: "Synced", message: "", lastTransitionTime: rfc3339(checked) }],
    lastSuccessfulCheckTime: rfc3339(checked),
    syncedSecrets: 1,
    desiredSecrets: 1,
    secrets: [{ name: "one", state: "Synced", data: [] }],
  };
}

function aSecret(name: string): ObservedSecret {
  return {
    ref: { namespace: "team", name },
    uid: name,
    resourceVersion: "1",
    type: "Opaque",
    immutable: false,
    labels: {},
    annotations: {},
    owned: { data: [], labels: [], annotations: [] },
    isContentIntact: true,
    lacksProof: false,
    lastForeign: undefined,
    hasOwners: false,
    writtenAt: undefined,
    createdAt: undefined,
  };
}

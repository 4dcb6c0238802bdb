import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { HeldClass } from "../../src/domain/provider-class/held-class.ts";
import type { ObservedSecret } from "../../src/domain/sync/observed-secret.ts";
import type { ClassStatus, KeyStatus } from "../../src/domain/sync/status-fields.ts";
import { rfc3339 } from "../../src/domain/sync/stored-time.ts";
import { type AtRest, classAtRest, type PollAtRest, pollAtRest, type RestPorts } from "../../src/sync/classes/at-rest.ts";
import { ClassStates } from "../../src/sync/classes/class-states.ts";
import { observeClass } from "../../src/sync/classes/observe.ts";
import type { Mirrored } from "../../src/sync/classes/plan-fetch.ts";
import type { FetchOutcome } from "../../src/sync/classes/plan-report.ts";
import type { GateState } from "../../src/sync/healing/crd-health.ts";
import type { Hint } from "../../src/sync/push/hints.ts";
import type { Mirror, Recheck, Rechecked } from "../../src/sync/vault/mirror.ts";
import { ManualClock } from "../support/time/manual-clock.ts";

const KEY = "team/demo";
const INTERVAL = 120_000;
const WHOLE: GateState = { kind: "whole", crdUid: "crd", crdGeneration: 1 };

/** The caches as they are when the class comes to rest. A test may change each of them. */
class Rest {
  readonly clock = new ManualClock();
  readonly states = new ClassStates();
  spc: HeldClass | undefined = aClass();
  status: ClassStatus | undefined = aStatus(this.clock.now());
  secrets: readonly ObservedSecret[] = [aSecret("one"), aSecret("two")];
  crd: GateState = WHOLE;
  guardrails: FetchOutcome["guardrails"] = { problem: undefined };
  isUsed = true;
  isFollowed: boolean | undefined = false;
  isCurrent = true;
  hints: readonly Hint[] = [];
  hasUnstored = false;
  rechecked: Rechecked = { kind: "unchanged", checkedAt: 0 };
  /** Runs during the query of the vault. */
  meanwhile: () => void = () => undefined;
  rechecks = 0;

  constructor() {
    const { spc, status, clock } = this;
    assert.ok(spc);
    const sight = { cluster: "cluster", key: KEY, spc, interval: INTERVAL, status, polledUntil: clock.now(), now: clock.now() };
    this.states.note(KEY, { kind: "seen", sight });
  }

  /** The state of rest after a poll that found no problem. */
  resting(fetched: FetchOutcome = this.fetched(), planned: Mirrored = this.observed()): AtRest | undefined {
    return classAtRest(portsOf(this).caches.settings, { planned, now: this.observed() }, fetched);
  }

  observed(): Mirrored {
    return observeClass(portsOf(this).caches, KEY, this.clock.now()) as Mirrored; // The class exists.
  }

  fetched(
    changes: Partial<FetchOutcome["fetch"]> = {},
    answer: Partial<Extract<Mirror, { readonly kind: "answered" }>> = {},
  ): FetchOutcome {
    const now = this.clock.now();
    const fetchRequest = { kind: "everything", due: now, interval: INTERVAL, period: INTERVAL, credentialsMs: 0, sharedMs: 0 } as const;
    const fetch = {
      trigger: "PollDue",
      fetchRequest,
      isPoll: true,
      refresh: undefined,
      hints: [],
      changeSeen: undefined,
      ...changes,
    } as const;
    const recheck: Recheck = () => {
      this.rechecks += 1;
      this.meanwhile();
      return Promise.resolve(this.rechecked);
    };
    const well = { kind: "answered", notFresh: undefined, checkedAt: now, retry: { kind: "backoff" }, secrets: [], warnings: [] } as const;
    return { fetch, began: now, answer: { ...well, recheck, ...answer }, secrets: [], guardrails: this.guardrails, spread: 0 };
  }

  async due(): Promise<void> {
    await this.clock.advance(INTERVAL);
    this.rechecked = { kind: "unchanged", checkedAt: this.clock.now() };
  }

  poll(resting: AtRest | undefined): Promise<PollAtRest> {
    assert.ok(resting, "it has come to rest");
    return pollAtRest(portsOf(this), { key: KEY, resting }, new AbortController().signal);
  }
}

function portsOf(rest: Rest): RestPorts {
  return {
    clock: rest.clock,
    memory: { states: rest.states },
    caches: {
      settings: {
        syncSecret: true,
        enableSecretRotation: true,
        rotationPollInterval: INTERVAL,
        syncMode: "always",
        unusedGrace: 0,
        expiryWarning: 0,
        adoptDriverSecrets: false,
        heal: ["classes"],
      },
      classes: { get: () => rest.spc, claimants: () => [] },
      secrets: { hasSynced: true, isBlind: false, size: 2, withoutRoom: 0, get: () => undefined, ofClass: () => rest.secrets },
      snapshots: { get: () => undefined, isCurrent: () => rest.isCurrent },
      statuses: { get: () => rest.status, has: () => true, hasUnstored: () => rest.hasUnstored },
      consumers: {
        isUsed: () => rest.isUsed,
        watch: { hasSynced: true, lastActivity: 0, unbrokenSince: 0, isFollowed: true },
      },
      parts: { isFollowed: () => rest.isFollowed, hints: { of: () => rest.hints } },
      cluster: {
        crdHealth: {
          get state() {
            return rest.crd;
          },
          damagedSince: undefined,
        },
        driverSync: undefined,
        guardrails: {
          get known() {
            return rest.guardrails;
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
  checks: 0,
};

type Change = (rest: Rest) => unknown;

/** Changes that each end the rest. */
const CHANGES: Readonly<Record<string, Change>> = {
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
  "a policy is missing": (rest) => (rest.guardrails = { problem: "keyvault-injector-sync-secrets is missing" }),
  "no pod uses the class any more": (rest) => (rest.isUsed = false),
  "a workload asks for restarts": (rest) => (rest.isFollowed = true),
  "nobody knows whether a workload asks for restarts": (rest) => (rest.isFollowed = undefined),
  "an event told of an object": (rest) => (rest.hints = [A_HINT]),
  "an object changed for another class": (rest) => rest.states.note(KEY, { kind: "objectChanged" }),
  "the state is forgotten": (rest) => rest.states.forget(KEY),
};

/** Facts that each keep a class from coming to rest. */
const UNREST: Readonly<Record<string, (rest: Rest) => FetchOutcome | undefined>> = {
  "was looked at for another reason than a poll": (rest) => rest.fetched({ trigger: "SecretEdited" }),
  "has to be read each time": (rest) => rest.fetched({}, { recheck: undefined }),
  "lives under a CRD that is not whole": (rest) => void (rest.crd = { kind: "frozen", why: "it is away" }),
  "has no status": (rest) => void (rest.status = undefined),
  "has an age limit": (rest) => void (rest.spc = aClass({ [CLASS_ANNOTATIONS.maxStale]: "1h" })),
  "has an object that has expired": (rest) =>
    void (rest.status = withSecret(rest.clock.now(), "Synced", { expires: rfc3339(rest.clock.now() - 1) })),
  "has a contested Secret": (rest) => void (rest.status = withSecret(rest.clock.now(), "Contested")),
  "is told as throttled, whose end is in no list": (rest) => void (rest.status = notFresh(rest.clock.now())),
};

describe("a class at rest whose poll is due", () => {
  test("is polled without being read, and comes again at its next poll, having been checked", async () => {
    const rest = new Rest();
    const resting = rest.resting();
    await rest.due();
    const before = rest.states.get(KEY);
    const poll = await rest.poll(resting);
    const after = rest.states.get(KEY);
    assert.ok(before && after);
    assert.deepEqual(poll, { kind: "requeueAt", at: after.nextPoll });
    assert.ok(after.nextPoll > rest.clock.now());
    assert.equal(after.lastSuccess, rest.clock.now());
    assert.equal(after.lastPoll, before.nextPoll);
  });

  for (const [what, change] of Object.entries(CHANGES)) {
    test(`is reconciled where ${what}`, async () => {
      const rest = new Rest();
      const resting = rest.resting();
      await rest.due();
      change(rest);
      assert.equal(await rest.poll(resting), undefined);
    });

    test(`is reconciled where, while the vault is asked, ${what}`, async () => {
      const rest = new Rest();
      const resting = rest.resting();
      await rest.due();
      rest.meanwhile = () => change(rest);
      assert.equal(await rest.poll(resting), undefined);
      assert.equal(rest.rechecks, 1);
    });
  }

  test("is reconciled where its poll is not due, and the vault is not asked", async () => {
    const rest = new Rest();
    assert.equal(await rest.poll(rest.resting()), undefined);
    assert.equal(rest.rechecks, 0);
  });

  test("is reconciled where the time of its last check is to be written", async () => {
    const rest = new Rest();
    const resting = rest.resting();
    await rest.clock.advance(31 * INTERVAL);
    assert.equal(await rest.poll(resting), undefined);
    assert.equal(rest.rechecks, 0);
  });

  test("comes again when the date of an object is to be told, and is reconciled then", async () => {
    const rest = new Rest();
    const end = rest.clock.now() + 1.5 * INTERVAL;
    rest.status = withSecret(rest.clock.now(), "Synced", { expires: rfc3339(end) });
    const resting = rest.resting();
    await rest.due();
    assert.deepEqual(await rest.poll(resting), { kind: "requeueAt", at: Math.min(end, rest.states.get(KEY)?.nextPoll ?? 0) });
    await rest.clock.advance(INTERVAL);
    assert.equal(await rest.poll(resting), undefined);
    assert.equal(rest.rechecks, 1);
  });

  test("is reconciled where all that was seen is older than two polls, as under throttling", async () => {
    const rest = new Rest();
    const resting = rest.resting();
    await rest.clock.advance(4 * INTERVAL);
    rest.rechecked = { kind: "unchanged", checkedAt: rest.clock.now() - 3 * INTERVAL };
    assert.equal(await rest.poll(resting), undefined);
  });

  test("is reconciled where the vault's list changed, and told of a refusal, for which nobody asks the vault again", async () => {
    const rest = new Rest();
    const resting = rest.resting();
    await rest.due();
    rest.rechecked = { kind: "changed" };
    assert.equal(await rest.poll(resting), undefined);
    rest.rechecked = { kind: "refused", reason: "Unreachable", message: "no answer", retry: { kind: "backoff" } };
    assert.deepEqual(await rest.poll(resting), rest.rechecked);
  });
});

/** Changes after the poll was planned, which the poll therefore did not take into account. */
const SINCE: readonly string[] = [
  "a Secret was edited",
  "a Secret is gone",
  "a Secret came",
  "no pod uses the class any more",
  "a workload asks for restarts",
];

describe("a class that was polled", () => {
  for (const what of SINCE)
    test(`does not come to rest where, since the poll was planned, ${what}`, () => {
      const rest = new Rest();
      const planned = rest.observed();
      assert.ok(rest.resting(rest.fetched(), planned), "the control: it would");
      CHANGES[what]?.(rest);
      assert.equal(rest.resting(rest.fetched(), planned), undefined);
    });

  for (const [what, change] of Object.entries(UNREST))
    test(`does not come to rest where it ${what}`, () => {
      const rest = new Rest();
      assert.ok(rest.resting(), "the control: it would");
      const fetched = change(rest);
      assert.equal(rest.resting(fetched ?? rest.fetched()), undefined);
    });
});

function aClass(annotations: Readonly<Record<string, string>> = {}): HeldClass {
  const metadata = { namespace: "team", name: "demo", uid: "uid", annotations };
  return { apiVersion: "secrets-store.csi.x-k8s.io/v1", kind: "SecretProviderClass", metadata };
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

function withSecret(checked: number, state: "Synced" | "Contested", key: Partial<KeyStatus> = {}): ClassStatus {
  return { ...aStatus(checked), secrets: [{ name: "one", state, data: [{ key: "value", ...key }] }] };
}

function notFresh(checked: number): ClassStatus {
  const status = aStatus(checked);
  const fresh = { type: "Fresh", status: "False", reason: "Throttled", message: "", lastTransitionTime: rfc3339(checked) } as const;
  return { ...status, conditions: [...status.conditions, fresh] };
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

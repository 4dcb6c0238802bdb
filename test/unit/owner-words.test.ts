import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { applyStep } from "../../src/sync/classes/apply.ts";
import { ClassStates } from "../../src/sync/classes/class-states.ts";
import type { ClassPorts } from "../../src/sync/classes/ports.ts";
import { type WritePorts, writeSecrets } from "../../src/sync/classes/write-secrets.ts";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import { classOf, INTERVAL, SETTINGS, secretOf } from "../support/fixtures/class-facts.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const KEY = "team/demo";
const NEVER = new AbortController().signal;

test("CW-8: a status says that the client is unknown where the API server does not record one", async () => {
  const [clock, states, spc] = [new ManualClock(), new ClassStates(), classOf()];
  const sight = { cluster: "cluster", key: KEY, spc, interval: INTERVAL, status: undefined, polledUntil: undefined, now: clock.now() };
  states.note(KEY, { kind: "seen", sight });
  const ports = {
    caches: {
      classes: { claimants: () => [spc] },
      secrets: { get: () => undefined },
      cluster: {},
      settings: SETTINGS,
      consumers: { isUsed: () => false },
    },
    states,
    secretWriter: { write: async () => ({ kind: "written", action: "create" }) },
    reporter: { events: { emit: () => undefined }, logger: recordingLogger() },
    repairs: { inc: () => undefined },
    clock,
  } as unknown as WritePorts; // The parts that writes use.
  const answer = { kind: "answered", secrets: [{ kind: "desired", secret: { name: "app" }, keys: [] }] } as unknown as Mirror; // As above.
  const messages: (string | undefined)[] = [];
  for (let repairs = 0; repairs < 10; repairs += 1) {
    states.note(KEY, { kind: "damageSeen", now: clock.now() });
    states.note(KEY, { kind: "fetchBegan", trigger: "SecretMissing", now: clock.now() });
    const { secrets } = await writeSecrets(ports, { key: KEY, spc, trigger: "SecretMissing" }, answer, NEVER);
    messages.push(secrets[0]?.message);
  }
  assert.match(messages.at(-1) ?? "", /^Secret app is changed or deleted after each repair, last by an unknown client; /);
});

test("CW-8: the log calls the class that gets a Secret its next owner", async () => {
  const younger: SecretProviderClass = { ...classOf(), metadata: { ...classOf().metadata, name: "younger" } };
  const logger = recordingLogger();
  const cluster = { crdHealth: { confirm: async () => ({ kind: "whole" }) } };
  const ports = {
    caches: { classes: { claimants: () => [younger] }, settings: SETTINGS, consumers: { isUsed: () => false }, cluster },
    memory: { states: new ClassStates() },
    secretWriter: { transfer: async () => undefined },
    reporter: { logger },
    clock: new ManualClock(),
    enqueue: () => undefined,
  } as unknown as ClassPorts; // The parts that this action uses.
  const actions = [{ kind: "removeSecret", secret: secretOf("app"), nextOwner: "younger", why: "no longer named" }] as const;
  const guarded = { kind: "guarded", preconditions: [{ kind: "crdHealthy" }], actions, otherwise: { kind: "done" } } as const;
  await applyStep(ports, { key: KEY, spc: undefined }, { actions: [guarded], result: { kind: "done" } }, NEVER);
  assert.deepEqual(
    logger.entries.map(({ fields }) => fields),
    [{ class: KEY, secret: "app", nextOwner: "team/younger", why: "no longer named" }],
  );
});

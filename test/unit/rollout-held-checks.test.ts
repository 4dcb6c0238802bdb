import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { POD_ANNOTATIONS, RESTART_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { RolloutContext } from "../../src/sync/rollouts/rollout-context.ts";
import { RolloutMemory } from "../../src/sync/rollouts/rollout-memory.ts";
import { reconcileRollouts } from "../../src/sync/rollouts/rollout-namespace.ts";
import { VersionTimes } from "../../src/sync/rollouts/rollout-versions.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { workload } from "../support/worker/observed-workload.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const { restartOnRotation, secretProviderClass, inject } = POD_ANNOTATIONS;
const HOUR = 3_600_000;

const CLASS = {
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { namespace: "team", name: "a", generation: 1 },
  spec: { provider: "azure", secretObjects: [{ secretName: "a", type: "Opaque", data: [] }] },
};

const SECRET = {
  ref: { namespace: "team", name: "a" },
  annotations: { [SECRET_ANNOTATIONS.objects]: "secret/a@1" },
  writtenAt: 1,
  createdAt: 1,
};

/** Looks at a Namespace, whose restarts are paused, with ten due workloads; each list of pods takes so many milliseconds. */
class PausedNamespace {
  readonly clock = new ManualClock();
  listMs = 0;
  /** How often anybody asked what the Namespace says. */
  asked = 0;
  readonly #context: RolloutContext;

  constructor() {
    const { clock } = this;
    const watched = Array.from({ length: 10 }, (_, index) =>
      workload({ name: `w${index}`, annotations: { [restartOnRotation]: "true", [inject]: "true", [secretProviderClass]: "a" } }),
    );
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "old", uid: "old", creationTimestamp: "1970-01-01T00:00:00Z" },
      spec: {},
      status: { phase: "Running" },
    };
    const list = async (_: unknown, { keep }: { readonly keep: (object: object) => unknown }) => {
      if (this.listMs > 0) await clock.advance(this.listMs);
      return [keep(pod)];
    };
    const memory = new RolloutMemory(clock.now());
    const logger = recordingLogger();
    const live = {
      crdHealth: { state: { kind: "served" } },
      classes: { list: () => [CLASS] },
      secrets: { get: () => SECRET },
      statuses: { get: () => undefined, update: async () => undefined },
    };
    this.#context = {
      worker: { live, isSwitchedOff: () => false, clock, logger, events: { emit: () => undefined } },
      workloads: {
        ofNamespace: () => watched,
        hasSynced: true,
        unlisted: [],
        defaultsOf: () => {
          this.asked += 1;
          return { [RESTART_ANNOTATIONS.paused]: "true" };
        },
      },
      versions: { times: new VersionTimes(), records: { problem: () => undefined, changesIn: () => 0, filesIn: () => () => [] } },
      memory,
      writer: { memory, clock, logger, kube: { list }, isDryRun: false },
      limits: { slots: { claim: () => 0, forget: () => undefined }, budgets: undefined },
      settings: { timeoutMs: HOUR, mostAtATime: 1, controls: { mode: "act", window: { kind: "always" } } },
      metrics: { observe: () => undefined },
    } as unknown as RolloutContext; // Nothing else is asked.
  }

  /** How often the Namespace was asked in a look. */
  async check(): Promise<number> {
    this.asked = 0;
    await reconcileRollouts(this.#context, "team", new AbortController().signal);
    return this.asked;
  }
}

describe("S20-9: what holds the restarts of a namespace", () => {
  test("is looked at once in a look, and again where the lists of pods took the look's time", async () => {
    const namespace = new PausedNamespace();
    await namespace.check();
    await namespace.clock.advance(3_000);
    // Once for what the workloads use, and once for each that is due.
    assert.equal(await namespace.check(), 11);

    const slow = new PausedNamespace();
    await slow.check();
    await slow.clock.advance(3_000);
    slow.listMs = 1_000;
    assert.ok((await slow.check()) > 11);
  });
});

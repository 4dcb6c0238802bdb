import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Registry } from "prom-client";
import { checkGuardrails } from "../../src/cli/doctor/checks/policies.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { conditionOf } from "../../src/domain/sync/class-status.ts";
import { assertGuarded, createPolicyMonitor, GUARDRAILS, type Guardrail, tryGuardrails } from "../../src/sync/guardrails.ts";
import { createSyncMetrics } from "../../src/sync/metrics.ts";
import { SimulatedCluster, withoutRight } from "../support/simulation/cluster.ts";
import { INTERVAL, SimulatedWorld } from "../support/simulation/world.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { holding } from "../support/worker/held-objects.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const MINUTE = 60_000;
const NAMESPACE = "keyvault-injector";
/** The policy of the only attempt that applies an Ingress. */
const UNANSWERED = "keyvault-injector-gateway-identities";
/** The policy of the attempt that creates a class without a finalizer. */
const REMOVED = "keyvault-injector-class-identities";
const FAILED = new KubeError("Unavailable", 'HTTP 500: failed calling webhook "of-ingresses"', { retry: { kind: "backoff" }, status: 500 });

/** An API server that denies what each policy forbids, except for the changes of a test. */
class Api {
  /** Whether no policy denies the class. */
  isRemoved = false;
  /** Answer to the test with the Ingress. */
  toIngress: KubeError = withoutRight();

  readonly client: KubeClient = {
    ...new SimulatedCluster(new ManualClock()).client,
    list: async () => [],
    create: async (resource, body) => {
      const isClass = resource === RESOURCES.secretProviderClasses && body.metadata.finalizers === undefined;
      return isClass && this.isRemoved ? body : refuse();
    },
    apply: async () => refuse(this.toIngress),
    replace: async () => refuse(),
    mergePatch: async () => refuse(),
    delete: async () => refuse(),
    requestToken: async () => refuse(),
  };
}

function refuse(error = withoutRight()): never {
  throw error;
}

function startMonitor(api: Api, isBlind = false) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const logger = recordingLogger();
  const messages: string[] = [];
  const gauge = new Map<Guardrail, boolean>();
  const monitor = createPolicyMonitor({
    kube: api.client,
    namespace: NAMESPACE,
    isBlind,
    watcher: new SimulatedCluster(clock).watcher,
    clock,
    logger,
    events: { emit: ({ message }) => void messages.push(message) },
    onKnown: (policy, isMissing) => gauge.set(policy, isMissing),
  });
  const ended = monitor.run(stop.signal).then(
    () => "stopped",
    (error: Error) => error.message,
  );
  const run = async (milliseconds: number): Promise<void> => clock.advance(milliseconds);
  const end = async (): Promise<string> => {
    stop.abort();
    return ended;
  };
  const infos = (): readonly string[] => logger.entries.filter(({ level }) => level === "info").map(({ message }) => message);
  return { monitor, messages, gauge, run, end, infos };
}

describe("a policy whose test has no result", () => {
  test("RV1: does not hide that another policy is missing", async () => {
    const api = new Api();
    Object.assign(api, { isRemoved: true, toIngress: FAILED });
    const { monitor, messages, gauge, run, end } = startMonitor(api);

    await run(MINUTE);

    assert.match(monitor.known?.problem ?? "none", new RegExp(`^the sync worker is able to do what ${REMOVED} should prevent`));
    assert.equal(messages.length, 1);
    assert.deepEqual([gauge.get(REMOVED), gauge.get(UNANSWERED), gauge.size], [true, undefined, GUARDRAILS.length - 1]);
    assert.equal(await end(), "stopped");
  });

  test("RV1: does not let a blind worker run, or start, without another policy", async () => {
    const api = new Api();
    Object.assign(api, { isRemoved: true, toIngress: FAILED });
    const { run, end } = startMonitor(api, true);
    await run(1_000);
    const clock = new ManualClock();
    const patience = { clock, logger: recordingLogger(), random: () => 0.5 };
    const start = assertGuarded({ kube: api.client, namespace: NAMESPACE, isBlind: true, ...patience }, new AbortController().signal);

    assert.match(await end(), new RegExp(`^GuardrailsMissing: .*${REMOVED}`));
    await assert.rejects(start, new RegExp(`^Error: GuardrailsMissing: .*${REMOVED}`));
  });

  test("RV1: keeps the result of its last test, and is reported once after ten minutes without another", async () => {
    const api = new Api();
    const { monitor, messages, gauge, run, end, infos } = startMonitor(api, true);
    await run(MINUTE);
    assert.deepEqual([monitor.known, gauge.get(UNANSWERED)], [{ problem: undefined }, false]);

    api.toIngress = FAILED;
    await run(60 * MINUTE);
    assert.deepEqual([monitor.known?.problem, gauge.get(UNANSWERED)], [undefined, false]);
    await run(20 * MINUTE);

    assert.equal(messages.length, 1, messages.join("\n"));
    assert.match(messages[0] ?? "", new RegExp(`${UNANSWERED} for 10 minutes.*failed calling webhook "of-ingresses"`));
    assert.deepEqual([monitor.known?.problem, gauge.get(UNANSWERED), gauge.get(REMOVED)], [messages[0], true, false]);

    api.toIngress = withoutRight();
    await run(MINUTE);
    assert.deepEqual([monitor.known?.problem, gauge.get(UNANSWERED)], [undefined, false]);
    assert.deepEqual(infos(), ["the policies deny what they forbid"]);
    assert.equal(await end(), "stopped", "a blind worker runs on");
  });

  test("RV1: is named by doctor, with the error, beside what doctor does know", async () => {
    const api = new Api();
    Object.assign(api, { isRemoved: true, toIngress: FAILED });
    const acting = { kube: { ...api.client, create: createOrTell(api) }, close: async () => undefined };
    const results = await checkGuardrails({
      viewer: holding([]),
      namespace: NAMESPACE,
      cluster: { actAs: async () => acting },
      worker: { tryGuardrails },
      signal: new AbortController().signal,
    } as unknown as Parameters<typeof checkGuardrails>[0]); // The check takes nothing else.

    assert.deepEqual(
      results.map(({ state, message }) => `${state} ${message.replace(/; check .*/, "")}`),
      [
        `FAIL the worker is able to do what ${REMOVED} should prevent`,
        `SKIP not checked: could not make the tests of ${UNANSWERED}: ${FAILED.message}`,
      ],
    );
  });
});

/** Tells who asks, and otherwise answers as the API server of the test. */
function createOrTell(api: Api): KubeClient["create"] {
  return async (resource, body, ...rest) => (resource.plural === "selfsubjectreviews" ? body : api.client.create(resource, body, ...rest));
}

const answerNothing: KubeClient["create"] = async (_resource, _body, _options, signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("policies that were not tested yet", () => {
  test("RV1: have no metric", async () => {
    const registry = new Registry();
    createSyncMetrics(registry);
    const lines = (await registry.metrics()).split("\n");

    assert.deepEqual(
      lines.filter((line) => line.startsWith("keyvault_injector_guardrails_missing{")),
      [],
    );
  });

  test("RV1: leave the condition of a class as the former leader wrote it, until they are tested", async () => {
    const ref = { namespace: "team", name: "app" };
    const world = new SimulatedWorld();
    const api = new Api();
    const guarded = (): string => {
      const { status = "", reason = "" } = conditionOf(world.status(ref), "Guarded") ?? {};
      return `${status} ${reason}`;
    };
    world.vaults.set("db");
    world.apply({ ...ref, objects: ["db"] });
    api.isRemoved = true;
    const former = world.lead({ probe: api.client });
    await world.clock.advance(2 * INTERVAL);
    assert.equal(guarded(), "False GuardrailsMissing");
    await former.stop();

    const leader = world.lead({ probe: { ...api.client, create: answerNothing } });
    world.vaults.set("db");
    await world.clock.advance(2 * INTERVAL);
    assert.equal(world.value({ namespace: "team", name: "app-db" }), "db@v2");
    assert.equal(guarded(), "False GuardrailsMissing");
    await leader.stop();

    api.isRemoved = false;
    const last = world.lead({ probe: api.client });
    await world.clock.advance(2 * INTERVAL);
    assert.equal(guarded(), "True Synced");
    await last.stop();
  });
});

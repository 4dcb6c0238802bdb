import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainPod } from "../../src/cli/explain/explain-pod.ts";
import type { Explanation } from "../../src/cli/explain/explanation.ts";
import { createFacts } from "../../src/cli/shared/injection.ts";
import { runOffline } from "../support/cli/cli.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { prefixed } from "../support/fixtures/pods.ts";
import { holding } from "../support/worker/held-objects.ts";

const P = "keyvault-injector.dev";
const TIME = "2026-01-01T00:00:00Z";

type Texts = Readonly<Record<string, string>>;

const POD = { spec: { containers: [{ name: "app", image: "web", envFrom: [{ secretRef: { name: "db" } }] }] } };
const deployment = (template: Texts, own: Texts = {}, kind = "Deployment") => ({
  apiVersion: kind === "Job" ? "batch/v1" : "apps/v1",
  kind,
  metadata: { namespace: "shop", name: "web", annotations: prefixed(own) },
  spec: { template: { metadata: { annotations: prefixed(template) }, ...POD } },
});
const namespace = (annotations: Texts) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "shop", annotations: prefixed(annotations) },
});

async function explained(...objects: readonly object[]): Promise<Explanation> {
  const { output } = await runOffline(["explain", "-f", "-", "-o", "json"], objects.map((each) => JSON.stringify(each)).join("\n---\n"));
  const all: readonly Explanation[] = JSON.parse(output).explanations;
  const found = all.find(({ object }) => object.endsWith("/web"));
  assert.ok(found !== undefined);
  return found;
}

const restartsOf = ({ steps }: Explanation): readonly string[] =>
  steps.filter(({ topic }) => topic === "restarts").map(({ state, message }) => `${state} ${message}`);

const ASKS = { "restart-on-rotation": "true" };
const YES = `ok requests restarts: annotation ${P}/restart-on-rotation is "true"`;
const ANY_TIME = "ok neither it nor its Namespace sets a window: the worker's --restart-window applies";
const UNKNOWN = "unknown no cluster is contacted: the state of its restarts is not known";

describe("explain, of a workload that asks for restarts", () => {
  test("P7: does not say that nothing is asked for, nor to opt in", async () => {
    const found = await explained(deployment(ASKS));

    assert.equal(found.verdict.reason, "NotOptedIn");
    assert.equal(found.verdict.message, `it requests only restarts, so nothing is injected: restarts need no ${P}/inject`);
    assert.deepEqual(restartsOf(found), [YES, ANY_TIME, UNKNOWN]);
  });

  test("P7: says which window and which pause count", async () => {
    const window = { "restart-window": "always" };
    const paused = `warning paused: ${P}/restart-paused on its Namespace is not "false"`;

    assert.deepEqual(restartsOf(await explained(namespace({ ...window, "restart-paused": "true" }), deployment(ASKS))), [
      YES,
      'ok its restart window is "always", set on its Namespace: open now',
      paused,
      UNKNOWN,
    ]);
    assert.deepEqual(restartsOf(await explained(namespace(window), deployment(ASKS, { "restart-window": "at night" }))).slice(1, 2), [
      `problem ${P}/restart-window on the workload is invalid, and prevents restarts until it is corrected: "at night" is not "<cron> for <duration>": write "always" or times such as "0 22 * * MON-FRI for 4h in Europe/Berlin"`,
    ]);
    const [, open = ""] = restartsOf(await explained(deployment({ ...ASKS, "restart-window": "* * * * * for 2m" })));
    assert.match(open, /^ok its restart window is "\* \* \* \* \* for 2m", set on its pod template: open now$/);
    const [, closed = ""] = restartsOf(await explained(deployment(ASKS, { "restart-window": "0 0 29 2 * for 1m" })));
    assert.match(closed, /^ok its restart window is "0 0 29 2 \* for 1m", set on the workload: opens at 20\d\d-02-29T00:00:00Z$/);
  });

  test("P7: says no where it does not ask, and a default of its Namespace counts for pods that opt in alone", async () => {
    const no = `ok does not request restarts: annotation ${P}/restart-on-rotation is not "true"`;

    assert.deepEqual(restartsOf(await explained(deployment({}))), [no]);
    assert.deepEqual(restartsOf(await explained(namespace(ASKS), deployment({}))), [no]);
    const byDefault = await explained(namespace(ASKS), deployment({ inject: "true", "secret-provider-class": "db" }));
    assert.equal(restartsOf(byDefault)[0], `ok requests restarts: annotation ${P}/restart-on-rotation of Namespace "shop" is "true"`);
  });

  test("has no such step for what has no restarts", async () => {
    assert.deepEqual(restartsOf(await explained(deployment({}, {}, "Job"))), []);
  });
});

describe("explain, of a workload that asks for restarts in a cluster", () => {
  const statusOf = (name: string, secretName: string, reason: string): Manifest => ({
    apiVersion: "keyvault-injector.dev/v1alpha1",
    kind: "SecretProviderClassSync",
    metadata: { namespace: "shop", name },
    status: {
      conditions: [{ type: "Rotated", status: "False", reason, message: "Deployment web", lastTransitionTime: TIME }],
      secrets: [{ name: secretName, state: "Synced", data: [] }],
    },
  });

  async function inCluster(...objects: readonly Manifest[]): Promise<readonly string[]> {
    const viewer = holding(objects);
    const workload = deployment(ASKS);
    const pod = { apiVersion: "v1", kind: "Pod", metadata: workload.spec.template.metadata, spec: POD.spec };
    const settings = { version: "9.9.9-test", strictAnnotations: false, isCallerTrusted: true };
    const facts = createFacts([], viewer, "shop");
    const clock = { now: () => Date.parse(TIME) };
    const context = { settings, mode: "webhook" as const, facts, namespace: "shop", viewer, clock };
    const input = { object: "deployment/web", namespace: "shop", pod, isStored: false, path: ["spec", "template"], workload };
    return restartsOf(await explainPod(input, context)).slice(2);
  }

  test("P7: says what it waits for, of each class that it uses", async () => {
    assert.deepEqual(
      await inCluster(
        statusOf("sql", "db", "RolloutFailed"),
        statusOf("paused", "db", "RestartsPaused"),
        statusOf("other", "tls", "RolloutFailed"),
      ),
      ["problem class sql: RolloutFailed: Deployment web", "warning class paused: RestartsPaused: Deployment web"],
    );
  });

  test("P7: says where it uses nothing that the worker follows", async () => {
    assert.deepEqual(await inCluster(statusOf("other", "tls", "Rotated")), [
      "warning it uses no class and no Secret for which the worker has a status: nothing restarts it",
    ]);
  });
});

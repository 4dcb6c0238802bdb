/**
 * Evaluates the alerts with promtool, over the metrics that our processes and the API server really report: at rest, during restarts, a
 * rollout and a failover, and then with the fault of each alert. Scrapes come every five seconds. The last values are repeated for an hour.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ALERT_CASES } from "../contract/judge/alert-cases.ts";
import { programRefusal } from "../e2e/support/binaries.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import type { ProductProcess, Role } from "../support/cluster/product.ts";
import { alertRules } from "../support/docs/monitoring.ts";
import { expectedAlerts, openPromtool, type Promtool, testedGroups } from "../support/docs/promtool.ts";
import { aPod, OPTED_IN, prefixed } from "../support/fixtures/pods.ts";
import { eventually } from "../support/time/eventually.ts";
import { samplesOf } from "../support/worker/metric-samples.ts";
import { classOf, createClass, opaque, reasonIs, type SyncWorld, send, startSyncWorld } from "../support/worker/sync-world.ts";
import { MetricRecorder } from "./metric-recorder.ts";

const refusal = controlPlaneRefusal() ?? programRefusal(["promtool"]);
const START = { within: 120_000 };
const ALERTS = alertRules().map(({ alert }) => alert);
/** Faults that consist of missing series. */
const ABSENCES = ["KeyVaultInjectorNoLeader", "KeyVaultInjectorCertificateUnknown"];

let world: SyncWorld;
let recorder: MetricRecorder;
let promtool: Promtool;
let namespace: string;
let serial = 0;
const gone = new Map<ProductProcess, () => void>();

async function startPod(role: Role): Promise<ProductProcess> {
  const process = await world.product.start(role, START);
  gone.set(process, recorder.add({ pod: `${role}-${++serial}`, read: () => process.metrics() }));
  return process;
}

async function endPod(process: ProductProcess, how: "stop" | "kill"): Promise<void> {
  await process[how]();
  gone.get(process)?.();
}

async function isLeader(process: ProductProcess): Promise<boolean> {
  return samplesOf(await process.metrics()).value("leader") === 1;
}

function leads(...processes: readonly ProductProcess[]): Promise<ProductProcess> {
  return eventually(
    async () => {
      for (const process of processes) if (await isLeader(process).catch(() => false)) return process;
      return false;
    },
    { within: 120_000, what: "a leader" },
  );
}

/** Waits for some scrapes without a disturbance. Sends an opted-in pod on each attempt, and ignores the answer. */
async function rest(scrapes: number): Promise<void> {
  const until = recorder.scrapes + scrapes;
  await eventually(
    async () => {
      const pod = aPod(prefixed({ ...OPTED_IN, "secret-provider-class": "resting" }));
      await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body: pod }).catch(
        () => undefined,
      );
      return recorder.scrapes >= until;
    },
    { within: 120_000, what: `${scrapes} scrapes` },
  );
}

/** A rest, restarts of the webhook and of the standby, a rollout of the leading worker, the loss of the next leader, and another rest. */
async function live(): Promise<void> {
  const webhook = await startPod("webhook");
  const first = await startPod("sync");
  const object = await world.object("value");
  await createClass(
    world.plane,
    classOf(world, { namespace, name: "resting", objects: [object], secretObjects: [opaque("resting", object)] }),
  );
  await reasonIs(world.plane, { namespace, name: "resting" }, "Synced");
  const second = await startPod("sync");
  await rest(4);

  await endPod(webhook, "kill");
  await startPod("webhook");
  const standby = (await leads(first, second)) === first ? second : first;
  const leader = standby === first ? second : first;
  await endPod(standby, "kill");
  const third = await startPod("sync");
  await rest(2);

  const fourth = await startPod("sync");
  await endPod(leader, "stop");
  const next = await leads(third, fourth);
  await rest(2);

  await endPod(next, "kill");
  await leads(next === third ? fourth : third);
  await rest(4);
}

describe("the alerts, over recorded series", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    promtool = await openPromtool();
    world = await startSyncWorld();
    namespace = await world.namespace();
    recorder = new MetricRecorder(5);
    recorder.add({ read: () => world.plane.kubectl(["get", "--raw", "/metrics"]) });
    recorder.start();
    await live();
    await recorder.stop();
  });
  after(async () => {
    await recorder?.stop();
    await world?.stop();
    promtool?.close();
  });

  test("all stay silent at rest, on restarts, a rollout and a fail-over, and for an hour after them", async () => {
    const leaders = Object.entries(recorder.recorded(0)).filter(([each]) => each.startsWith("keyvault_injector_leader{"));
    assert.equal(leaders.length, 4, "worker pods that were scraped");
    assert.equal(leaders.filter(([, values]) => values.includes("stale")).length, 3, "worker pods that went away");
    assert.ok(leaders.filter(([, values]) => /\b1\b/.test(values)).length >= 3, "worker pods that led");
    const minutes = 60 + Math.ceil((recorder.scrapes * recorder.interval) / 60);
    const series = Object.entries(recorder.recorded((60 * 60) / recorder.interval)).map(([each, values]) => ({ series: each, values }));
    const times = Array.from({ length: minutes * 2 }, (_, index) => `${index * 30}s`);
    const tests = {
      name: "recorded",
      interval: `${recorder.interval}s`,
      input_series: series,
      alert_rule_test: ALERTS.flatMap((alertname) => times.map((eval_time) => ({ eval_time, alertname, exp_alerts: [] }))),
    };
    const { code, text } = await promtool.judge(
      "test",
      "rules",
      promtool.file("recorded.json", {
        rule_files: [promtool.file("rules.json", { groups: testedGroups() })],
        evaluation_interval: "30s",
        tests: [tests],
      }),
    );

    assert.equal(code, 0, text.slice(0, 4_000));
    console.log(`alerts: ${ALERTS.length} silent over ${recorder.scrapes} scrapes of ${series.length} series`);
  });

  test("fire on their fault, each alone", async () => {
    const steady = recorder.atTheEnd(120);
    assert.ok(Object.keys(steady).some((each) => each.startsWith("keyvault_injector_leader")));
    const tests = ALERT_CASES.map((each) => {
      const replaced = ABSENCES.includes(each.alert) ? Object.keys(each.fires.series).map((one) => one.split("{")[0] ?? "") : [];
      const kept = Object.entries(steady).filter(([one]) => !replaced.includes(one.split("{")[0] ?? ""));
      return {
        name: each.alert,
        interval: "1m",
        input_series: [...kept, ...Object.entries(each.fires.series)].map(([series, values]) => ({ series, values })),
        alert_rule_test: ALERTS.map((alertname) => ({
          eval_time: each.fires.at,
          alertname,
          exp_alerts: alertname === each.alert ? expectedAlerts(each) : [],
        })),
      };
    });
    const { code, text } = await promtool.judge(
      "test",
      "rules",
      promtool.file("faults.json", {
        rule_files: [promtool.file("rules.json", { groups: testedGroups() })],
        evaluation_interval: "1m",
        tests,
      }),
    );

    assert.equal(code, 0, text.slice(0, 4_000));
  });
});

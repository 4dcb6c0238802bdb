import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { InstallReport } from "../../src/cli/doctor/report.ts";
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { WORKLOADS } from "../../src/domain/rollout/workload-kinds.ts";
import { runOnline } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";
import { readTarget, type Target } from "../support/component-damage/cluster.ts";
import { type ComponentWorld, installComponents } from "../support/component-damage/component-world.ts";
import { healingOf } from "../support/component-damage/healing-here.ts";
import { eventually } from "../support/time/eventually.ts";
import { eventsOf } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();
const NAMESPACE = "keyvault-injector";
const MUTATING: Target = { resource: RESOURCES.mutatingWebhookConfigurations, name: NAMESPACE };
const VALIDATING: Target = { resource: RESOURCES.validatingWebhookConfigurations, name: NAMESPACE };
const WEBHOOK: Target = { resource: WORKLOADS.Deployment, namespace: NAMESPACE, name: "keyvault-injector-webhook" };
const TERMS = [
  { key: "control-plane", operator: "NotIn", values: ["true"] },
  { key: "kubernetes.azure.com/managedby", operator: "NotIn", values: ["aks"] },
];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** More repairs than these in a day, and nobody waits for the rest of it. */
const FAR_TOO_MANY = 60;

let world: ComponentWorld;

const isExcluded = (configuration: KubeObject | undefined): boolean =>
  listAt(configuration, "webhooks").every((webhook) =>
    JSON.stringify(at(webhook, "namespaceSelector")).includes("kubernetes.azure.com/managedby"),
  );

/** What the platform of AKS does to webhook configurations, whenever its terms are missing; this one knows no opt-out. */
async function enforce(target: Target): Promise<boolean> {
  const { cluster } = world;
  const live = await readTarget(cluster, target);
  if (live === undefined || isExcluded(live)) return false;
  const webhooks = listAt(live, "webhooks").map((webhook) => {
    const terms = [...listAt(webhook, "namespaceSelector", "matchExpressions"), ...TERMS];
    return { ...(webhook as object), namespaceSelector: { matchExpressions: terms } };
  });
  const { resourceVersion } = live.metadata;
  const patch = { metadata: { resourceVersion }, webhooks };
  await cluster.kube.mergePatch(
    target.resource,
    { name: target.name },
    patch,
    { fieldManager: "admissionsenforcer" },
    AbortSignal.timeout(10_000),
  );
  return true;
}

/** Enforces until it is stopped; resolves with how often it had to, for both configurations together. */
function startEnforcer(): { stop(): Promise<number> } {
  const end = new AbortController();
  const run = async (): Promise<number> => {
    let writes = 0;
    while (!end.signal.aborted) {
      // A conflict is looked at again.
      for (const target of [MUTATING, VALIDATING]) if (await enforce(target).catch(() => false)) writes += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return writes;
  };
  const running = run();
  return {
    stop: () => {
      end.abort();
      return running;
    },
  };
}

/** Repairs of the mutating configuration in a day, hour by hour, while a manager takes a field back so long after each of them. */
async function repairsInADay(manager: string, afterMs: number): Promise<readonly number[]> {
  const { kube } = world.cluster;
  const signal = AbortSignal.timeout(120_000);
  const { clock, reconcile } = healingOf(kube, { namespace: NAMESPACE, id: `MutatingWebhookConfiguration ${NAMESPACE}` }, signal);
  const timeout = async (): Promise<unknown> => at(await readTarget(world.cluster, MUTATING), "webhooks", 0, "timeoutSeconds");
  const takeBack = async (): Promise<void> => {
    const webhooks = [{ name: "pods.keyvault-injector.dev", timeoutSeconds: 7 }];
    const body = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: NAMESPACE },
      webhooks,
    };
    await kube.apply(MUTATING.resource, body, { fieldManager: manager, force: true }, signal);
  };
  await reconcile();
  const [began, repairs] = [clock.now(), [] as number[]];
  while (clock.now() - began < 24 * HOUR && repairs.length < FAR_TOO_MANY) {
    clock.pass(afterMs);
    await takeBack();
    while ((await timeout()) === 7 && clock.now() - began < 24 * HOUR) {
      const outcome = await reconcile();
      if ((await timeout()) === 7) clock.pass(outcome.kind === "requeueAfter" ? outcome.milliseconds : MINUTE);
    }
    if ((await timeout()) !== 7) repairs.push(Math.floor((clock.now() - began) / HOUR));
  }
  return repairs;
}

describe("component healing and managers who mean what they write", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await installComponents({ moreControllers: ["horizontal-pod-autoscaler-controller"] });
  });
  after(async () => {
    await world?.stop();
  });

  for (const [how, afterMs] of [
    ["at once", 0],
    ["five minutes later", 5 * MINUTE],
  ] as const) {
    test(`C5: leave a field to one that takes it back after each repair, ${how}: a few repairs, then one an hour`, async () => {
      const repairs = await repairsInADay(`rival-${afterMs}`, afterMs);

      assert.ok(repairs.length <= 6 + 24, `${repairs.length} repairs in a day, in the hours ${repairs.join(" ")}`);
      assert.ok(repairs.length >= 20, "it is asked again every hour");
      assert.ok(repairs.filter((hour) => hour > 2).length <= 22, "no more than one an hour");
      await world.cluster.reinstall(world.cluster.manifests.filter(({ kind }) => kind === "MutatingWebhookConfiguration"));
    });
  }

  test("C5: leave the platform's namespaces left out, repair what else is damaged, and say so once", async () => {
    const worker = await world.worker(["--heal=crds,classes,components"]);
    await world.copiesAreThere();
    const enforcer = startEnforcer();
    const isEnforced = async (): Promise<boolean> =>
      isExcluded(await readTarget(world.cluster, MUTATING)) && isExcluded(await readTarget(world.cluster, VALIDATING));
    await eventually(isEnforced, { what: "the enforcer's terms" });
    for (const target of ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]) {
      const failing = [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }];
      await world.plane.kubectl(["patch", target, NAMESPACE, "--type=json", `--patch=${JSON.stringify(failing)}`]);
    }
    const isRepaired = async (target: Target): Promise<boolean> =>
      at(await readTarget(world.cluster, target), "webhooks", 0, "failurePolicy") === "Ignore";
    for (const target of [MUTATING, VALIDATING]) await eventually(() => isRepaired(target), { what: "the failure policy" });
    const writes = await enforcer.stop();

    assert.equal(writes, 2, "the enforcer wrote once for each configuration");
    assert.ok(await isEnforced());
    assert.doesNotMatch(worker.log(), /"reason":"Contested"/);
    const own = { namespace: NAMESPACE, name: "keyvault-injector-sync" };
    const reported = await eventually(
      async () => (await eventsOf(world.plane, own)).filter(({ reason }) => reason === "ComponentTolerated"),
      {
        what: "the events",
      },
    );
    const { output } = await runOnline(["doctor", "-o", "json", "--no-vaults"], world.plane.kubeconfigPath);
    const { findings }: InstallReport = JSON.parse(output);
    const tolerated = findings.filter(({ check, message }) => check === "components" && message.includes("the platform may change it"));
    assert.deepEqual(
      tolerated.map(({ state }) => state),
      ["OK", "OK"],
    );
    assert.match(
      String(reported[0]?.message),
      /the platform changed webhooks\[.*\]\.namespaceSelector, by admissionsenforcer; the worker leaves the change/,
    );
  });

  test("C5: leave the number of replicas to a HorizontalPodAutoscaler, and repair what else is damaged", async () => {
    await world.worker(["--heal=crds,classes,components"]);
    await world.copiesAreThere();
    const hpa = ["autoscale", "deployment", WEBHOOK.name, "-n", NAMESPACE, "--min=3", "--max=4"];
    await world.plane.kubectl(hpa);
    const scaled = ["get", "hpa", WEBHOOK.name, "-n", NAMESPACE, "-o", "jsonpath={.status.desiredReplicas}"];
    await eventually(async () => (await world.plane.kubectl(scaled)) === "3", { within: 60_000, what: "the autoscaler's decision" });

    await world.plane.kubectl(["set", "image", `deployment/${WEBHOOK.name}`, "-n", NAMESPACE, "webhook=example.com/other:1"]);
    const image = async (): Promise<string> =>
      String(at(await readTarget(world.cluster, WEBHOOK), "spec", "template", "spec", "containers", 0, "image"));
    await eventually(async () => !(await image()).startsWith("example.com"), { what: "the image" });

    assert.equal(at(await readTarget(world.cluster, WEBHOOK), "spec", "replicas"), 3);
  });
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { parse } from "yaml";
import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { JSON_PATCH, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type PodReadiness, startPodReadiness } from "../support/cluster/pod-readiness.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { type Mirrored, type RolloutSteps, rolloutSteps } from "../support/cluster/rollout-steps.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { ASKING, createWorkload, liveWorkload, type WorkloadFacts, workloadPath } from "../support/cluster/workloads.ts";
import { ROLLOUT_CRD } from "../support/fixtures/rollout-crd.ts";
import { eventually } from "../support/time/eventually.ts";
import { nextSecond } from "../support/time/wall-clock.ts";
import { assertNothingForbidden, find, mergePatch, type SyncWorld, send, startSyncWorld } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

const ARGS = ["--rotation-poll-interval=24h", "--rollout-timeout=60s"];
const WITH_ALL = [...ARGS, "--max-rollouts=1", "--respect-disruption-budgets=true", "--restart-argo-rollouts=true"];

let world: SyncWorld;
let worker: ProductProcess;
let pods: PodReadiness;
let steps: RolloutSteps;

/** Adds the rule that a shipped component adds to the worker's role. */
async function grant(component: string): Promise<void> {
  const { patches } = parse(readFileSync(path.join(MANIFESTS, `components/${component}/rights/kustomization.yaml`), "utf8")) as {
    readonly patches: readonly { readonly patch: string }[];
  };
  const role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/keyvault-injector-sync";
  for (const { patch } of patches) await send(world.plane, { method: "PATCH", path: role, contentType: JSON_PATCH, body: parse(patch) });
}

/** Starts another leader, which knows only the stored state. */
async function changeLeader(args: readonly string[] = WITH_ALL): Promise<void> {
  await worker.stop();
  worker = await world.product.start("sync", { args, within: 120_000 });
}

const annotate = (facts: WorkloadFacts, annotations: Readonly<Record<string, string | null>>) =>
  mergePatch(world.plane, workloadPath(facts), { metadata: { annotations } });

async function rotate(of: Mirrored): Promise<void> {
  await nextSecond();
  await steps.rotate(of);
}

/** Creates a workload that the worker knows, whose pods are older than all later rotations. */
async function settled(facts: Omit<WorkloadFacts, "namespace">, of: Mirrored): Promise<WorkloadFacts> {
  const all = await steps.running({ envFrom: [of.name], ...facts }, of);
  await steps.recorded(all);
  return all;
}

/** Returns a window that opens at the next full minute that is at least some seconds away. */
function soonOpen(): { readonly window: string; readonly opensAt: string } {
  const at = new Date(Math.ceil((Date.now() + 25_000) / 60_000) * 60_000);
  return { window: `${at.getUTCMinutes()} ${at.getUTCHours()} * * * for 1h`, opensAt: at.toISOString().replace(".000Z", "Z") };
}

async function budgetOver(facts: WorkloadFacts, minAvailable: number): Promise<string> {
  const api = `/apis/policy/v1/namespaces/${facts.namespace}/poddisruptionbudgets`;
  const spec = { minAvailable, selector: { matchLabels: { app: facts.name } } };
  await send(world.plane, {
    method: "POST",
    path: api,
    body: { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "keep" }, spec },
  });
  return `${api}/keep`;
}

describe("when workloads are restarted", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld({ controlPlane: { moreControllers: ["disruption-controller"] } });
    steps = rolloutSteps(world);
    pods = startPodReadiness(world.plane);
    for (const component of ["disruption-budgets", "argo-rollouts"]) await grant(component);
    worker = await world.product.start("sync", { args: WITH_ALL, within: 120_000 });
  });
  after(async () => {
    await pods?.stop();
    await world?.stop();
  });

  test("one waits for its window, also for another leader, and is restarted when it opens", async () => {
    const db = await steps.mirrored();
    const { window, opensAt } = soonOpen();
    const late = await settled({ name: "late", annotations: { ...ASKING, [POD_ANNOTATIONS.restartWindow]: window } }, db);
    await rotate(db);

    assert.match(await steps.reported(late, "WindowClosed"), new RegExp(`its restart window opens at ${opensAt}`));
    assert.match(await steps.rotatedIs(db, "WindowClosed"), /Deployment late is not restarted yet/);
    await changeLeader();
    assert.ok(Date.now() >= Date.parse(opensAt) || !(await steps.isRestarted(late)));
    await eventually(() => steps.isRestarted(late), { within: 120_000, what: "the restart in the window" });
    assert.ok(Date.now() >= Date.parse(opensAt));
    await steps.rotatedIs(db, "Rotated");
  });

  test("one with a window that never opens is not, and told, until somebody asks for it now", async () => {
    const db = await steps.mirrored();
    const never = await settled({ name: "never", annotations: { ...ASKING, [POD_ANNOTATIONS.restartWindow]: "0 0 30 2 * for 1h" } }, db);
    const control = await settled({ name: "z-control" }, db);
    await rotate(db);

    assert.match(await steps.reported(never, "InvalidWindow"), /"0 0 30 2 \*" never occurs/);
    await steps.restarted(control);
    await changeLeader();
    await steps.rotatedIs(db, "InvalidWindow");
    assert.ok(!(await steps.isRestarted(never)));
    await annotate(never, { [RESTART_ANNOTATIONS.now]: "please" });
    await steps.restarted(never);
    assert.match((await liveWorkload(world.plane, never)).metadata.annotations?.[RESTART_ANNOTATIONS.nowAnswered] ?? "", /^[0-9a-f]{16}$/);
    await steps.rotatedIs(db, "Rotated");
  });

  test("one that is paused is not, by itself or by its Namespace, until both are resumed", async () => {
    const db = await steps.mirrored();
    const paused = await settled({ name: "paused" }, db);
    await annotate(paused, { [RESTART_ANNOTATIONS.paused]: "true" });
    const namespace = `/api/v1/namespaces/${db.namespace}`;
    await mergePatch(world.plane, namespace, { metadata: { annotations: { [RESTART_ANNOTATIONS.paused]: "true" } } });
    await rotate(db);

    assert.match(await steps.reported(paused, "RestartsPaused"), /on its Namespace/);
    await mergePatch(world.plane, namespace, { metadata: { annotations: { [RESTART_ANNOTATIONS.paused]: null } } });
    await changeLeader();
    await eventually(async () => (await steps.rotatedIs(db, "RestartsPaused")).includes("restart-paused on the workload"), {
      what: "the workload's own pause",
    });
    assert.ok(!(await steps.isRestarted(paused)));
    await annotate(paused, { [RESTART_ANNOTATIONS.paused]: null });
    await steps.restarted(paused);
  });

  test("one waits for the PodDisruptionBudget of its pods, which is named, also for another leader", async () => {
    const db = await steps.mirrored();
    const kept = await settled({ name: "kept" }, db);
    const budget = await budgetOver(kept, 1);
    await rotate(db);

    assert.match(await steps.reported(kept, "DisruptionBudget"), /PodDisruptionBudget keep/);
    await changeLeader();
    await steps.rotatedIs(db, "DisruptionBudget");
    assert.ok(!(await steps.isRestarted(kept)));
    await mergePatch(world.plane, budget, { spec: { minAvailable: 0 } });
    await steps.restarted(kept);
    await steps.rotatedIs(db, "Rotated");
  });

  test("one waits while as many of the cluster as may be are restarted, and no longer once that one has failed", async () => {
    const [one, two] = [await steps.mirrored(), await steps.mirrored()];
    const first = await settled({ name: "first", spec: { progressDeadlineSeconds: 20 } }, one);
    const second = await settled({ name: "second" }, two);
    pods.hold("first");
    await rotate(one);
    await steps.restarted(first);
    await rotate(two);

    assert.match(await steps.reported(second, "Waiting"), /as many workloads as --max-rollouts allows are being restarted/);
    await changeLeader();
    assert.ok(!(await steps.isRestarted(second)) || (await steps.reported(first, "RolloutFailed")) !== "");
    await steps.reported(first, "RolloutFailed");
    await eventually(() => steps.isRestarted(second), { within: 60_000, what: "the restart elsewhere" });
    pods.release("first");
    await steps.rotatedIs(one, "Rotated");
    await steps.rotatedIs(two, "Rotated");
  });

  test("a Rollout is restarted as its controller goes, once its CRD is there", async () => {
    const db = await steps.mirrored();
    await world.plane.kubectl(["create", "-f", "-"], JSON.stringify(ROLLOUT_CRD));
    await world.plane.kubectl(["wait", "--for=condition=Established", "crd/rollouts.argoproj.io", "--timeout=30s"]);
    const facts: WorkloadFacts = { kind: "Rollout", namespace: db.namespace, name: "canary", envFrom: ["db"] };
    await createWorkload(world.plane, {
      ...facts,
      spec: { replicas: 1, strategy: { canary: { steps: [{ setWeight: 20 }, { pause: {} }] } } },
    });
    await podOf(facts, "canary-1");
    await argoSays(facts, { phase: "Healthy", replicas: 1, updatedReplicas: 1, availableReplicas: 1 });
    await eventually(() => steps.recorded(facts), { within: 120_000, what: "the CRD that came later" });
    await rotate(db);
    await steps.restarted(facts);

    const canary = { pauseConditions: [{ reason: "CanaryPauseStep", startTime: new Date().toISOString() }], controllerPause: true };
    await argoSays(facts, { phase: "Paused", replicas: 2, updatedReplicas: 1, availableReplicas: 2, ...canary });
    await changeLeader();
    await eventually(async () => (await steps.rotatedIs(db, "Restarting")).includes("Rollout canary"), { what: "the canary" });
    const stamp = (await liveWorkload(world.plane, facts)).spec.template.metadata.annotations?.[POD_ANNOTATIONS.rotated] ?? "";
    await podOf(facts, "canary-2", { [POD_ANNOTATIONS.rotated]: stamp });
    await send(world.plane, { method: "DELETE", path: `/api/v1/namespaces/${db.namespace}/pods/canary-1` });
    await argoSays(facts, {
      phase: "Healthy",
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: 1,
      pauseConditions: null,
      controllerPause: null,
    });
    await steps.rotatedIs(db, "Rotated");
  });

  test("a dry run tells what it would restart and writes no workload", async () => {
    const dry = [...ARGS, "--restart-mode=dry-run"];
    const db = await steps.mirrored();
    const facts = await settled({ name: "dry" }, db);
    await changeLeader(dry);
    await rotate(db);
    await steps.reported(facts, "DryRun");
    await changeLeader(dry);

    await steps.rotatedIs(db, "DryRun");
    const held = /rollouts_held\{[^}]*cause="dry_run"[^}]*\} 1/;
    await eventually(async () => held.test(await worker.metrics()), { what: "the new leader's own look" });
    assert.ok(!(await steps.isRestarted(facts)));
    await changeLeader();
    await steps.restarted(facts);
  });

  test("nothing that the worker asked for was refused", () => assertNothingForbidden("restart timing", world.plane));
});

/** Writes the status in place of the Rollout's controller. */
async function argoSays(facts: WorkloadFacts, status: Readonly<Record<string, unknown>>): Promise<void> {
  const { metadata } = await liveWorkload(world.plane, facts);
  const body = { status: { observedGeneration: String(metadata.generation), ...status } };
  await send(world.plane, { method: "PATCH", path: `${workloadPath(facts)}/status`, contentType: MERGE_PATCH, body });
}

async function podOf({ namespace, name }: WorkloadFacts, pod: string, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
  const container = { name: "app", image: "app:1" };
  const body = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod, labels: { app: name }, annotations },
    spec: { containers: [container], terminationGracePeriodSeconds: 0 },
  };
  await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${namespace}/pods`, body });
  await eventually(async () => (await find(world.plane, `/api/v1/namespaces/${namespace}/pods/${pod}`)) !== undefined, { what: pod });
}

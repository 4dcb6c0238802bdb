import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { Secret } from "../../src/domain/kubernetes.ts";
import { apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import { forbidden } from "../support/cluster/audit.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { type PodReadiness, startPodReadiness } from "../support/cluster/pod-readiness.ts";
import type { ProductProcess } from "../support/cluster/product.ts";
import { type Mirrored, type RolloutSteps, rolloutSteps } from "../support/cluster/rollout-steps.ts";
import {
  createWorkload,
  isReady,
  liveWorkload,
  podsOf,
  recordedStampOf,
  restartStampOf,
  type WorkloadFacts,
  workloadPath,
} from "../support/cluster/workloads.ts";
import { eventually } from "../support/time/eventually.ts";
import { nextSecond } from "../support/time/wall-clock.ts";
import { find, mergePatch, type SyncWorld, secretPath, send, startSyncWorld, statusOf, writesOf } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

const SYNC = { args: ["--rotation-poll-interval=24h", "--rollout-timeout=4s"] };

let world: SyncWorld;
let worker: ProductProcess;
let pods: PodReadiness;
let steps: RolloutSteps;

const patch = (path: string, body: unknown) => mergePatch(world.plane, path, body);

const mirrored = (name?: string, namespace?: string) => steps.mirrored(name, namespace);
const rotate = (of: Mirrored) => steps.rotate(of);
const running = (facts: Omit<WorkloadFacts, "namespace">, of: Mirrored) => steps.running(facts, of);
const isRestarted = (facts: WorkloadFacts) => steps.isRestarted(facts);
const restarted = (facts: WorkloadFacts) => steps.restarted(facts);
const recorded = (facts: WorkloadFacts) => steps.recorded(facts);
const reported = (facts: WorkloadFacts, reason: string) => steps.reported(facts, reason);
const rotatedIs = (of: Mirrored, reason: string) => steps.rotatedIs(of, reason);

/** Installs a foreign policy and waits until it has an effect. Resolves with its name. */
async function refuseTemplates(facts: WorkloadFacts): Promise<string> {
  const name = `refuses-${facts.namespace}`;
  const rule = {
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    operations: ["UPDATE"],
    resources: ["deployments"],
    resourceNames: [facts.name],
  };
  const selector = { matchLabels: { "kubernetes.io/metadata.name": facts.namespace } };
  const expression = "object.spec.template == oldObject.spec.template";
  const spec = {
    failurePolicy: "Fail",
    matchConstraints: { resourceRules: [rule], namespaceSelector: selector },
    validations: [{ expression, message: "no templates today", reason: "Forbidden" }],
  };
  const api = { apiVersion: "admissionregistration.k8s.io/v1", metadata: { name } };
  const binding = { ...api, kind: "ValidatingAdmissionPolicyBinding", spec: { policyName: name, validationActions: ["Deny"] } };
  const items = [{ ...api, kind: "ValidatingAdmissionPolicy", spec }, binding];
  await world.plane.kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const change = { spec: { template: { metadata: { annotations: { probe: "x" } } } } };
  await eventually(
    async () => {
      const answer = await apiRequest(world.plane, {
        method: "PATCH",
        path: `${workloadPath(facts)}?dryRun=All`,
        contentType: MERGE_PATCH,
        body: change,
      });
      return answer.status === 403;
    },
    { what: "the policy" },
  );
  return name;
}

/** Number of the worker's patches to the workload. */
function stampsWritten(facts: WorkloadFacts): number {
  return writesOf(world.plane.audit()).filter(({ uri }) => uri.startsWith(workloadPath(facts))).length;
}

async function metric(line: RegExp): Promise<number> {
  return Number(line.exec(await worker.metrics())?.[1]);
}

describe("workloads that ask for restarts", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    steps = rolloutSteps(world);
    pods = startPodReadiness(world.plane);
    worker = await world.product.start("sync", SYNC);
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "node" } };
    await world.plane.kubectl(["create", "-f", "-"], JSON.stringify(node));
  });
  after(async () => {
    await pods?.stop();
    await world?.stop();
  });

  test("are restarted one after the other, by name, each when the one before it is ready", async () => {
    const db = await mirrored();
    const [c, a, b] = [
      await running({ name: "c", envFrom: ["db"] }, db),
      await running({ name: "a", classes: ["db"] }, db),
      await running({ name: "b", envFrom: ["db"] }, db),
    ];
    for (const each of [a, b, c]) await recorded(each);
    assert.ok(!(await isRestarted(a)), "nothing is restarted at first sight");
    await rotatedIs(db, "Rotated");

    for (const { name } of [a, b, c]) pods.hold(name);
    await rotate(db);

    await restarted(a);
    assert.match(await rotatedIs(db, "Restarting"), /being restarted: Deployment a; waiting for a restart: Deployment b, Deployment c/);
    assert.deepEqual([await isRestarted(b), await isRestarted(c)], [false, false]);
    pods.release("a");
    await restarted(b);
    assert.ok(await isReady(world.plane, a));
    assert.ok(!(await isRestarted(c)));
    pods.release("b");
    await restarted(c);
    assert.ok(await isReady(world.plane, b));
    pods.release("c");
    assert.match(await rotatedIs(db, "Rotated"), /all workloads that request restarts \(3\)/);
    assert.match(await reported(c, "Restarted"), /the versions in db changed/);
    await reported(c, "Rotated");
    assert.deepEqual([a, b, c].map(stampsWritten), [3, 3, 3], "one record, one restart and the record of its end each");
  });

  test("wait where one of them does not get ready, which is told, and go on once it is", async () => {
    const db = await mirrored();
    const [a, b] = [
      await running({ name: "fails-a", envFrom: ["db"], spec: { progressDeadlineSeconds: 2 } }, db),
      await running({ name: "fails-b", envFrom: ["db"] }, db),
    ];
    for (const each of [a, b]) await recorded(each);
    const failuresBefore = await metric(/rollouts_total\{.*outcome="failed".*\} (\d+)/);

    pods.hold("fails-a");
    await rotate(db);

    assert.match(
      await reported(a, "RolloutFailed"),
      /Deployment fails-a: 1 of 1 pods are updated, .*1 other workloads wait until it is ready/,
    );
    assert.match(await rotatedIs(db, "RolloutFailed"), /Deployment fails-a: 1 of 1 pods are updated/);
    assert.equal(await metric(/rollouts_total\{.*outcome="failed".*\} (\d+)/), failuresBefore + 1);
    assert.equal(await metric(/rollouts_halted\{.*\} (\d+)/), 1);
    assert.equal(await metric(/rollouts_waiting\{.*\} (\d+)/), 1);
    // The state survives a restart of the process.
    await worker.stop();
    worker = await world.product.start("sync", SYNC);
    await eventually(async () => (await metric(/rollouts_halted\{.*\} (\d+)/)) === 1, { what: "the stop, after a restart of the worker" });
    assert.ok(!(await isRestarted(b)));

    pods.release("fails-a");
    await restarted(b);
    await rotatedIs(db, "Rotated");
    assert.equal(stampsWritten(a), 3, "no second restart of the one that failed");
  });

  test("are left alone where their pods are younger than the rotation", async () => {
    const db = await mirrored();
    const [old, renewed] = [await running({ name: "first", envFrom: ["db"] }, db), await running({ name: "renewed", envFrom: ["db"] }, db)];
    for (const each of [old, renewed]) await recorded(each);
    const before = await recordedStampOf(world.plane, renewed);
    pods.hold("first");
    await rotate(db);
    await nextSecond();
    // A user restarts a workload that waits for its turn.
    await restarted(old);
    await world.plane.kubectl(["rollout", "restart", "deployment/renewed", "-n", db.namespace]);
    const late = await running({ name: "late", envFrom: ["db"] }, db);

    await eventually(async () => (await recordedStampOf(world.plane, renewed)) !== before, { what: "the record of the renewed one" });
    await recorded(late);
    pods.release("first");
    await rotatedIs(db, "Rotated");

    assert.deepEqual([await isRestarted(old), await isRestarted(renewed), await isRestarted(late)], [true, false, false]);
  });

  test("are restarted for each of two classes that they use", async () => {
    const one = await mirrored("one");
    const two = await mirrored("two", one.namespace);
    const both = await running({ name: "both", classes: ["one"], envFrom: ["two"] }, one);
    const only = await running({ name: "only", envFrom: ["two"] }, one);
    for (const each of [both, only]) await recorded(each);

    await nextSecond();
    await rotate(one);
    await restarted(both);
    const first = await restartStampOf(world.plane, both);
    await rotatedIs(one, "Rotated");
    assert.ok(!(await isRestarted(only)), "it uses the other class alone");
    await nextSecond();
    await rotate(two);
    await eventually(async () => (await restartStampOf(world.plane, both)) !== first, { what: "the second restart" });
    await restarted(only);
    await rotatedIs(two, "Rotated");
  });

  test("may be StatefulSets and DaemonSets, and those that nobody but people restarts are told of and not touched", async () => {
    const db = await mirrored();
    const onDelete = { updateStrategy: { type: "OnDelete" } };
    const [stateful, daemon, paused, byHand] = [
      await running({ kind: "StatefulSet", name: "stateful", envFrom: ["db"], spec: { replicas: 2 } }, db),
      await running({ kind: "DaemonSet", name: "daemon", envFrom: ["db"] }, db),
      await running({ name: "paused", envFrom: ["db"] }, db),
      await running({ kind: "DaemonSet", name: "by-hand", envFrom: ["db"], spec: onDelete }, db),
    ];
    for (const each of [stateful, daemon, paused, byHand]) await recorded(each);
    await patch(workloadPath(paused), { spec: { paused: true } });

    await nextSecond();
    await rotate(db);

    for (const each of [stateful, daemon]) {
      await restarted(each);
      await reported(each, "Rotated");
    }
    assert.match(await reported(paused, "Paused"), /was not restarted; resume it/);
    assert.match(await reported(byHand, "OnDelete"), /delete the pods/);
    assert.match(await rotatedIs(db, "OnDelete"), /DaemonSet by-hand must be restarted manually/);
    assert.deepEqual([await isRestarted(paused), await isRestarted(byHand)], [false, false]);

    await nextSecond();
    const [pod] = await podsOf(world.plane, byHand);
    await send(world.plane, { method: "DELETE", path: `/api/v1/namespaces/${db.namespace}/pods/${pod?.metadata.name ?? ""}` });
    await patch(workloadPath(paused), { spec: { paused: false } });
    await restarted(paused);
    await rotatedIs(db, "Rotated");
    assert.ok(!(await isRestarted(byHand)), "its pods were replaced by hand");
  });

  test("stop the rest of their namespace as a StatefulSet whose pod does not get ready in time", async () => {
    const db = await mirrored();
    const stateful = await running({ kind: "StatefulSet", name: "broken", envFrom: ["db"], spec: { replicas: 2 } }, db);
    const next = await running({ name: "next", envFrom: ["db"] }, db);
    for (const each of [stateful, next]) await recorded(each);

    pods.hold("broken");
    await nextSecond();
    await rotate(db);

    assert.match(await reported(stateful, "RolloutFailed"), /StatefulSet broken: .* nothing has changed for 4s/);
    assert.ok(!(await isRestarted(next)));
    pods.release("broken");
    await restarted(next);
  });

  test("are told of, and stop the rest, where somebody's policy refuses the restart; the condition goes with the last of them", async () => {
    const db = await mirrored();
    const refused = await running({ name: "a-refused", envFrom: ["db"] }, db);
    const next = await running({ name: "b-next", envFrom: ["db"] }, db);
    for (const each of [refused, next]) await recorded(each);
    const policy = await refuseTemplates(refused);

    await nextSecond();
    await rotate(db);

    assert.match(
      await reported(refused, "RolloutFailed"),
      /Deployment a-refused: the API server rejected its restart: .*no templates today/,
    );
    assert.match(await rotatedIs(db, "RolloutFailed"), /no templates today/);
    assert.ok(!(await isRestarted(next)));
    await world.plane.kubectl(["delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", policy]);
    await send(world.plane, { method: "DELETE", path: workloadPath(refused) });
    await restarted(next);
    await rotatedIs(db, "Rotated");
    await send(world.plane, { method: "DELETE", path: workloadPath(next) });
    await eventually(
      async () => {
        const status = await statusOf(world.plane, db.namespace, db.name);
        return status?.conditions.every(({ type }) => type !== "Rotated");
      },
      { what: "a status without Rotated" },
    );
  });

  test("keep one stamp through a repair of the Secret, and the Secret's deletion", async () => {
    const db = await mirrored();
    const facts = await running({ name: "steady", envFrom: ["db"] }, db);
    await recorded(facts);
    const { metadata } = await liveWorkload(world.plane, facts);

    await send(world.plane, { method: "DELETE", path: secretPath(db.namespace, "db") });
    const uid = async () => (await find<Secret>(world.plane, secretPath(db.namespace, "db")))?.metadata.uid;
    await eventually(uid, { what: "the Secret" });
    await patch(secretPath(db.namespace, "db"), { data: { value: Buffer.from("edited").toString("base64") } });
    // The worker handles another workload afterwards, so by then it would have restarted this one.
    const other = await running({ name: "a-other", envFrom: ["db"] }, db);
    await recorded(other);

    assert.equal((await liveWorkload(world.plane, facts)).metadata.generation, metadata.generation);
    assert.equal(stampsWritten(facts), 1);
  });

  test("are told where they use nothing that has versions, and may ask by their Namespace", async () => {
    const db = await mirrored();
    const nothing = await running({ name: "nothing", envFrom: [] }, db);
    assert.match(await reported(nothing, "NoVersions"), /it uses no class, and no Secret that a class syncs/);

    const { inject, restartOnRotation, secretProviderClass } = POD_ANNOTATIONS;
    await patch(`/api/v1/namespaces/${db.namespace}`, { metadata: { annotations: { [restartOnRotation]: "true" } } });
    // The template has opted in. Without the webhook, its pods would be rejected: it has no replicas, so none is old.
    const annotations = { [inject]: "true", [secretProviderClass]: "db" };
    const byDefault = { name: "by-default", namespace: db.namespace, annotations, spec: { replicas: 0 } };
    await createWorkload(world.plane, byDefault);
    await recorded(byDefault);
  });

  test("are left alone with the setting off, unread even", async () => {
    await worker.stop();
    const entries = world.plane.audit().length;
    worker = await world.product.start("sync", { args: [...SYNC.args, "--restart-workloads=false", "--heal=crds,classes"] });
    const db = await mirrored();
    const facts = await running({ name: "off", envFrom: ["db"] }, db);
    // A Secret that changes within the second of its creation looks unchanged since its creation.
    await nextSecond();
    await rotate(db);

    const requests = world.plane.audit().slice(entries);
    assert.ok(requests.length > 0);
    assert.deepEqual(
      requests.filter(({ resource }) => /^apps\/(deployments|statefulsets|daemonsets)/.test(resource)),
      [],
    );
    assert.equal(await recordedStampOf(world.plane, facts), undefined);
    await worker.stop();
    worker = await world.product.start("sync", SYNC);
    await restarted(facts);
  });

  test("nothing that the worker asked for was refused, but for the one patch that a policy was made for", () => {
    const refused = forbidden(world.plane.audit());

    assert.ok(refused.length >= 1);
    for (const { name, verb } of refused) assert.equal(`${verb} ${name}`, "patch a-refused");
  });
});

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type KubeObject, type Lease, RESOURCES } from "../../src/domain/kubernetes.ts";
import type { Clock } from "../../src/domain/ports/clock.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { createEventSink } from "../../src/kube/events.ts";
import type { LeaderElection } from "../../src/kube/lease.ts";
import { createLeaderElection } from "../../src/kube/lease.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { aborted } from "../../src/runtime/lifecycle.ts";
import { forbidden } from "../support/cluster/audit.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { CONFIG_MAPS, type KubeAccess, kubeAccess, proxiedKubeconfig } from "../support/cluster/kube-access.ts";
import { eventually } from "../support/time/eventually.ts";
import { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const refusal = controlPlaneRefusal();
const forever = new AbortController().signal;
const FAST = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 200 };

const ROLE = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name: "limited", namespace: "default" },
  rules: [
    {
      apiGroups: ["coordination.k8s.io"],
      resources: ["leases"],
      resourceNames: ["handover", "lost", "stolen", "raced"],
      verbs: ["get", "create", "patch"],
    },
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["list"] },
    { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
  ],
};

interface Candidate {
  readonly election: LeaderElection;
  readonly led: AbortSignal[];
  readonly stop: AbortController;
  readonly ended: Promise<unknown>;
}

describe("the leader election", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  let admin: KubeAccess;
  let limited: KubeAccess;
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    admin = kubeAccess(plane.kubeconfigPath);
    await plane.kubectl(["create", "serviceaccount", "limited"]);
    await plane.kubectl(["apply", "-f", "-"], JSON.stringify(ROLE));
    await plane.kubectl(["create", "rolebinding", "limited", "--role=limited", "--serviceaccount=default:limited"]);
    limited = kubeAccess(await plane.kubeconfigFor({ namespace: "default", name: "limited" }));
  });
  after(async () => {
    await Promise.all([admin?.config.close(), limited?.config.close()]);
    await plane?.stop();
  });

  function candidate(name: string, identity: string, access: KubeAccess = limited): Candidate {
    const election = createLeaderElection(access.client, {
      leases: { namespace: "default", name },
      identity,
      fieldManager: "test",
      clock: systemClock,
      logger: recordingLogger(),
      timing: FAST,
    });
    const led: AbortSignal[] = [];
    const stop = new AbortController();
    const lead = async (signal: AbortSignal): Promise<void> => {
      led.push(signal);
      await aborted(signal);
    };
    const ended = election.run(lead, stop.signal).then(
      () => "stopped",
      (error: unknown) => error,
    );
    return { election, led, stop, ended };
  }

  async function lease(name: string): Promise<Lease> {
    const read = await admin.client.read<Lease>(RESOURCES.leases, { namespace: "default", name }, forever);
    assert.ok(read.kind === "found");
    return read.object;
  }

  test("lets one of several lead, and the next at once after a clean stop", async () => {
    const all = ["a", "b", "c"].map((identity) => candidate("handover", identity));
    const first = await eventually(() => all.find(({ led }) => led.length > 0), { what: "a leader" });
    const renewed = (await lease("handover")).spec?.renewTime;
    await eventually(async () => (await lease("handover")).spec?.renewTime !== renewed, { what: "a renewal" });
    assert.deepEqual(
      all.map(({ election }) => election.isLeader),
      all.map((one) => one === first),
    );

    first.stop.abort();
    assert.equal(await first.ended, "stopped");
    assert.equal(first.election.isLeader, false);
    assert.equal(first.led[0]?.aborted, true);
    // Earlier than the lease would have expired, so the first leader released it.
    await eventually(() => all.some((one) => one !== first && one.election.isLeader), {
      within: FAST.leaseMs - 500,
      what: "the next leader",
    });
    assert.ok(((await lease("handover")).spec?.leaseTransitions ?? 0) >= 1);

    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ ended }) => ended));
    assert.equal((await lease("handover")).spec?.holderIdentity, "");
    assert.deepEqual(forbidden(plane.audit()), []);
  });

  test("lets another take over from a leader that is cut off, which then gives up by itself", async () => {
    const { proxy, kubeconfig } = await proxiedKubeconfig(plane);
    const cutOff = kubeAccess(kubeconfig);
    const first = candidate("lost", "first", cutOff);
    await eventually(() => first.election.isLeader, { what: "the first leader" });
    const second = candidate("lost", "second");

    proxy.refusing = true;
    proxy.cut();

    await eventually(() => second.election.isLeader, { what: "the second leader" });
    assert.equal(first.election.isLeader, false, "two leaders at a time");
    const error = await first.ended;
    assert.ok(error instanceof Error && /not renewed within 2000 ms/.test(error.message), String(error));
    assert.equal(first.led[0]?.aborted, true);
    second.stop.abort();
    await second.ended;
    await cutOff.config.close();
    await proxy.stop();
  });

  test("gives up at once where another holds the lease", async () => {
    const one = candidate("stolen", "one");
    await eventually(() => one.election.isLeader, { what: "the leader" });
    const ref = { namespace: "default", name: "stolen" };
    await admin.client.mergePatch(RESOURCES.leases, ref, { spec: { holderIdentity: "thief" } }, { fieldManager: "thief" }, forever);
    const error = await one.ended;
    assert.ok(error instanceof Error && /held by thief/.test(error.message), String(error));
    assert.equal((await lease("stolen")).spec?.holderIdentity, "thief");
  });

  test("keeps a lease that somebody annotates or deletes", async () => {
    const one = candidate("raced", "one");
    await eventually(() => one.election.isLeader, { what: "the leader" });
    await plane.kubectl(["annotate", "lease", "raced", "note=1"]);
    const before = (await lease("raced")).spec?.renewTime;
    await eventually(async () => (await lease("raced")).spec?.renewTime !== before, { what: "a renewal" });
    await plane.kubectl(["delete", "lease", "raced"]);
    await eventually(async () => (await lease("raced")).spec?.holderIdentity === "one", { what: "the lease again" });
    assert.equal(one.election.isLeader, true);
    assert.equal(one.led.length, 1);
    one.stop.abort();
    assert.equal(await one.ended, "stopped");
  });

  test("lets a leader that was stopped for a while write nothing, though no timer has told it yet that its lease ran out", async () => {
    let stoppedFor = 0;
    const clock: Clock = { now: () => Date.now() + stoppedFor, sleep: (milliseconds, signal) => systemClock.sleep(milliseconds, signal) };
    const options = { leases: { namespace: "default", name: "fenced" }, fieldManager: "test", clock, logger: recordingLogger() };
    const election = createLeaderElection(admin.client, { ...options, identity: "stopped" });
    const { proxy, kubeconfig } = await proxiedKubeconfig(plane);
    const { config } = kubeAccess(kubeconfig);
    const fenced = createKubeClient(config, { userAgent: "keyvault-injector-test", mayWrite: () => election.holdsLease });
    const stop = new AbortController();
    const run = election.run(aborted, stop.signal);
    await eventually(() => election.holdsLease, { what: "the lease" });
    const write = (name: string): Promise<unknown> => {
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "default", name } };
      return fenced.create(CONFIG_MAPS, body, { fieldManager: "test" }, forever);
    };
    await write("before");

    proxy.cut();
    proxy.delayMs = 200;
    const waiting = assert.rejects(write("waited-for-a-connection"), /not sent, because the lease was not renewed in time/);
    stoppedFor = 10_000;

    assert.equal(election.isLeader, true);
    await waiting;
    proxy.delayMs = 0;
    await assert.rejects(write("after"), /create configmaps default\/after: not sent/);
    const names = (await admin.client.list(CONFIG_MAPS, { namespace: "default" }, forever)).map(({ metadata }) => metadata.name);
    assert.deepEqual(
      ["before", "waited-for-a-connection", "after"].filter((name) => names.includes(name)),
      ["before"],
    );
    stop.abort();
    await run;
    await config.close();
    await proxy.stop();
  });

  test("does not believe clocks: a lease with an old time is held until it was seen unchanged for its duration", async () => {
    const body: Lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace: "default", name: "old" },
      spec: { holderIdentity: "other", leaseDurationSeconds: 15, renewTime: "2001-01-01T00:00:00.000000Z" },
    };
    await admin.client.create(RESOURCES.leases, body, { fieldManager: "test" }, forever);
    const clock = new ManualClock();
    const election = createLeaderElection(admin.client, {
      leases: { namespace: "default", name: "old" },
      identity: "new",
      fieldManager: "test",
      clock,
      logger: recordingLogger(),
    });
    const stop = new AbortController();
    const run = election.run(aborted, stop.signal);
    let waited = 0;
    await eventually(
      async () => {
        if (!election.isLeader) {
          await clock.advance(500);
          waited += 500;
        }
        return election.isLeader;
      },
      { every: 20, what: "the takeover" },
    );
    assert.ok(waited > 15_000, `${waited} ms`);
    stop.abort();
    await run;
  });

  test("passes on the failure of the work, and releases the lease", async () => {
    const election = createLeaderElection(limited.client, {
      leases: { namespace: "default", name: "handover" },
      identity: "failing",
      fieldManager: "test",
      clock: systemClock,
      logger: recordingLogger(),
      timing: FAST,
    });
    await assert.rejects(
      election.run(() => Promise.reject(new Error("the work failed")), forever),
      /the work failed/,
    );
    assert.equal((await lease("handover")).spec?.holderIdentity, "");
  });

  test("events of one kind on one object are one Event that counts", async () => {
    const options = { component: "test-component", instance: "pod-1", fieldManager: "test", clock: systemClock, logger: recordingLogger() };
    const sink = createEventSink(limited.client, options);
    const regarding = (await admin.client.list<KubeObject>(RESOURCES.secrets, {}, forever))[0] ?? {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { namespace: "default", name: "limited", uid: "5a4f0c3c-7f3e-4e39-9a3e-7b8b7e6a5d11", resourceVersion: "7" },
    };
    const message = "é".repeat(2_000);
    sink.emit({ regarding, type: "Warning", reason: "Unreachable", message });
    await sink.drained();
    sink.emit({ regarding, type: "Warning", reason: "Unreachable", message });
    sink.emit({ regarding, type: "Normal", reason: "Synced", message: "done" });
    await sink.drained();

    const events = JSON.parse(await plane.kubectl(["get", "events", "-o", "json"])) as { items: Record<string, unknown>[] };
    const ours = events.items.filter((event) => event["reportingComponent"] === "test-component");
    assert.deepEqual(
      ours.map(({ reason, count, type }) => ({ reason, count, type })).sort((a, b) => String(a.reason).localeCompare(String(b.reason))),
      [
        { reason: "Synced", count: 1, type: "Normal" },
        { reason: "Unreachable", count: 2, type: "Warning" },
      ],
    );
    const long = String(ours.find(({ reason }) => reason === "Unreachable")?.["message"]);
    assert.ok(Buffer.byteLength(long) <= 1_024 && long.startsWith("éé") && long.endsWith("é…"), String(Buffer.byteLength(long)));
    assert.equal(Reflect.get(Object(ours[0]?.["involvedObject"]), "uid"), regarding.metadata.uid);
    assert.equal(sink.dropped, 0);
  });

  test("events beyond the capacity, and refused ones, are dropped and counted, and nothing throws", async () => {
    const logger = recordingLogger();
    const options = { component: "test-component", instance: "pod-1", fieldManager: "test", clock: systemClock, logger, capacity: 2 };
    const sink = createEventSink(limited.client, options);
    const regarding = (namespace: string): KubeObject => ({ apiVersion: "v1", kind: "Pod", metadata: { namespace, name: "p" } });
    for (let i = 0; i < 10; i++) sink.emit({ regarding: regarding("elsewhere"), type: "Normal", reason: "Synced", message: `m${i}` });
    await sink.drained();
    assert.equal(sink.dropped, 10);
    assert.equal(logger.entries.filter(({ message }) => message === "event not posted").length, 10);
  });
});

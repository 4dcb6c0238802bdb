import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Cluster } from "../../src/cli/shared/command.ts";
import type { ObjectRef, Resource } from "../../src/domain/kubernetes.ts";
import type { ListRequest } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { runOffline } from "../support/cli/cli.ts";
import { heldCluster } from "../support/cli/held-cluster.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import { usedClass, usedSecret, usedStatus } from "../support/fixtures/used-objects.ts";

const VERSION = "a".repeat(32);
const CLASS = usedClass("web", { objects: ["secret/db-pass"], secrets: { db: { password: "db-pass" } } });
const SECRET = usedSecret("db", { className: "web", objects: `secret/db-pass@${VERSION}` });
const STATUS = usedStatus("web", { db: [{ key: "password", object: "secret/db-pass", version: VERSION }] });
/** Shows doctor that there is an install. */
const POLICY: Manifest = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicy",
  metadata: { name: "keyvault-injector-one-instance" },
};

const THROTTLED = new KubeError("Throttled", "list: HTTP 429", { retry: { kind: "after", milliseconds: 1_000 }, status: 429 });
const MOVED = new KubeError("Unavailable", "list: HTTP 500: etcdserver: leader changed", { retry: { kind: "backoff" }, status: 500 });
const RESET = new KubeError("Unavailable", "list: no answer from the API server (ECONNRESET)", { retry: { kind: "backoff" } });

/** A clock that a sleep advances at once. */
function sleepingClock() {
  let now = 1_700_000_000_000;
  const began = now;
  const sleep = async (milliseconds: number): Promise<void> => {
    now += milliseconds;
  };
  return { now: () => now, sleep, slept: () => now - began };
}

/** A cluster whose reads and lists of the kind fail while `failure` returns an error. */
function failingCluster(objects: readonly Manifest[], plural: string, failure: () => KubeError | undefined): Cluster {
  const cluster = heldCluster(objects);
  const [list, read] = [cluster.kube.list.bind(cluster.kube), cluster.kube.read.bind(cluster.kube)];
  Object.assign(cluster.kube, {
    read: async (resource: Resource, ref: ObjectRef, signal: AbortSignal) => {
      const error = resource.plural === plural ? failure() : undefined;
      if (error !== undefined) throw error;
      return read(resource, ref, signal);
    },
    list: async (resource: Resource, request: ListRequest<never>, signal: AbortSignal) => {
      const error = resource.plural === plural ? failure() : undefined;
      if (error !== undefined) throw error;
      return list(resource, request, signal);
    },
  });
  return cluster;
}

const once = (error: KubeError): (() => KubeError | undefined) => {
  const errors = [error];
  return () => errors.pop();
};

describe("a read without an answer", () => {
  /** Runs `refresh --wait` for a class that the worker answers after 30 s. `failure`: the answer to a list of the pods at that time. */
  async function waited(failure: (slept: number) => KubeError | undefined) {
    const clock = sleepingClock();
    const held: Manifest[] = [CLASS, SECRET, STATUS];
    const cluster = failingCluster(held, "pods", () => failure(clock.slept()));
    let value = "";
    Object.assign(cluster.kube, {
      mergePatch: async (_resource: Resource, _ref: ObjectRef, patch: { metadata: { annotations: Record<string, string> } }) => {
        value = patch.metadata.annotations["keyvault-injector.dev/refresh"] ?? "";
        return {};
      },
    });
    const sleep = async (milliseconds: number): Promise<void> => {
      await clock.sleep(milliseconds);
      if (clock.slept() >= 30_000) held[2] = { ...STATUS, status: { ...(STATUS["status"] as object), observedRefresh: value } };
    };
    const args = ["refresh", "web", "-n", "shop", "--wait", "--timeout", "5m", "-o", "json"];
    const { code, output } = await runOffline(args, "", { cluster, clock: { now: clock.now, sleep } });
    return { code, report: JSON.parse(output), slept: clock.slept() };
  }

  for (const error of [THROTTLED, MOVED, RESET]) {
    test(`RV4: does not end refresh --wait: ${error.message}`, async () => {
      const failed = once(error);
      const { code, report, slept } = await waited((now) => (now >= 20_000 ? failed() : undefined));

      assert.deepEqual([code, report.report, report.isUpToDate], [0, "refresh", true]);
      assert.ok(slept < 40_000, `${slept} ms`);
    });
  }

  test("RV4: does not end refresh --wait during two minutes without an answer, as an upgrade of the control plane has", async () => {
    const { code, report } = await waited((now) => (now >= 20_000 && now < 140_000 ? RESET : undefined));

    assert.deepEqual([code, report.isUpToDate], [0, true]);
  });

  test("RV4: leaves refresh --wait with the last progress, and the reason, where no answer comes until the time is over", async () => {
    const { code, report } = await waited((now) => (now >= 20_000 ? RESET : undefined));

    assert.deepEqual([code, report.report, report.isUpToDate, report.isAnswered], [1, "refresh", false, false]);
    assert.match(report.unseen.join(), /ECONNRESET/);
  });

  test("RV4: ends refresh --wait at once where the credentials expire", async () => {
    const expired = new KubeError("Unauthorized", "list: HTTP 401", { retry: { kind: "backoff" }, status: 401 });
    const { code, report, slept } = await waited((now) => (now >= 20_000 ? expired : undefined));

    assert.deepEqual([code, report.report], [2, "error"]);
    assert.ok(slept < 25_000, `${slept} ms`);
  });

  async function doctor(failure: () => KubeError | undefined, args: readonly string[] = [], plural = "daemonsets") {
    const clock = sleepingClock();
    const held = failingCluster([CLASS, POLICY], plural, failure);
    const create = async (_resource: Resource, object: Manifest) => ({ ...object, status: { userInfo: { username: "kim" } } });
    Object.assign(held.kube, { create });
    const acting = async () => Promise.reject(new KubeError("Forbidden", "no", { retry: { kind: "never" } }));
    const cluster = { ...held, actAs: async () => ({ kube: { ...held.kube, create: acting }, close: async () => undefined }) };
    const openReach = async () => async () => ({ address: "", reach: { kind: "refused" } }) as never;
    const { code, output, notes } = await runOffline(["doctor", "--no-vaults", ...args], "", { cluster, clock, openReach });
    return { code, output, notes, slept: clock.slept() };
  }

  test("RV4: does not change what doctor says", async () => {
    const control = await doctor(() => undefined);
    const failed = await doctor(once(THROTTLED));

    assert.notEqual(control.output, "");
    assert.deepEqual([failed.code, failed.output], [control.code, control.output]);
  });

  test("RV4: is skipped by doctor, which reports all other checks, where no answer comes", async () => {
    const lines = (output: string, state = "[A-Z]+") => output.match(new RegExp(`^${state} +[a-z-]+  `, "gm")) ?? [];
    const control = await doctor(() => undefined);
    const failed = await doctor(() => MOVED);

    assert.equal(failed.code, control.code);
    assert.match(failed.output, /^SKIP {2}driver +not checked: .*etcdserver: leader changed.*\n +-> .*run doctor again$/m);
    assert.doesNotMatch(failed.output, /because you lack permissions/);
    assert.ok(lines(failed.output).length >= lines(control.output).length - 1, failed.output);
    const report = JSON.parse((await doctor(() => MOVED, ["-o", "json"])).output);
    assert.match(report.unseen.join(), /etcdserver: leader changed/);
    assert.deepEqual(report.permissions, []);
  });

  test("RV4: does not take the checks from doctor where it walks the classes", async () => {
    const { code, output } = await doctor(() => MOVED, [], "secretproviderclasssyncs");

    assert.equal(code, 1);
    assert.match(output, /^SKIP {2}classes +not all classes were checked one by one: .*etcdserver: leader changed/m);
  });

  for (const { check, plural } of [
    { check: "instances", plural: "clusterrolebindings" },
    { check: "classes", plural: "secretproviderclasses" },
    { check: "webhook", plural: "mutatingadmissionpolicies" },
  ]) {
    test(`RA1: leaves nothing but a skip of the check that needs it: ${check}`, async () => {
      const { output } = await doctor(() => MOVED, ["-o", "json"], plural);
      const { findings } = JSON.parse(output) as { findings: readonly { check: string; state: string; message: string }[] }; // The report of doctor.

      const [finding, ...more] = findings.filter((each) => each.check === check);
      assert.deepEqual([finding?.state, more], ["SKIP", []], JSON.stringify([finding, ...more]));
      assert.match(finding?.message ?? "", /^not checked: .*etcdserver: leader changed/);
    });
  }

  test("RV4: makes doctor ask no more where the API server stopped answering", async () => {
    const { output, slept } = await doctor(() => RESET);

    assert.match(output, /^SKIP {2}restarts +not checked: .*ECONNRESET/m);
    assert.ok(slept < 60_000, `${slept} ms`);
  });

  test("RV4: is not repeated where the API server has never answered, as with a wrong address", async () => {
    const clock = sleepingClock();
    const cluster = heldCluster([]);
    Object.assign(cluster.kube, { read: async () => Promise.reject(RESET), list: async () => Promise.reject(RESET) });
    const { code, notes } = await runOffline(["doctor"], "", { cluster, clock });

    assert.equal(code, 2);
    assert.match(notes.join(), /no answer from the API server https:\/\/held/);
    assert.equal(clock.slept(), 0);
  });

  /** Runs a command whose first patches fail. Returns the patches that the API server got. */
  async function patched(args: readonly string[], failures: readonly KubeError[]) {
    const clock = sleepingClock();
    const cluster = heldCluster([CLASS, SECRET, STATUS, { apiVersion: "v1", kind: "Namespace", metadata: { name: "keyvault-injector" } }]);
    const [waiting, patches] = [[...failures], [] as unknown[]];
    const mergePatch = async (_resource: Resource, _ref: ObjectRef, patch: unknown) => {
      patches.push(patch);
      const error = waiting.shift();
      if (error !== undefined) throw error;
      return {};
    };
    Object.assign(cluster.kube, { mergePatch });
    return { ...(await runOffline(args, "", { cluster, clock })), patches };
  }

  const CLOSED = new KubeError("Unavailable", "patch x: no answer from the API server (UND_ERR_SOCKET)", {
    retry: { kind: "backoff" },
    cause: Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" }),
  });

  test("N7: says of a closed connection what happened, and says it once", async () => {
    const { code, notes } = await patched(
      ["refresh", "web", "-n", "shop"],
      Array.from({ length: 20 }, () => CLOSED),
    );

    const said = "no answer from the API server https://held of context held (connection closed)";
    assert.deepEqual([code, notes], [2, [`keyvault-injector refresh: ${said}; check the kubeconfig's server, or the network`]]);
  });

  for (const args of [
    ["refresh", "web", "-n", "shop"],
    ["uninstall", "--prepare"],
    ["uninstall", "--undo"],
  ]) {
    test(`N6: does not fail a command whose write may have happened, and is repeated: ${args.slice(0, 2).join(" ")}`, async () => {
      const { code, notes, patches } = await patched(args, [CLOSED, MOVED]);

      assert.deepEqual([code, patches.length], [0, 3], notes.join());
      assert.equal(new Set(patches.map((patch) => JSON.stringify(patch))).size, 1, "each repetition makes the same change");
    });
  }
});

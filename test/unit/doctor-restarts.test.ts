import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CheckResult, DoctorContext } from "../../src/cli/doctor/checks/check.ts";
import { checkDeployments } from "../../src/cli/doctor/checks/install.ts";
import { checkRestarts } from "../../src/cli/doctor/checks/restarts.ts";
import { walkClass } from "../../src/cli/doctor/class/walk.ts";
import { type ClassContext, workerSettings } from "../../src/cli/shared/class-context.ts";
import { settingsOf } from "../../src/cli/shared/settings-in-force.ts";
import type { RolloutReason } from "../../src/domain/reasons.ts";
import { at, type Manifest, readManifests } from "../support/cluster/shipped-manifests.ts";
import { aClass } from "../support/fixtures/pods.ts";
import { holding } from "../support/worker/held-objects.ts";

const NAMESPACE = "keyvault-injector";
const TIME = "2026-01-01T00:00:00Z";

interface Said {
  readonly reason: RolloutReason;
  readonly message: string;
  readonly status?: "True" | "False" | "Unknown";
}

/** As the worker writes it for a class whose Secrets are all right. */
function statusOf(namespace: string, name: string, { status = "False", ...said }: Said): Manifest {
  const synced = { type: "Synced", status: "True", reason: "Synced", message: "1 of 1", lastTransitionTime: TIME };
  const rotated = { type: "Rotated", status, ...said, lastTransitionTime: TIME };
  return {
    apiVersion: "keyvault-injector.dev/v1alpha1",
    kind: "SecretProviderClassSync",
    metadata: { namespace, name },
    status: { observedClassGeneration: 1, conditions: [synced, rotated], secrets: [] },
  };
}

const worker = (...args: readonly string[]): Manifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { namespace: NAMESPACE, name: "keyvault-injector-sync" },
  spec: { replicas: 2, template: { spec: { containers: [{ args: ["sync", ...args] }] } } },
  status: { readyReplicas: 2 },
});

function shown({ state, message, fix }: CheckResult): string {
  return `${state} ${message}${fix === undefined ? "" : ` -> ${fix}`}`;
}

const checked = async (objects: readonly Manifest[]): Promise<readonly string[]> =>
  (await checkRestarts({ viewer: holding(objects), namespace: NAMESPACE })).map(shown);

describe("doctor's look at restarts that do not come by themselves", () => {
  const failed: Said = { reason: "RolloutFailed", message: "Deployment web is not ready. 3 other workloads wait" };

  test("P4: fails once for each namespace that a failed restart halts", async () => {
    const found = await checked([statusOf("shop", "db", failed), statusOf("shop", "tls", failed), statusOf("team", "db", failed)]);

    assert.deepEqual(
      found.map((text) => text.replace(/ -> .*/, "")),
      ["shop", "team"].map((name) => `FAIL Namespace ${name}: a failed restart halts all others: ${failed.message}`),
    );
    assert.match(found[0] ?? "", / -> .*docs\/runbooks\/RolloutFailed\.md$/);
    assert.match(found[0] ?? "", /an undo alone lets the next restart begin/, "P1: as the event and the runbook say");
  });

  for (const [reason, fix] of [
    ["RestartsPaused", /restart-paused/],
    ["InvalidWindow", /write "always" or times/],
    ["RestartBlocked", /retries every minute/],
    ["OnDelete", /delete its pods/],
  ] as const) {
    test(`P4: warns of ${reason}, with what to do`, async () => {
      const [found = "", ...more] = await checked([
        statusOf("shop", "db", { reason, message: "Deployment web is not restarted yet: why" }),
      ]);

      assert.deepEqual(more, []);
      assert.match(found, /^WARN Namespace shop: Deployment web is not restarted yet: why -> /);
      assert.match(found, fix);
    });
  }

  test("says nothing of restarts that are under way, or wait as they were asked to", async () => {
    for (const reason of ["Restarting", "WindowClosed", "AwaitingFiles", "DisruptionBudget"] as const)
      assert.deepEqual(await checked([statusOf("shop", "db", { reason, message: "m" })]), ["OK no restart window is set"]);
    assert.deepEqual(await checked([statusOf("shop", "db", { reason: "Rotated", message: "m", status: "True" })]), [
      "OK no restart window is set",
    ]);
  });

  test("says a pause of the whole cluster once, and a window once", async () => {
    const annotations = { "keyvault-injector.dev/restart-window": "at night" };
    const paused = [worker("--restart-mode=paused"), statusOf("shop", "db", { reason: "RestartsPaused", message: "m" })];
    const window = [
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", annotations } },
      statusOf("shop", "db", { reason: "InvalidWindow", message: "m" }),
    ];

    assert.equal((await checked(paused)).length, 1);
    assert.equal((await checked(window)).length, 1);
  });
});

describe("doctor class, of restarts", () => {
  const spc = aClass();
  const namespace = spc.metadata.namespace ?? "";
  async function walked(said: Said | undefined): Promise<readonly string[]> {
    const viewer = holding(said === undefined ? [] : [statusOf(namespace, spc.metadata.name, said)]);
    const install = { namespace: NAMESPACE, settings: workerSettings(settingsOf(undefined)), fingerprints: undefined };
    const context = { viewer, install, azure: undefined } as unknown as ClassContext; // Vaults are left out.
    const { findings } = await walkClass(context, spc);
    return findings.filter(({ step }) => step === "restarts").map(({ state, leaf, message }) => `${state} ${leaf} ${message}`);
  }

  for (const [reason, status, found] of [
    ["Rotated", "True", "OK restarts-ok m"],
    ["Restarting", "False", "OK restarts-waiting Restarting: m"],
    ["RolloutFailed", "False", "FAIL restarts-halted RolloutFailed: m"],
    ["RestartsPaused", "False", "WARN restarts-held RestartsPaused: m"],
    ["NoVersions", "Unknown", "WARN restarts-held NoVersions: m"],
    ["VersionsUnknown", "Unknown", "SKIP restarts-unknown VersionsUnknown: m"],
  ] as const) {
    test(`P4: has a step that says so: ${reason}`, async () => {
      assert.deepEqual(await walked({ reason, status, message: "m" }), [found]);
    });
  }

  test("has none where no workload asks for restarts", async () => {
    assert.deepEqual(await walked(undefined), []);
  });
});

describe("kubectl get spcsync", () => {
  test("P4: has a column for the restarts, in every output", () => {
    const [crd] = readManifests("crds/secretproviderclasssyncs.yaml");
    const columns = at(crd, "spec", "versions", 0, "additionalPrinterColumns") as readonly Readonly<Record<string, unknown>>[]; // As in the file.

    const { jsonPath, priority } = columns.find(({ name }) => name === "Rotated") ?? {};
    assert.deepEqual({ jsonPath, priority }, { jsonPath: '.status.conditions[?(@.type=="Rotated")].reason', priority: undefined });
  });
});

describe("doctor's look at settings that a process refuses", () => {
  const deployments = async (...args: readonly string[]): Promise<readonly string[]> => {
    const context = { viewer: holding([worker(...args)]), namespace: NAMESPACE } as unknown as DoctorContext; // What this check takes.
    return (await checkDeployments(context)).map(shown).filter((text) => text.includes("-sync"));
  };

  test("SH-9: fails where the worker has fewer pods than shards, and only there", async () => {
    const reported = (await deployments("--shards=4")).filter((text) => text.includes("shards"));
    assert.match(reported.join("; "), /FAIL keyvault-injector-sync has 2 replicas for 4 shards: the namespaces of 2 shards have no worker/);
    for (const few of [[], ["--shards=2"], ["--shards=1"]])
      assert.doesNotMatch((await deployments(...few)).join("; "), /shards/, few.join());
  });

  for (const [args, says] of [
    [["--restart-window=bogus"], /--restart-window: "bogus": /],
    [["--restart-mode=foo"], /--restart-mode: "foo": /],
    [["--max-rollouts=0"], /--max-rollouts: "0": /],
    [["--event-queue=x"], /unknown option --event-queue; did you mean --event-queues\?/],
    [["--event-queues=x"], /--event-queues: "x": /],
  ] as const) {
    test(`P10: fails in the process's own words: ${args.join(" ")}`, async () => {
      const [found = ""] = await deployments(...args);

      assert.match(found, /^FAIL keyvault-injector-sync does not start with its settings: /);
      assert.match(found, says);
      assert.doesNotMatch((await checked([worker(...args)])).join("\n"), /^OK/m);
    });
  }

  test("is fine with what is shipped, and with what Kubernetes puts in itself", async () => {
    assert.deepEqual(await deployments("--restart-window=always", "--namespace=$(POD_NAMESPACE)"), [
      "OK keyvault-injector-sync: 2 of 2 replicas are ready",
    ]);
    for (const file of ["base/sync.yaml", "base/webhook.yaml"]) {
      const shipped = readManifests(file).map((object) => ({ ...object, metadata: { ...object.metadata, namespace: NAMESPACE } }));
      const context = { viewer: holding(shipped), namespace: NAMESPACE } as unknown as DoctorContext; // What this check takes.
      assert.doesNotMatch((await checkDeployments(context)).map(shown).join("\n"), /does not start/);
    }
  });
});

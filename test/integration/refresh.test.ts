import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { KubeObject } from "../../src/domain/kubernetes.ts";
import { type CliOutput, runCli } from "../support/cli/cli.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { serviceAccountToken } from "../support/cluster/service-account-token.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { createWorkload } from "../support/cluster/workloads.ts";
import { eventually } from "../support/time/eventually.ts";
import { classOf, createClass, dataOf, find, opaque, reasonIs, type SyncWorld, startSyncWorld } from "../support/worker/sync-world.ts";
import { mountFiles, startPod, type UsedPod } from "./used-cluster.ts";

const refusal = controlPlaneRefusal();
const OBJECT = "db-pass";
/** Name of every class here, which the pods of `used-cluster.ts` mount. */
const NAME = "web";
const DRIVER = path.join(MANIFESTS, "components", "csi-driver");

let world: SyncWorld;
let driver: string;

/** A class in its own namespace, with or without synced Secrets, and a pod that mounts it. */
interface Given {
  readonly namespace: string;
  readonly object: string;
  readonly pod: UsedPod;
}

async function given(secretObjects: readonly ReturnType<typeof opaque>[] = []): Promise<Given> {
  const namespace = await world.namespace();
  await createClass(world.plane, classOf(world, { namespace, name: NAME, objects: [OBJECT], secretObjects }));
  const pod = await startPod(world.plane, namespace, "web-1", "mount");
  await mount(pod);
  return { namespace, object: OBJECT, pod };
}

async function newest(): Promise<string> {
  return (await world.emulator.secretVersions({ vault: world.vault, name: OBJECT })).at(-1)?.version ?? "";
}

/** Does what the driver does when it syncs the pod. */
const mount = async (pod: UsedPod): Promise<void> => mountFiles(world.plane, driver, pod, { [`secret/${OBJECT}`]: await newest() });

const annotationOf = async ({ namespace, name }: UsedPod): Promise<string | undefined> =>
  (await find<KubeObject>(world.plane, `/api/v1/namespaces/${namespace}/pods/${name}`))?.metadata.annotations?.[CLASS_ANNOTATIONS.refresh];

/** Runs the command as a user would, and acts as the kubelet, which makes the driver sync again after a change of the pod's annotations. */
async function refreshed({ namespace, pod }: Given, ...args: readonly string[]) {
  const isAsked = new AbortController();
  const kubelet = eventually(async () => isAsked.signal.aborted || (await annotationOf(pod)) !== undefined, {
    what: "the annotation of the pod",
    within: 120_000,
  }).then(() => (isAsked.signal.aborted ? undefined : mount(pod)));
  const output = await runCli(["refresh", NAME, "-n", namespace, "-o", "json", ...args], { kubeconfig: world.plane.kubeconfigPath });
  isAsked.abort();
  await kubelet;
  return { ...output, report: reportOf(output) };
}

function reportOf({ stdout, stderr }: CliOutput) {
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout);
}

const versionsIn = ({ objects }: { readonly objects: readonly { readonly containers: readonly { readonly version: string }[] }[] }) =>
  objects.flatMap(({ containers }) => containers.map(({ version }) => version));

describe("a refresh by command", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    world = await startSyncWorld();
    await world.plane.kubectl(["apply", "-f", path.join(DRIVER, "rbac.yaml"), "-f", path.join(DRIVER, "daemon-set.yaml")]);
    await world.plane.kubectl(["apply", "-f", path.join(DRIVER, "csi-driver.yaml")]);
    driver = await serviceAccountToken(world.plane, "kube-system", "secrets-store-csi-driver");
    await world.emulator.setSecret({ vault: world.vault, name: OBJECT, value: "first" });
    await world.product.start("sync", { args: ["--rotation-poll-interval=24h"] });
  });
  after(async () => {
    await world?.stop();
  });

  test("brings the Secret and the file up to date, although the next poll is a day away", async () => {
    const of = await given([opaque("db", OBJECT)]);
    await reasonIs(world.plane, { namespace: of.namespace, name: NAME }, "Synced");
    await world.emulator.rotateSecret({ vault: world.vault, name: OBJECT, value: "second" });

    const { code, report } = await refreshed(of, "--wait");

    assert.deepEqual([code, report.pace.kind, report.asked, report.isAnswered, report.isUpToDate], [0, "republish", 1, true, true]);
    assert.equal((await dataOf(world.plane, of.namespace, "db"))?.["value"], "second");
    assert.deepEqual(versionsIn(report), [await newest()]);
  });

  test("waits for the worker of a class that only pods mount, and that a workload follows", async () => {
    const of = await given();
    await createWorkload(world.plane, { namespace: of.namespace, name: "api", classes: [NAME] });
    await reasonIs(world.plane, { namespace: of.namespace, name: NAME }, "Synced");
    await world.emulator.rotateSecret({ vault: world.vault, name: OBJECT, value: "third" });

    const { report } = await refreshed(of, "--wait", "--timeout", "20s");

    assert.equal(report.isAnswered, true);
    assert.ok(versionsIn(report).includes(await newest()));
  });

  test("says how long files take where the driver cannot be asked, and touches no pod", async () => {
    await world.plane.kubectl([
      "set",
      "image",
      "daemonset/csi-secrets-store",
      "--namespace=kube-system",
      "secrets-store=registry.k8s.io/csi-secrets-store/driver:v1.5.6",
    ]);
    const of = await given([opaque("db", OBJECT)]);

    const { code, report } = await refreshed(of);

    assert.deepEqual([code, report.pace.kind, report.pace.atMostMs, report.asked], [0, "timer", 150_000, 0]);
    assert.equal(await annotationOf(of.pod), undefined);
  });
});

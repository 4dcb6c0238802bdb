import assert from "node:assert/strict";
import { POD_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { runCli } from "../../support/cli/cli.ts";
import { eventually } from "../../support/time/eventually.ts";
import { SYNC_USER } from "../../support/worker/sync-world.ts";
import { object, providerClass } from "../support/provider-class.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { podTemplate, shell } from "../support/workloads.ts";
import { VAULT, type World } from "../support/world.ts";

const NAMESPACE = "mounted-only";
const CLASS = "mounted-files";
const OBJECT = "MountedSecret";
const NAME = "mounts";
const WINDOW = "keyvault-injector.dev/restart-window";
/** Open one minute a year, and open all the time. */
const CLOSED = "0 0 1 1 * for 1m in UTC";
const OPEN = "0 * * * * for 1h in UTC";

interface Listed {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status?: { readonly podName?: string; readonly objects?: readonly { readonly id: string; readonly version: string }[] };
  }[];
}

/** Two pods that read their file only once, at their start. */
function deployment(): object {
  const annotations = {
    [POD_ANNOTATIONS.inject]: "true",
    [POD_ANNOTATIONS.secretProviderClass]: CLASS,
    [POD_ANNOTATIONS.restartOnRotation]: "true",
  };
  const read = `cp /mnt/secrets-store/${OBJECT} /started-with; trap 'exit 0' TERM; sleep 10000 & wait`;
  const template = podTemplate(NAME, { containers: [shell("app", read)], annotations });
  const spec = { replicas: 2, selector: { matchLabels: { app: NAME } }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: NAME, namespace: NAMESPACE }, spec };
}

export function mountedRolloutScenarios(scenario: Scenarios, world: () => World): void {
  const kubectl = (...args: readonly string[]): Promise<string> => world().node.kubectl([`--namespace=${NAMESPACE}`, ...args]);
  const apply = (manifest: object): Promise<string> => world().node.kubectl(["apply", "--filename=-"], JSON.stringify(manifest));
  const until = (what: string, attempt: () => Promise<boolean>): Promise<boolean> =>
    eventually(attempt, { within: 180_000, every: 250, what });
  const annotation = POD_ANNOTATIONS.rotated.replaceAll(".", "\\.");
  const stampOf = (where: string): Promise<string> =>
    kubectl("get", `deployment/${NAME}`, `--output=jsonpath={${where}.annotations.${annotation}}`);
  const restartStamp = (): Promise<string> => stampOf(".spec.template.metadata");
  const list = async (...what: readonly string[]): Promise<Listed["items"]> =>
    (JSON.parse(await kubectl("get", ...what, "--output=json")) as Listed).items; // The API server's own object.
  const pods = async (): Promise<readonly string[]> =>
    (await list("pods", `--selector=app=${NAME}`))
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata.name);
  const read = async (file: string): Promise<readonly string[]> =>
    Promise.all((await pods()).map((pod) => kubectl("exec", pod, "--", "cat", file)));
  const startedWith = () => read("/started-with");
  const files = () => read(`/mnt/secrets-store/${OBJECT}`);
  const rotated = (): Promise<string> =>
    kubectl("get", `spcsync/${CLASS}`, "--output=jsonpath={.status.conditions[?(@.type=='Rotated')].reason}");
  const isRotated = (reason: string): Promise<boolean> => until(`Rotated=${reason}`, async () => (await rotated()) === reason);
  const rotate = async (value: string): Promise<void> => {
    await world().emulator.rotateSecret({ vault: VAULT, name: OBJECT, value });
    await kubectl("annotate", "--overwrite", `secretproviderclass/${CLASS}`, `keyvault-injector.dev/refresh=${value}`);
  };
  /** Removes or restores the driver's pod. Mounts stay. */
  const driver = async (nodeSelector: Readonly<Record<string, string | null>>): Promise<void> => {
    const patch = JSON.stringify({ spec: { template: { spec: { nodeSelector } } } });
    await world().node.kubectl(["patch", "daemonset/csi-secrets-store", "--namespace=kube-system", "--type=merge", `--patch=${patch}`]);
    await world().node.kubectl(["rollout", "status", "daemonset/csi-secrets-store", "--namespace=kube-system", "--timeout=90s"]);
  };
  /** The DaemonSet counts as rolled out while its last pod is still ending, and such a pod still mounts and rotates. */
  const driverIsGone = async (): Promise<void> => {
    const pods = ["--namespace=kube-system", "--selector=app=csi-secrets-store"];
    await world().node.kubectl(["wait", "pods", "--for=delete", "--timeout=90s", ...pods]);
  };
  const restarts = (): number =>
    world()
      .audit()
      .filter(
        ({ user, verb, resource, name, code }) =>
          user === SYNC_USER && verb === "patch" && resource === "apps/deployments" && name === NAME && code === 200,
      ).length;
  const waitForAll = async (value: string): Promise<void> => {
    await kubectl("rollout", "status", `deployment/${NAME}`, "--timeout=90s");
    await until(`pods that started with ${value}`, async () => {
      const values = await startedWith().catch(() => []);
      return values.length === 2 && values.every((each) => each === value);
    });
  };

  scenario.run("a Deployment that only mounts is restarted after its files changed, and not before", async () => {
    await world().node.kubectl(["create", "namespace", NAMESPACE]);
    const { "client-id": id, "client-secret": secret } = world().walk.values;
    await kubectl(
      "create",
      "secret",
      "generic",
      "secrets-store-creds",
      `--from-literal=clientid=${id}`,
      `--from-literal=clientsecret=${secret}`,
    );
    await kubectl("label", "secret", "secrets-store-creds", "secrets-store.csi.k8s.io/used=true");
    await world().emulator.setSecret({ vault: VAULT, name: OBJECT, value: "one" });
    await apply(providerClass(world(), CLASS, { namespace: NAMESPACE, objects: [object(OBJECT)] }));
    await apply(deployment());
    await waitForAll("one");
    await until("the record of what its pods have", async () => (await stampOf(".metadata")) !== "");
    await isRotated("Rotated");

    // Without the driver, no file changes: the worker knows the new version and waits.
    let before = 0;
    try {
      await driver({ "no-such-label": "anywhere" });
      await driverIsGone();
      await rotate("two");
      await isRotated("AwaitingFiles");
      before = restarts();
      console.log(await kubectl("get", `spcsync/${CLASS}`, "--output=jsonpath={.status.conditions[?(@.type=='Rotated')].message}"));
      assert.deepEqual([await files(), await startedWith(), await restartStamp()], [["one", "one"], ["one", "one"], ""]);
    } finally {
      // All later scenarios need mounts.
      await driver({ "no-such-label": null });
    }
    await until("the restart", async () => (await restartStamp()) !== "");
    await waitForAll("two");
    await isRotated("Rotated");
    const after = restarts() - before;
    console.log(`restarted once its files had changed: ${(await startedWith()).join(", ")}; ${after} writes of the worker`);
    assert.equal(after, 2, "the restart, and the record of its end");
  });

  scenario.run("outside its window it is not, although its files have changed; the window opens: it is", async () => {
    const stamp = await restartStamp();
    await kubectl("annotate", `deployment/${NAME}`, `${WINDOW}=${CLOSED}`);
    await rotate("three");
    await until("the files of all pods", async () => (await files()).every((value) => value === "three"));
    await isRotated("WindowClosed");
    assert.deepEqual([await startedWith(), await restartStamp()], [["two", "two"], stamp]);

    await kubectl("annotate", "--overwrite", `deployment/${NAME}`, `${WINDOW}=${OPEN}`);
    await until("the restart", async () => (await restartStamp()) !== stamp);
    await waitForAll("three");
    await isRotated("Rotated");
    const old = (await startedWith()).filter((value) => value !== "three").length;
    const records = await list("secretproviderclasspodstatuses");
    const version = await kubectl("get", `spcsync/${CLASS}`, "--output=jsonpath={.status.objects[0].version}");
    const live = new Set(await pods());
    const stale = records.filter(({ status }) => live.has(status?.podName ?? "") && status?.objects?.[0]?.version !== version).length;
    console.log(`${old} pods with the old version at the end, by their process; ${stale} by the driver's records`);
    assert.deepEqual([old, stale], [0, 0]);
  });

  scenario.run("one command brings the files up to date at once, where the kubelet alone takes more than a minute", async () => {
    await kubectl("annotate", "--overwrite", `deployment/${NAME}`, `${WINDOW}=${CLOSED}`);
    await world().emulator.rotateSecret({ vault: VAULT, name: OBJECT, value: "four" });

    const began = Date.now();
    const { code, stdout, stderr } = await runCli(["refresh", CLASS, "-n", NAMESPACE, "--wait"], {
      kubeconfig: world().node.kubeconfigPath,
    });
    console.log(`refresh --wait ended after ${((Date.now() - began) / 1_000).toFixed(1)} s\n${stdout}`);

    assert.equal(code, 0, stderr);
    assert.deepEqual(await files(), ["four", "four"]);
    await world().node.kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  });
}

import assert from "node:assert/strict";
import { clusterOf } from "../support/cluster.ts";
import { INJECTOR_NAMESPACE } from "../support/install.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { pod, shell } from "../support/workloads.ts";
import type { World } from "../support/world.ts";

const ACCOUNT = "short-lived";
const POD = "of-a-deleted-account";
const TOKEN = "cat /var/run/secrets/kubernetes.io/serviceaccount/token";
const WEBHOOK = "keyvault-injector-webhook";

/** Pods whose ServiceAccount is deleted and recreated. */
export function accountScenarios(scenario: Scenarios, world: () => World): void {
  const cluster = clusterOf(world);
  const ours = clusterOf(world, INJECTOR_NAMESPACE);

  const isAccepted = async (token: string): Promise<boolean> => {
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", metadata: {}, spec: { token } };
    const args = ["create", "--filename=-", "--output=jsonpath={.status.authenticated}"];
    return (await world().node.kubectl(args, JSON.stringify(review))) === "true";
  };
  const idle = (name: string): object =>
    pod(name, {
      annotations: {},
      serviceAccountName: ACCOUNT,
      containers: [shell("idle", "trap 'exit 0' TERM; sleep 10000 & wait")],
    });
  const started = async (name: string): Promise<string> => {
    await cluster.apply(idle(name));
    await cluster.wait(`pod/${name}`, "condition=Ready");
    return cluster.kubectl("exec", name, "--", "sh", "-c", TOKEN);
  };

  scenario.run("a restarted container has the token of its deleted ServiceAccount again, and a new pod has a good one", async () => {
    await cluster.kubectl("create", "serviceaccount", ACCOUNT);
    const token = await started(POD);
    assert.ok(await isAccepted(token));
    await cluster.kubectl("delete", "serviceaccount", ACCOUNT);
    await cluster.kubectl("create", "serviceaccount", ACCOUNT);
    await cluster.until("the token to be refused", async () => !(await isAccepted(token)));

    // One second later, because the command runs in the container that it ends.
    await cluster.kubectl("exec", POD, "--", "sh", "-c", "(sleep 1; kill 1) >/dev/null 2>&1 &");
    await cluster.until(
      "the restarted container",
      async () => (await cluster.field(`pod/${POD}`, ".status.containerStatuses[0].restartCount")) === "1",
    );
    await cluster.wait(`pod/${POD}`, "condition=Ready");
    const again = await cluster.kubectl("exec", POD, "--", "sh", "-c", TOKEN);
    const anew = await started(`${POD}-anew`);

    assert.equal(again, token);
    assert.ok(!(await isAccepted(again)), "the API server refuses what a restarted container has");
    assert.ok(await isAccepted(anew));
    await cluster.kubectl("delete", "pod", POD, `${POD}-anew`, "--wait=false");
  });

  scenario.run("the webhook injects again, in a namespace that it has never seen, after its ServiceAccount was deleted", async () => {
    const uids = (): Promise<string> =>
      ours.kubectl("get", "pods", "--selector=app.kubernetes.io/component=webhook", "--output=jsonpath={.items[*].metadata.uid}");
    const before = (await uids()).split(" ");
    await ours.kubectl("delete", "serviceaccount", WEBHOOK);

    await ours.until("other pods of the webhook", async () =>
      (await uids()).split(" ").every((uid) => uid !== "" && !before.includes(uid)),
    );
    await ours.kubectl("rollout", "status", `deployment/${WEBHOOK}`, "--timeout=60s");
    await cluster.kubectl("create", "namespace", "never-seen");
    const args = [
      "create",
      "--namespace=never-seen",
      "--dry-run=server",
      "--filename=-",
      "--output=jsonpath={.spec.volumes[*].csi.driver}",
    ];
    const injected = await world().node.kubectl(args, JSON.stringify(pod("asked", { containers: [shell("app", "true")] })));

    assert.equal(injected, "secrets-store.csi.k8s.io");
    await cluster.kubectl("delete", "namespace", "never-seen", "--wait=false");
  });
}

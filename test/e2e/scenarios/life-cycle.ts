import assert from "node:assert/strict";
import { CLASS_ANNOTATIONS, POD_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { type Cluster, clusterOf } from "../support/cluster.ts";
import { SECRET_FILE } from "../support/document-walk.ts";
import { object, opaque, providerClass } from "../support/provider-class.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { ANNOTATIONS, pod, podTemplate, READ_SECRET, reader, replicated, shell } from "../support/workloads.ts";
import { VAULT, type World } from "../support/world.ts";

const USED = "used-class";
const USED_SECRET = "used-secret";
const CRON = "each-minute";

/** Changes to pods and classes during a cluster's life. */
export function lifeCycleScenarios(scenario: Scenarios, world: () => World): void {
  const cluster = clusterOf(world);

  scenario.run("a CronJob's schedule is set, for the last of these scenarios", async () => {
    await cluster.apply(cronJob());
  });

  scenario.run(
    "a class mirrored while used has its Secret from the first pod on, scaled up and down, until a grace after the last",
    async () => {
      await cluster.apply(
        providerClass(world(), USED, {
          objects: [object("DemoSecret")],
          secretObjects: [opaque(USED_SECRET, "DemoSecret")],
          annotations: { [CLASS_ANNOTATIONS.sync]: "while-used" },
        }),
      );
      const status = `spcsync/${USED}`;
      await cluster.until("the class's status", async () => (await cluster.field(status, ".metadata.name")) === USED);
      assert.equal(await cluster.secretKey(USED_SECRET, "password"), undefined, "nothing uses it yet");

      await cluster.apply(usingDeployment());
      await cluster.until("the Secret", async () => (await cluster.secretKey(USED_SECRET, "password")) === "MyExampleSecret");
      const uid = await cluster.field(`secret/${USED_SECRET}`, ".metadata.uid");
      for (const replicas of [4, 1, 3]) await scale(cluster, "using", replicas);
      // To zero and back within the grace, as an autoscaler may scale.
      await scale(cluster, "using", 0);
      await scale(cluster, "using", 2);
      assert.equal(await cluster.field(`secret/${USED_SECRET}`, ".metadata.uid"), uid, "the same Secret throughout");

      await cluster.remove("deployment/using");
      await cluster.until("the Secret's end", async () => (await cluster.field(`secret/${USED_SECRET}`, ".metadata.uid")) === "");
      await cluster.remove(`secretproviderclass/${USED}`);
    },
  );

  scenario.run("with the vault out of reach, a new pod waits and says why, the Secret stays, and both go on when it is back", async () => {
    const { emulator } = world();
    const name = "out-of-reach";
    await cluster.apply(providerClass(world(), name, { objects: [object("DemoSecret")], secretObjects: [opaque(name, "DemoSecret")] }));
    await cluster.wait(`spcsync/${name}`, "condition=Synced");
    const version = await cluster.field(`secret/${name}`, ".metadata.resourceVersion");
    await emulator.injectFault({ kind: "reset", host: `${VAULT}.vault.azure.net`, times: 1_000_000 });
    try {
      await cluster.apply(using(name, name));
      await cluster.until("the mount's refusal in an event", async () =>
        /FailedMount/.test(await cluster.kubectl("get", "events", `--field-selector=involvedObject.name=${name},reason=FailedMount`)),
      );
      await cluster.until(
        "the class's report",
        async () => (await cluster.field(`spcsync/${name}`, ".status.conditions[?(@.type=='Fresh')].reason")) === "Unreachable",
      );
      assert.equal(await cluster.field(`pod/${name}`, ".status.phase"), "Pending");
      assert.equal(await cluster.field(`secret/${name}`, ".metadata.resourceVersion"), version);
    } finally {
      await emulator.clearFaults();
    }
    await cluster.wait(`pod/${name}`, "condition=Ready");
    assert.equal(await cluster.read(name, SECRET_FILE), "MyExampleSecret");
    await cluster.until(
      "the class to be fresh again",
      async () => (await cluster.field(`spcsync/${name}`, ".status.conditions[?(@.type=='Fresh')].status")) === "True",
    );
    assert.equal(await cluster.field(`secret/${name}`, ".metadata.resourceVersion"), version, "nothing had changed");
    await cluster.remove(`pod/${name}`, `secretproviderclass/${name}`);
  });

  scenario.run("CRDs deleted while pods run: pods keep their files, Secrets stay, and new pods mount after the healing", async () => {
    const name = "through-the-loss";
    await cluster.apply(
      providerClass(world(), name, { objects: [object("DemoSecret")], secretObjects: [opaque(name, "DemoSecret")] }),
      using(name, name),
    );
    await cluster.wait(`pod/${name}`, "condition=Ready");
    await cluster.wait(`spcsync/${name}`, "condition=Synced");
    const secret = await cluster.field(`secret/${name}`, ".metadata.resourceVersion");
    const crds = (await cluster.kubectl("get", "crd", "--output=jsonpath={.items[*].metadata.name}")).split(" ");
    const uids = await Promise.all(crds.map((crd) => cluster.field(`crd/${crd}`, ".metadata.uid")));
    assert.equal(crds.length, 3);

    await cluster.kubectl("delete", "crd", ...crds, "--timeout=60s");
    assert.equal(await cluster.read(name, SECRET_FILE), "MyExampleSecret");
    for (const [index, crd] of crds.entries()) {
      await cluster.until(
        `the return of ${crd}`,
        async () => !["", uids[index]].includes(await cluster.field(`crd/${crd}`, ".metadata.uid")),
      );
    }
    await cluster.until("the class's return", async () => {
      const found = await cluster.field(`secretproviderclass/${name}`, ".metadata.uid").catch(() => "");
      return found !== "";
    });

    await cluster.apply(using("after-the-loss", name));
    await cluster.wait("pod/after-the-loss", "condition=Ready");
    for (const pod of [name, "after-the-loss"]) assert.equal(await cluster.read(pod, SECRET_FILE), "MyExampleSecret");
    assert.equal(await cluster.field(`secret/${name}`, ".metadata.resourceVersion"), secret);
    await cluster.remove(`pod/${name}`, "pod/after-the-loss", `secretproviderclass/${name}`);
  });

  scenario.run("a CronJob's pods, started by its schedule, read the secret and complete", async () => {
    await cluster.until("a run that completed", async () => (await cluster.field(`cronjob/${CRON}`, ".status.lastSuccessfulTime")) !== "");
    const job = await cluster.kubectl("get", "jobs", `--selector=app=${CRON}`, "--output=jsonpath={.items[0].metadata.name}");
    assert.equal(await cluster.kubectl("logs", `job/${job}`), "MyExampleSecret");
    await cluster.remove(`cronjob/${CRON}`);
  });
}

async function scale(cluster: Cluster, deployment: string, replicas: number): Promise<void> {
  await cluster.kubectl("scale", `deployment/${deployment}`, `--replicas=${replicas}`);
  await cluster.kubectl("rollout", "status", `deployment/${deployment}`, "--timeout=60s");
}

/** A pod that opts in for a class. It stays running after the script, which by default reads the class's secret, has succeeded. */
export function using(name: string, className: string, script = READ_SECRET): object {
  const annotations = { ...ANNOTATIONS, [POD_ANNOTATIONS.secretProviderClass]: className };
  return pod(name, { containers: [shell("reader", `${script}; trap 'exit 0' TERM; sleep 10000 & wait`)], annotations });
}

function usingDeployment(): object {
  const annotations = { ...ANNOTATIONS, [POD_ANNOTATIONS.secretProviderClass]: USED };
  const deployment = replicated("Deployment", "using") as { spec: object }; // Built there.
  return { ...deployment, spec: { ...deployment.spec, template: podTemplate("using", { containers: [reader()], annotations }) } };
}

function cronJob(): object {
  const template = podTemplate(CRON, { containers: [shell("reader", READ_SECRET)], restartPolicy: "Never" });
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: CRON },
    spec: { schedule: "* * * * *", jobTemplate: { metadata: { labels: { app: CRON } }, spec: { backoffLimit: 0, template } } },
  };
}

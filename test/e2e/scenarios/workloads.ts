import assert from "node:assert/strict";
import { SECRET_FILE } from "../support/document-walk.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { job, pod, READ_SECRET, reader, replicated, shell } from "../support/workloads.ts";
import type { World } from "../support/world.ts";

/** Workloads that opt in only with annotations, without a volume of their own. */
export function workloadScenarios(scenario: Scenarios, world: () => World): void {
  const apply = (object: object): Promise<string> => world().node.kubectl(["apply", "--filename=-"], JSON.stringify(object));
  const wait = (condition: string, target: string): Promise<string> =>
    world().node.kubectl(["wait", `--for=${condition}`, target, "--timeout=60s"]);
  /** Output of a container that has ended. */
  const printed = (target: string, container: string): Promise<string> =>
    world().node.kubectl(["logs", target, `--container=${container}`]);
  const readIn = (target: string, container: string): Promise<string> =>
    world().node.kubectl(["exec", target, `--container=${container}`, "--", "cat", SECRET_FILE]);

  for (const kind of ["Deployment", "StatefulSet"] as const) {
    scenario.run(`a ${kind}'s pod reads the secret`, async () => {
      const target = `${kind.toLowerCase()}/reader`;
      await apply(replicated(kind, "reader"));
      await world().node.kubectl(["rollout", "status", target, "--timeout=60s"]);

      assert.equal(await readIn(target, "reader"), "MyExampleSecret");
      await world().node.kubectl(["delete", target, "--wait=false"]);
    });
  }

  scenario.run("a Job reads the secret and completes", async () => {
    await apply(job("reader"));
    await wait("condition=Complete", "job/reader");

    assert.equal(await printed("job/reader", "reader"), "MyExampleSecret");
  });

  scenario.run("an init container reads the secret before the others start", async () => {
    await apply(pod("with-init", { initContainers: [shell("first", READ_SECRET)], containers: [reader()] }));
    await wait("condition=Ready", "pod/with-init");

    assert.equal(await printed("pod/with-init", "first"), "MyExampleSecret");
    assert.equal(await readIn("pod/with-init", "reader"), "MyExampleSecret");
  });

  scenario.run("a native sidecar reads the secret beside the container that it serves", async () => {
    await apply(pod("with-sidecar", { initContainers: [reader("sidecar", { restartPolicy: "Always" })], containers: [reader()] }));
    await wait("condition=Ready", "pod/with-sidecar");

    assert.equal(await readIn("pod/with-sidecar", "sidecar"), "MyExampleSecret");
    assert.equal(await readIn("pod/with-sidecar", "reader"), "MyExampleSecret");
    const running = "--output=jsonpath={.status.initContainerStatuses[0].state.running.startedAt}";
    assert.notEqual(await world().node.kubectl(["get", "pod", "with-sidecar", running]), "");
  });
}

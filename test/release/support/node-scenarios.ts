/** What was pushed, on a real node: pulled by its containerd, installed by Helm and by kubectl. */
import assert from "node:assert/strict";
import path from "node:path";
import type { test as nodeTest } from "node:test";
import { REPOSITORIES } from "../../../tools/release/make-release.ts";
import { VERSION } from "../../../tools/repository-files.ts";
import { INJECTOR_NAMESPACE, injecting, injectorReady } from "../../e2e/support/install.ts";
import { type RealNode, startRealNode } from "../../e2e/support/node.ts";
import { runHelm } from "../../support/cluster/helm.ts";
import { eventually } from "../../support/time/eventually.ts";
import type { MadeRelease } from "./made-release.ts";

interface Opened {
  readonly made: MadeRelease;
  /** `<registry>/<repository>@<digest>` */
  readonly pushed: (repository: string) => string;
}

export function nodeScenarios(test: typeof nodeTest, opened: () => Opened): void {
  test("is installed on a real node from the registry, by Helm and by its one file of manifests", async (context) => {
    const { made, pushed } = opened();
    const node = await startRealNode({ progress: (line) => context.diagnostic(line) });
    try {
      // At the same address inside as outside: the runtime takes a registry on loopback without TLS.
      const port = Number(made.registry.host.split(":")[1]);
      await node.bringIn({ from: port, to: port, address: "127.0.0.1" });
      const image = pushed(REPOSITORIES.image);

      await byHelm(node, pushed(REPOSITORIES.chart));
      assert.deepEqual(await imagesOf(node), [image]);
      await answersDoctor(node, image);
      await runHelm("helm-4", ["uninstall", "kvi", "-n", INJECTOR_NAMESPACE, "--wait"], node.kubeconfigPath);
      await eventually(async () => (await imagesOf(node)).length === 0, { within: 90_000, what: "the end of the pods" });

      await node.kubectl(["apply", "--filename", path.join(made.folder, `keyvault-injector-${VERSION}.yaml`)]);
      await injectorReady(node);
      await injecting(node, 30_000);
      assert.deepEqual(await imagesOf(node), [image.replace("@", `:${VERSION}@`)]);
    } finally {
      await node.stop();
    }
  });
}

async function byHelm(node: RealNode, chart: string): Promise<void> {
  const args = [
    "install",
    "kvi",
    `oci://${chart}`,
    "--plain-http",
    "--namespace",
    INJECTOR_NAMESPACE,
    "--create-namespace",
    "--wait",
    "--timeout",
    "3m",
  ];
  const { code, stderr } = await runHelm("helm-4", args, node.kubeconfigPath);
  assert.equal(code, 0, stderr);
  await injecting(node, 30_000);
}

/** As `docker run IMAGE doctor`: the pod names no command. */
async function answersDoctor(node: RealNode, image: string): Promise<void> {
  const container = { name: "doctor", image, args: ["doctor", "--no-vaults"] };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "doctor", namespace: "default" },
    spec: { restartPolicy: "Never", containers: [container] },
  };
  await node.kubectl(["create", "--filename=-"], JSON.stringify(pod));
  await node.kubectl([
    "wait",
    "--namespace=default",
    "pod/doctor",
    "--for=jsonpath={.status.containerStatuses[0].state.terminated}",
    "--timeout=60s",
  ]);
  assert.match(await node.kubectl(["logs", "--namespace=default", "doctor"]), /^(?:OK|WARN|FAIL|SKIP)\s+api\b/m);
}

/** Of our containers, as their pods name them. */
async function imagesOf(node: RealNode): Promise<readonly string[]> {
  const pods = ["get", "pods", `--namespace=${INJECTOR_NAMESPACE}`, "--output=jsonpath={.items[*].spec.containers[*].image}"];
  return [...new Set((await node.kubectl(pods)).split(" ").filter(Boolean))];
}

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { kubectlOutput } from "../support/cli/kubectl-output.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { freePort, installProduct, type Product, type ProductProcess, type Role } from "../support/cluster/product.ts";
import { renderDefaultOverlay } from "../support/cluster/shipped-manifests.ts";
import { baseEnvironment } from "../support/processes/base-environment.ts";
import { startProcess } from "../support/processes/process.ts";
import { program } from "../support/processes/program.ts";

const refusal = controlPlaneRefusal();
const SECOND = "elsewhere";

describe("a second instance", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  let product: Product;
  let first: ProductProcess;
  before(async () => {
    plane = await startControlPlane();
    product = await installProduct(plane);
    first = await product.start("sync");
  });
  after(async () => {
    await product?.stop();
    await plane?.stop();
  });

  test("takes neither rights nor webhooks over, and is told where the first one is", async () => {
    const { code, stderr } = await kubectlOutput(plane, ["apply", "-f", "-"], await renderDefaultOverlay(SECOND));

    assert.notEqual(code, 0);
    assert.match(stderr, /keyvault-injector is already installed in namespace keyvault-injector, and a cluster can have only one instance/);
    for (const binding of ["sync", "webhook", "components"]) {
      const output = "jsonpath={.subjects[*].namespace}";
      const bound = await plane.kubectl(["get", "clusterrolebinding", `keyvault-injector-${binding}`, "-o", output]);
      assert.equal(bound, "keyvault-injector");
    }
    const services = "jsonpath={.webhooks[*].clientConfig.service.namespace}";
    assert.equal(await plane.kubectl(["get", "mutatingwebhookconfiguration", "keyvault-injector", "-o", services]), "keyvault-injector");
  });

  for (const role of ["sync", "webhook"] as const) {
    test(`ends its ${role} process with where the first one is`, async () => {
      const { code, log } = await runSecond(plane, role);

      assert.equal(code, 1);
      assert.match(log, /keyvault-injector is already installed in namespace keyvault-injector, and a cluster can have only one instance/);
    });
  }

  test("leaves the first one at work", async () => {
    assert.equal(await first.isReady(), true);
    assert.match(await first.metrics(), /keyvault_injector_leader\S* 1/);
  });
});

async function runSecond(plane: ControlPlane, role: Role): Promise<{ readonly code: number; readonly log: string }> {
  const kubeconfig = await plane.kubeconfigFor({ namespace: SECOND, name: `keyvault-injector-${role}` });
  const ports = [`--admission-port=${await freePort()}`, `--health-port=${await freePort()}`];
  const child = spawn(process.execPath, [program(), role, "--bind-address=127.0.0.1", ...ports], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...baseEnvironment(), KUBECONFIG: kubeconfig, POD_NAMESPACE: SECOND, POD_NAME: "second" },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const running = startProcess(child, role);
  const timer = setTimeout(() => void running.stop(), 60_000);
  const code = await running.exited;
  clearTimeout(timer);
  return { code, log };
}

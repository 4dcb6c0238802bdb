import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import path from "node:path";
import { after, before, describe } from "node:test";
import { type SpawnedEmulator, spawnEmulator } from "../../tools/key-vault-emulator/spawn.ts";
import { eventually } from "../support/eventually.ts";
import { startProcess } from "../support/process.ts";
import { mountPoints } from "./support/cgroups.ts";
import { credentialCommands, demoClass, inlineVolumePod } from "./support/document-walk.ts";
import { leftoversOf, readState, removeStaleRuns } from "./support/host-state.ts";
import { installNodeSide } from "./support/install.ts";
import { type RealNode, realNodeRefusal, startRealNode } from "./support/node.ts";
import { NODE_RUNTIME_IMAGE, nodeRuntimeImage } from "./support/node-images.ts";
import { containerUsage } from "./support/pod-usage.ts";
import { scenarios, skipUnless } from "./support/scenarios.ts";
import { STUB_LABEL, STUB_NAME, stubWebhook } from "./support/stub-webhook.ts";

const skip = skipUnless(await realNodeRefusal());
const POD = "busybox-secrets-store-inline";

describe("a real node", { skip }, () => {
  const scenario = scenarios();
  let node: RealNode;
  let emulator: SpawnedEmulator;

  before(async () => {
    const started = performance.now();
    const progress = (line: string): void => console.log(`node: ${((performance.now() - started) / 1_000).toFixed(1)} s: ${line}`);
    node = await startRealNode({ images: [nodeRuntimeImage([NODE_RUNTIME_IMAGE])], progress });
    emulator = await spawnEmulator(path.join(node.directory, "emulator"));
    await installNodeSide(node, { emulator });
    progress("CSI driver and Azure provider serve");
  });

  after(async () => {
    await emulator?.stop();
    await node?.stop();
  });

  scenario.run("the driver may not read Secrets, and neither it nor the provider has restarted", async () => {
    assert.equal(await mayGet(node, { group: "", resource: "secrets" }), "false");
    assert.equal(await mayGet(node, { group: "secrets-store.csi.x-k8s.io", resource: "secretproviderclasses" }), "true");
    const restarts = "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}";
    assert.equal(await node.kubectl(["get", "pods", "--namespace=kube-system", restarts]), "0 0 0 0");
  });

  scenario.run("a pod with the documentation's volume reads its secret", async () => {
    const { name: vault, tenantId } = await emulator.createVault({ name: "e2e-vault" });
    const { appId, clientSecret } = await emulator.createServicePrincipal({ tenantId });
    await emulator.grant({ vault, appId, permissions: ["get"] });
    await emulator.setSecret({ vault, name: "DemoSecret", value: "MyExampleSecret" });
    const values = { vault, tenantId, clientId: appId, clientSecret };

    for (const command of credentialCommands(values)) await node.kubectl(command);
    await node.kubectl(["apply", "--filename=-"], demoClass(values));
    await node.kubectl(["apply", "--filename=-"], inlineVolumePod(POD));
    await node.kubectl(["wait", "--for=condition=Ready", `pod/${POD}`, "--timeout=60s"]);

    assert.equal((await node.kubectl(["exec", POD, "--", "ls", "/mnt/secrets-store/"])).trim(), "DemoSecret");
    const secret = await node.kubectl(["exec", POD, "--", "cat", "/mnt/secrets-store/DemoSecret"]);
    console.log(secret);
    assert.equal(secret, "MyExampleSecret");
  });

  scenario.run("a new version reaches the running pod's file", async () => {
    await emulator.rotateSecret({ vault: "e2e-vault", name: "DemoSecret", value: "MyRotatedSecret" });

    await eventually(async () => (await node.kubectl(["exec", POD, "--", "cat", "/mnt/secrets-store/DemoSecret"])) === "MyRotatedSecret", {
      within: 60_000,
      every: 500,
      what: "the rotated secret in the pod",
    });
  });

  scenario.run("a vault that refuses keeps the pod from starting, and the event says why", async () => {
    const { clientSecret } = await emulator.createServicePrincipal({
      tenantId: (await emulator.createVault({ name: "closed-vault" })).tenantId,
    });
    await node.kubectl([
      "create",
      "secret",
      "generic",
      "wrong-creds",
      "--from-literal=clientid=00000000-0000-0000-0000-000000000001",
      `--from-literal=clientsecret=${clientSecret}`,
    ]);
    await node.kubectl(["apply", "--filename=-"], inlineVolumePod("refused").replace("name: secrets-store-creds", "name: wrong-creds"));

    const events = [
      "get",
      "events",
      "--field-selector=involvedObject.name=refused,reason=FailedMount",
      "--output=jsonpath={.items[*].message}",
    ];
    await eventually(async () => /AADSTS\d+/.test(await node.kubectl(events)), {
      within: 30_000,
      every: 500,
      what: "the refusal in an event",
    });
    assert.equal(await node.kubectl(["get", "pod", "refused", "--output=jsonpath={.status.phase}"]), "Pending");
    await node.kubectl(["delete", "pod", "refused", "--wait=false"]);
  });

  scenario.run("a pod reaches the API server by the Service's address", async () => {
    const script = 'nc -w 2 "$KUBERNETES_SERVICE_HOST" "$KUBERNETES_SERVICE_PORT" </dev/null && echo reached';
    assert.equal((await node.kubectl(["exec", POD, "--", "sh", "-c", script])).trim(), "reached");
    // The control: an address of the same range behind which there is nobody.
    await assert.rejects(node.kubectl(["exec", POD, "--", "sh", "-c", "nc -w 2 10.96.0.200 443 </dev/null"]));
  });

  scenario.run("the API server reaches a webhook in a pod by its Service, and only while the Service has an endpoint", async () => {
    await node.kubectl(["apply", "--filename=-"], JSON.stringify(stubWebhook(node.pki, readFileSync(node.pki.ca, "utf8"))));
    await node.kubectl(["rollout", "status", `deployment/${STUB_NAME}`, "--timeout=60s"]);
    const create = (name: string): Promise<string> => {
      const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { [STUB_LABEL]: "wanted" } } };
      return node.kubectl(["create", "--filename=-", `--output=jsonpath={.metadata.labels.${STUB_LABEL}}`], JSON.stringify(configMap));
    };

    assert.equal(await eventually(() => create("seen"), { every: 500, what: "the webhook's answer" }), "seen");

    await node.kubectl(["scale", `deployment/${STUB_NAME}`, "--replicas=0"]);
    await node.kubectl(["wait", "--for=delete", "pod", `--selector=app=${STUB_NAME}`, "--timeout=30s"]);
    await assert.rejects(create("unseen"), /failed calling webhook/);
    await node.kubectl(["delete", "mutatingwebhookconfiguration", STUB_NAME]);
  });

  scenario.run("nothing is left on the machine when the node stops", async () => {
    const megabytes = Object.entries(node.memory()).map(([name, bytes]) => `${name} ${Math.round(bytes / 1e6)}`);
    console.log(`node: memory in MB: ${megabytes.join(", ")}`);
    for (const { container, memory, cpuSeconds } of await containerUsage(node)) {
      console.log(`node: ${container}: ${Math.round(memory / 1e6)} MB, ${cpuSeconds.toFixed(1)} s of one core`);
    }
    await emulator.stop();
    assert.notDeepEqual(node.leftovers(), [], "a running node is seen by the check");

    await node.stop();
    assert.deepEqual(node.leftovers(), []);

    // The control: one thing of each kind that can be planted without harm.
    const cgroup = path.join(cgroupMount(), path.basename(node.directory));
    mkdirSync(cgroup);
    const sleeper = startProcess(spawn("sleep", ["60"], { argv0: node.directory }), "sleeper");
    assert.match((await eventually(() => twoLines(node.leftovers()))).join("\n"), /process \d+ .*\n.*cgroup /);
    await sleeper.stop();
    rmdirSync(cgroup);
    assert.deepEqual(node.leftovers(), []);
  });
});

describe("a node whose process is killed", { skip }, () => {
  const scenario = scenarios();

  scenario.run("takes everything with it, and the next run tidies up its files", async () => {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, "support", "open-node-and-wait.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const victim = startProcess(child, "victim");
    const [directory = "", identity = ""] = (await firstLine(child.stdout)).split(" ");
    const state = readState(directory);
    assert.ok(state);
    assert.match(leftoversOf(state, identity).join("\n"), /process \d+ sleep 1000/);

    child.kill("SIGKILL");
    await victim.exited;
    await eventually(() => !leftoversOf(state, identity).some((line) => line.startsWith("process")), { what: "the end of all processes" });
    assert.ok(existsSync(directory), "the killed process could not remove its files");

    assert.deepEqual(await removeStaleRuns(), [path.basename(directory)]);
    assert.deepEqual(leftoversOf(state, identity), []);
  });
});

/** Asked of the API server for the driver's ServiceAccount, in the default namespace. */
function mayGet(node: RealNode, { group, resource }: { readonly group: string; readonly resource: string }): Promise<string> {
  const user = "system:serviceaccount:kube-system:secrets-store-csi-driver";
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user, resourceAttributes: { verb: "get", group, resource, namespace: "default" } },
  };
  return node.kubectl(["create", "--filename=-", "--output=jsonpath={.status.allowed}"], JSON.stringify(review));
}

function twoLines(lines: readonly string[]): readonly string[] | undefined {
  return lines.length >= 2 ? lines : undefined;
}

function cgroupMount(): string {
  const [first] = mountPoints();
  assert.ok(first);
  return first;
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  for await (const chunk of stream) return String(chunk).trim();
  throw new Error("it ended without a line");
}

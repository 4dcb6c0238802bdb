import assert from "node:assert/strict";
import { eventually } from "../../support/time/eventually.ts";
import { clusterOf } from "../support/cluster.ts";
import { ANNOTATED, DOCUMENT } from "../support/document-walk.ts";
import { object, opaque, providerClass } from "../support/provider-class.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { ANNOTATIONS, pod, shell } from "../support/workloads.ts";
import { VAULT, type World } from "../support/world.ts";

/** Name and key in `secretproviderclass-mirrored.yaml`. */
const SECRET = { name: "demo-secret", key: "password" } as const;

export function mirroringScenarios(scenario: Scenarios, world: () => World): void {
  const cluster = clusterOf(world);

  scenario.run("a Secret that the worker mirrors is a container's environment", async () => {
    const { node, walk } = world();
    await walk.type("kubectl apply -f secretproviderclass-mirrored.yaml");
    const container = shell("printer", 'printf %s "$DEMO"', { env: [{ name: "DEMO", valueFrom: { secretKeyRef: SECRET } }] });
    // The pod may exist before its Secret: the kubelet waits for it.
    const printer = pod("printer", { containers: [container], restartPolicy: "Never", annotations: {} });
    await cluster.apply(printer);
    await node.kubectl(["wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/printer", "--timeout=60s"]);

    const secret = await node.kubectl(["logs", "printer"]);
    console.log(secret);
    assert.equal(secret, "MyExampleSecret");
    await node.kubectl(["wait", "--for=create", "spcsync/akvprovider-demo-mirrored", "--timeout=20s"]);
    await node.kubectl(["wait", "--for=condition=Synced", "spcsync/akvprovider-demo-mirrored", "--timeout=20s"]);
  });

  scenario.run("a class with secretData mounts as the provider knows it, and its Secret has what is made of the object", async () => {
    const parameters = { secretData: "shaped:\n  password: upper(DemoSecret)\n" };
    const shaped = providerClass(world(), "shaped", {
      objects: [object("DemoSecret")],
      secretObjects: [opaque("shaped", "DemoSecret")],
      parameters,
    });
    await cluster.apply(shaped);
    const annotations = { ...ANNOTATIONS, "keyvault-injector.dev/secret-provider-class": "shaped" };
    const env = [{ name: "MADE", valueFrom: { secretKeyRef: { name: "shaped", key: "password" } } }];
    const container = shell("printer", 'cat /mnt/secrets-store/DemoSecret; printf " %s" "$MADE"', { env });
    await cluster.apply(pod("shaped", { containers: [container], restartPolicy: "Never", annotations }));
    await cluster.wait("pod/shaped", "jsonpath={.status.phase}=Succeeded");
    assert.equal(await cluster.kubectl("logs", "shaped"), "MyExampleSecret MYEXAMPLESECRET");
    await cluster.remove("pod/shaped", "secretproviderclass/shaped");
  });

  scenario.run("a rotation in the vault reaches the running pods' files and the Secret", async () => {
    const { emulator, walk } = world();
    await emulator.rotateSecret({ vault: VAULT, name: "DemoSecret", value: "MyRotatedSecret" });

    const reads = [() => walk.type(DOCUMENT.read), () => walk.type(ANNOTATED.read), () => cluster.secretKey(SECRET.name, SECRET.key)];
    await eventually(async () => (await Promise.all(reads.map((read) => read()))).every((value) => value === "MyRotatedSecret"), {
      within: 60_000,
      every: 500,
      what: "the rotated secret in both pods and in the Secret",
    });

    // The next scenarios read the documentation's value again.
    await emulator.rotateSecret({ vault: VAULT, name: "DemoSecret", value: "MyExampleSecret" });
  });
}

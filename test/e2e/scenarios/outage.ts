import assert from "node:assert/strict";
import { eventually } from "../../support/time/eventually.ts";
import { ANNOTATED, ANNOTATED_POD, SECRET_FILE } from "../support/document-walk.ts";
import { INJECTOR_NAMESPACE, injectorReady } from "../support/install.ts";
import type { Scenarios } from "../support/scenarios.ts";
import { pod, reader, replicated } from "../support/workloads.ts";
import type { World } from "../support/world.ts";

const NAMESPACE = `--namespace=${INJECTOR_NAMESPACE}`;
const SERVICE = "keyvault-injector-webhook";
const WEBHOOK_PODS = "--selector=app.kubernetes.io/component=webhook";

export function outageScenarios(scenario: Scenarios, world: () => World): void {
  const apply = (object: object): Promise<string> => world().node.kubectl(["apply", "--filename=-"], JSON.stringify(object));

  scenario.run("without endpoints behind the Service, opted-in pods are denied by the final check and others start", async () => {
    const { node, walk } = world();
    await node.kubectl(["delete", "pod", ANNOTATED_POD, "--grace-period=1"]);
    await removeEndpoints(world());

    // Deletes the pods, so that the API server's open connections to them end. The new pods serve, but have no endpoints.
    await node.kubectl(["delete", "pods", NAMESPACE, WEBHOOK_PODS]);
    await injectorReady(node);

    await assert.rejects(
      walk.type(ANNOTATED.pod),
      /ValidatingAdmissionPolicy 'keyvault-injector-pod-volume'.*denied request.*no volume of driver secrets-store\.csi\.k8s\.io for class akvprovider-demo: the injector was unavailable/,
    );
    await apply(pod("opted-out", { containers: [{ ...reader(), command: ["sleep", "1000"] }], annotations: {} }));
    await walk.ready("opted-out");
    await apply(replicated("Deployment", "patient"));
    await eventually(async () => (await failureOf(world(), "patient")).includes("the injector was unavailable"), {
      what: "the Deployment's report of the denial",
    });
  });

  scenario.run("with the endpoints back, the same pods are injected, a waiting Deployment's by itself", async () => {
    const { node, walk } = world();
    await selectNobody(world(), null);

    await eventually(() => walk.type(ANNOTATED.pod), { within: 30_000, every: 250, what: "the annotated pod's admission" });
    await walk.ready(ANNOTATED_POD);
    assert.equal(await walk.type(ANNOTATED.read), "MyExampleSecret");
    await node.kubectl(["rollout", "status", "deployment/patient", "--timeout=90s"]);
    assert.equal(await node.kubectl(["exec", "deployment/patient", "--", "cat", SECRET_FILE]), "MyExampleSecret");
  });
}

async function removeEndpoints(world: World): Promise<void> {
  assert.equal((await endpoints(world)).length, 2);
  await selectNobody(world, "true");
  await eventually(async () => (await endpoints(world)).length === 0, { what: "the end of the Service's endpoints" });
}

/**
 * Adds a label that no pod has to the Service's selector, or removes it for null. Applies it as the installer, because the worker would
 * heal a change of any other field manager.
 */
async function selectNobody({ node }: World, value: "true" | null): Promise<void> {
  const { metadata, spec } = JSON.parse(await node.kubectl(["get", "service", SERVICE, NAMESPACE, "--output=json"])) as {
    metadata: { labels: object };
    spec: { ports: object; selector: Readonly<Record<string, string>> };
  }; // The API server's own object.
  const { "without-endpoints": _, ...selector } = spec.selector;
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: SERVICE, namespace: INJECTOR_NAMESPACE, labels: metadata.labels },
    spec: { ports: spec.ports, selector: value === null ? selector : { ...selector, "without-endpoints": value } },
  };
  await node.kubectl(["apply", "--server-side", "--force-conflicts", "--filename=-"], JSON.stringify(service));
}

async function endpoints({ node }: World): Promise<readonly string[]> {
  const addresses = "--output=jsonpath={.items[*].endpoints[*].addresses[*]}";
  const listed = await node.kubectl(["get", "endpointslices", NAMESPACE, `--selector=kubernetes.io/service-name=${SERVICE}`, addresses]);
  return listed.split(" ").filter(Boolean);
}

function failureOf({ node }: World, deployment: string): Promise<string> {
  const message = "--output=jsonpath={.status.conditions[?(@.type=='ReplicaFailure')].message}";
  return node.kubectl(["get", "deployment", deployment, message]);
}

import assert from "node:assert/strict";
import { DOCUMENT_POD } from "../support/document-walk.ts";
import { SERVICE_RANGE } from "../support/node-layout.ts";
import type { Scenarios } from "../support/scenarios.ts";
import type { World } from "../support/world.ts";

export function nodeSideScenarios(scenario: Scenarios, world: () => World): void {
  scenario.run("the driver may not read Secrets, and neither it nor the provider has restarted", async () => {
    assert.equal(await driverMayGet(world(), "", "secrets"), "false");
    assert.equal(await driverMayGet(world(), "secrets-store.csi.x-k8s.io", "secretproviderclasses"), "true");
    const restarts = "--output=jsonpath={.items[*].status.containerStatuses[*].restartCount}";
    assert.equal(await world().node.kubectl(["get", "pods", "--namespace=kube-system", restarts]), "0 0 0 0");
  });

  scenario.run("a pod reaches the API server by the Service's address", async () => {
    const inPod = (script: string): Promise<string> => world().node.kubectl(["exec", DOCUMENT_POD, "--", "sh", "-c", script]);
    const script = 'nc -w 2 "$KUBERNETES_SERVICE_HOST" "$KUBERNETES_SERVICE_PORT" </dev/null && echo reached';
    assert.equal((await inPod(script)).trim(), "reached");
    // The control: an address of the same range without a Service.
    const nobody = await freeServiceAddress(world());
    await assert.rejects(inPod(`nc -w 2 ${nobody} 443 </dev/null`));
  });
}

/** The API server may assign any address of the range to a Service, so that no fixed address is certainly free. */
async function freeServiceAddress({ node }: World): Promise<string> {
  const services = await node.kubectl(["get", "services", "--all-namespaces", "--output=jsonpath={.items[*].spec.clusterIP}"]);
  const taken = new Set(services.split(" "));
  const network = SERVICE_RANGE.slice(0, SERVICE_RANGE.lastIndexOf("."));
  const free = Array.from({ length: 254 }, (_, host) => `${network}.${host + 1}`).find((address) => !taken.has(address));
  assert.ok(free !== undefined, "every address of the range is a Service's");
  return free;
}

/** Asks the API server whether the driver's ServiceAccount may get the resource in the default namespace. */
function driverMayGet({ node }: World, group: string, resource: string): Promise<string> {
  const user = "system:serviceaccount:kube-system:secrets-store-csi-driver";
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user, resourceAttributes: { verb: "get", group, resource, namespace: "default" } },
  };
  return node.kubectl(["create", "--filename=-", "--output=jsonpath={.status.allowed}"], JSON.stringify(review));
}

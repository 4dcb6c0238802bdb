import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { forbidden } from "../support/cluster/audit.ts";
import { type ControlPlane, controlPlaneRefusal, runKubectl, startControlPlane } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";

const refusal = controlPlaneRefusal();

describe("the test control plane", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await startControlPlane();
  });
  after(async () => {
    await plane?.stop();
  });

  test("collects what belongs to a deleted owner", async () => {
    await plane.kubectl(["create", "configmap", "owner"]);
    const uid = await plane.kubectl(["get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}"]);
    const owned = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "owned", ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid }] },
    };
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(owned));

    await plane.kubectl(["delete", "configmap", "owner"]);

    await eventually(async () => (await plane.kubectl(["get", "secrets", "-o", "name"])) === "", { what: "the owned Secret's collection" });
  });

  test("counts a request that RBAC refuses to a ServiceAccount", async () => {
    await eventually(() => plane.kubectl(["get", "serviceaccount", "default"]), { what: "the default ServiceAccount" });
    const kubeconfig = await plane.kubeconfigFor({ namespace: "default", name: "default" });

    await assert.rejects(runKubectl(kubeconfig, ["get", "secrets"]), /forbidden/);

    const refused = await eventually(() => forbidden(plane.audit()).find((entry) => entry.resource === "secrets"), {
      what: "the audit entry",
    });
    assert.equal(refused.user, "system:serviceaccount:default:default");
    assert.equal(refused.verb, "list");
  });

  test("does not count what a namespace refused because it was on its way out", async () => {
    const held = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "held", namespace: "leaving", finalizers: ["example.com/hold"] },
    };
    await plane.kubectl(["create", "namespace", "leaving"]);
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(held));
    await plane.kubectl(["create", "clusterrolebinding", "edit", "--clusterrole=edit", "--serviceaccount=default:default"]);
    await plane.kubectl(["delete", "namespace", "leaving", "--wait=false"]);
    const kubeconfig = await plane.kubeconfigFor({ namespace: "default", name: "default" });

    await assert.rejects(runKubectl(kubeconfig, ["create", "configmap", "late", "--namespace=leaving"]), /being terminated/);

    const entry = await eventually(() => plane.audit().find(({ namespace, verb }) => namespace === "leaving" && verb === "create"), {
      what: "the audit entry",
    });
    assert.deepEqual([entry.code, entry.isNamespaceTerminating, forbidden([entry])], [403, true, []]);
  });
});

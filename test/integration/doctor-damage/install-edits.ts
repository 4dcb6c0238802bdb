import path from "node:path";
import { environmentNameOf } from "../../../src/runtime/setting.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { healingManifests, MANIFESTS } from "../../support/cluster/shipped-manifests.ts";

const WEBHOOK = ["mutatingwebhookconfiguration", "keyvault-injector"];
const SNAPSHOTS_POLICY = "keyvault-injector-sync-snapshots";

/** Edits an install with kubectl, without the knowledge of its processes. */
export class InstallEdits {
  readonly plane: ControlPlane;
  /** Namespace of the test's classes. */
  readonly probe: string;
  /** JSON of an object before its edit, for the repair. */
  kept = "";

  constructor(plane: ControlPlane, probe: string) {
    this.plane = plane;
    this.probe = probe;
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.plane.kubectl(args);
  }

  apply(object: object): Promise<string> {
    return this.plane.kubectl(["apply", "-f", "-"], JSON.stringify(object));
  }

  /** Sets the setting by its environment variable, so that the arguments stay as installed. An empty value removes the variable. */
  setSetting(name: string, value: string): Promise<string> {
    const variable = `${environmentNameOf(name)}${value === "" ? "-" : `=${value}`}`;
    return this.kubectl("set", "env", "deployment/keyvault-injector-sync", "-n", "keyvault-injector", variable);
  }

  setStatus(kind: string, name: string, status: object): Promise<string> {
    const namespace = kind === "daemonset" ? "kube-system" : "keyvault-injector";
    return this.kubectl("patch", kind, name, "-n", namespace, "--subresource=status", "--type=merge", "-p", JSON.stringify({ status }));
  }

  readyNodes(name: string, ready: number): Promise<string> {
    return this.setStatus("daemonset", name, {
      desiredNumberScheduled: 1,
      numberReady: ready,
      currentNumberScheduled: 1,
      numberMisscheduled: 0,
    });
  }

  driverOn(drivers: readonly object[]): Promise<string> {
    return this.apply({ apiVersion: "storage.k8s.io/v1", kind: "CSINode", metadata: { name: "node-1" }, spec: { drivers } });
  }

  /** Adds the parts that a cluster with nodes has and a bare control plane lacks. */
  async addNodeSide(): Promise<void> {
    const files = ["csi-driver/csi-driver.yaml", "csi-driver/daemon-set.yaml", "azure-provider/daemon-set.yaml"];
    for (const file of files) await this.kubectl("apply", "-f", path.join(MANIFESTS, "components", file));
    // The PodTemplates pin the pods of both DaemonSets. kustomize fills them in.
    const rendered = await healingManifests("components/csi-driver", "components/azure-provider");
    for (const manifest of rendered.filter(({ kind }) => kind === "PodTemplate")) await this.apply(manifest);
    for (const name of ["csi-secrets-store", "csi-secrets-store-provider-azure"]) await this.readyNodes(name, 1);
    for (const name of ["keyvault-injector-webhook", "keyvault-injector-sync"]) {
      await this.kubectl("scale", "deployment", name, "-n", "keyvault-injector", "--replicas=2");
      await this.setStatus("deployment", name, { replicas: 2, readyReplicas: 2 });
    }
    await this.apply({ apiVersion: "v1", kind: "Node", metadata: { name: "node-1" } });
    await this.driverOn([{ name: "secrets-store.csi.k8s.io", nodeID: "node-1", topologyKeys: null }]);
  }

  patchWebhook(operations: readonly object[]): Promise<string> {
    return this.kubectl("patch", ...WEBHOOK, "--type=json", "-p", JSON.stringify(operations));
  }

  setBundle(caBundle: string): Promise<string> {
    return this.patchWebhook([{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: caBundle }]);
  }

  bundle(): Promise<string> {
    return this.kubectl("get", ...WEBHOOK, "-o", "jsonpath={.webhooks[0].clientConfig.caBundle}");
  }

  async clientConfig(): Promise<unknown> {
    return JSON.parse(await this.kubectl("get", ...WEBHOOK, "-o", "jsonpath={.webhooks[0].clientConfig}"));
  }

  policySpec(change: object): Promise<string> {
    return this.#mergeSpec("validatingadmissionpolicy", change);
  }

  bindingSpec(spec: object): Promise<string> {
    return this.#mergeSpec("validatingadmissionpolicybinding", spec);
  }

  async bindWorkerOf(namespace: string): Promise<string> {
    // Delete and recreate it: the API server would reject a change of the role.
    await this.kubectl("delete", "clusterrolebinding", "keyvault-injector-sync");
    const names = ["keyvault-injector-sync", "--clusterrole=keyvault-injector-sync"];
    return this.kubectl("create", "clusterrolebinding", ...names, `--serviceaccount=${namespace}:keyvault-injector-sync`);
  }

  freshLease(renewTime = new Date().toISOString().replace("Z", "000Z")): Promise<string> {
    const spec = { holderIdentity: "somebody", renewTime, leaseDurationSeconds: 600 };
    return this.kubectl(
      "patch",
      "lease",
      "keyvault-injector-sync",
      "-n",
      "keyvault-injector",
      "--type=merge",
      "-p",
      JSON.stringify({ spec }),
    );
  }

  async keeping(args: readonly string[]): Promise<void> {
    this.kept = await this.kubectl(...args, "-o", "json");
  }

  async deleting(...resource: readonly string[]): Promise<void> {
    await this.keeping(["get", ...resource]);
    await this.kubectl("delete", ...resource);
  }

  /** Recreates the object that {@link keeping} saved. */
  putBack(): Promise<string> {
    return this.plane.kubectl(["create", "-f", "-"], JSON.stringify(withoutServerFields(JSON.parse(this.kept))));
  }

  #mergeSpec(kind: string, spec: object): Promise<string> {
    return this.kubectl("patch", kind, SNAPSHOTS_POLICY, "--type=merge", "-p", JSON.stringify({ spec }));
  }
}

function withoutServerFields(object: { metadata: Record<string, unknown> }): object {
  const { uid: _uid, resourceVersion: _version, creationTimestamp: _time, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Simulates nodes without machines: reports what their kubelets would report to an API server, until the nodes are lost. */
import { type ApiAnswer, apiRequest, MERGE_PATCH } from "../support/cluster/api-request.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { at, listAt } from "../support/cluster/shipped-manifests.ts";

const HEARTBEAT_MS = 500;

export interface NodeSpec {
  readonly name: string;
  readonly zone: string;
}

export interface Kubelets {
  /** Stops the heartbeats of the zone's nodes and the reports on their pods. */
  lose(zone: string): void;
  /** Stops. Rejects with the first error. */
  stop(): Promise<void>;
}

async function expect(what: string, answer: Promise<ApiAnswer>): Promise<void> {
  const { status, body } = await answer;
  // The pod may be gone before its state is reported.
  if (status >= 300 && status !== 404) throw new Error(`${what}: HTTP ${status} ${JSON.stringify(body)}`);
}

const merge = (plane: ControlPlane, path: string, body: unknown): Promise<ApiAnswer> =>
  apiRequest(plane, { method: "PATCH", path, body, contentType: MERGE_PATCH });

async function createNode(plane: ControlPlane, { name, zone }: NodeSpec): Promise<void> {
  const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": zone };
  await expect(
    `create node ${name}`,
    apiRequest(plane, { method: "POST", path: "/api/v1/nodes", body: { apiVersion: "v1", kind: "Node", metadata: { name, labels } } }),
  );
  const capacity = { cpu: "4", memory: "8Gi", pods: "110" };
  const now = new Date().toISOString();
  const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "", lastHeartbeatTime: now, lastTransitionTime: now };
  const status = { capacity, allocatable: capacity, conditions: [ready] };
  await expect(`status of node ${name}`, merge(plane, `/api/v1/nodes/${name}/status`, { status }));
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease" },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() },
  };
  const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
  await expect(`lease of node ${name}`, apiRequest(plane, { method: "POST", path: leases, body: lease }));
}

const microTime = (): string => new Date().toISOString().replace("Z", "000Z");

async function renew(plane: ControlPlane, node: string): Promise<void> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node}`;
  await expect(`renew the lease of ${node}`, merge(plane, path, { spec: { renewTime: microTime() } }));
}

/** Makes a pod that is bound to the node run and become ready, or removes a pod that is being deleted. */
async function serve(plane: ControlPlane, pod: unknown, address: string): Promise<void> {
  const path = `/api/v1/namespaces/${String(at(pod, "metadata", "namespace"))}/pods/${String(at(pod, "metadata", "name"))}`;
  if (at(pod, "metadata", "deletionTimestamp") !== undefined) {
    await expect("end a pod", apiRequest(plane, { method: "DELETE", path, body: { gracePeriodSeconds: 0 } }));
    return;
  }
  if (at(pod, "status", "phase") === "Running") return;
  const since = new Date().toISOString();
  const conditions = ["Ready", "ContainersReady"].map((type) => ({ type, status: "True", lastTransitionTime: since }));
  const status = { phase: "Running", podIP: address, podIPs: [{ ip: address }], conditions };
  await expect("start a pod", merge(plane, `${path}/status`, { status }));
}

/** Creates the nodes and keeps them alive. To lose nodes, the control plane needs the controller `node-lifecycle-controller`. */
export async function startKubelets(plane: ControlPlane, nodes: readonly NodeSpec[]): Promise<Kubelets> {
  for (const node of nodes) await createNode(plane, node);
  const lost = new Set<string>();
  const end = new AbortController();
  let addresses = 1;
  const beat = async (): Promise<void> => {
    const alive = nodes.filter(({ zone }) => !lost.has(zone)).map(({ name }) => name);
    await Promise.all(alive.map((name) => renew(plane, name)));
    const { body } = await apiRequest(plane, { method: "GET", path: "/api/v1/pods" });
    for (const pod of listAt(body, "items")) {
      if (!alive.includes(String(at(pod, "spec", "nodeName")))) continue;
      addresses += 1;
      await serve(plane, pod, `10.0.${Math.floor(addresses / 250) % 250}.${(addresses % 250) + 1}`);
    }
  };
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await beat();
      await new Promise((resolve) => setTimeout(resolve, HEARTBEAT_MS));
    }
  };
  const running = run();
  // `stop` reports the error. Until then it must not be an unhandled rejection.
  running.catch(() => undefined);
  return {
    lose: (zone) => void lost.add(zone),
    stop: async () => {
      end.abort();
      await running;
    },
  };
}

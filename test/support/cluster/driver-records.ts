import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import { find, type SyncWorld, send } from "../worker/sync-world.ts";
import { apiRequest } from "./api-request.ts";
import type { ControlPlane } from "./control-plane.ts";
import { podsOf, type WorkloadFacts } from "./workloads.ts";

/** Account with which the driver records its mounts. */
export const DRIVER = "system:serviceaccount:kube-system:secrets-store-csi-driver";

export interface PodStatusRecord extends KubeObject {
  readonly status: {
    readonly podName: string;
    readonly secretProviderClassName: string;
    readonly mounted: boolean;
    readonly targetPath: string;
    readonly objects: readonly { readonly id: string; readonly version: string }[];
  };
}

/** A mount of a class. `only` limits it to the pod of this name. */
export interface Mount {
  readonly className: string;
  /** Versions by the driver's ids of the objects. */
  readonly objects: Readonly<Record<string, string>>;
  readonly only?: string;
}

const GROUP = "secrets-store.csi.x-k8s.io";

export function recordsPath(namespace: string): string {
  return `/apis/${GROUP}/v1/namespaces/${namespace}/secretproviderclasspodstatuses`;
}

/** Creates or overwrites the records like the driver at each mount and each rotation. Resolves with the names of the pods. */
export async function mountAs(world: SyncWorld, facts: WorkloadFacts, { className, objects, only }: Mount): Promise<readonly string[]> {
  const { namespace } = facts;
  const pods = await podsOf(world.plane, facts);
  const live = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined && [undefined, metadata.name].includes(only));
  for (const { metadata } of live) {
    const { name: podName, uid = "" } = metadata;
    const name = `${podName}-${namespace}-${className}`;
    const entries = Object.entries(objects).map(([id, version]) => ({ id, version }));
    const status = { podName, secretProviderClassName: className, mounted: true, targetPath: `/pods/${uid}/mount`, objects: entries };
    const ownerReferences = [{ apiVersion: "v1", kind: "Pod", name: podName, uid }];
    const labels = { "internal.secrets-store.csi.k8s.io/node-name": "node" };
    const known = await find<PodStatusRecord>(world.plane, `${recordsPath(namespace)}/${name}`);
    const record = { apiVersion: `${GROUP}/v1`, kind: "SecretProviderClassPodStatus", metadata: { name, labels, ownerReferences }, status };
    const body = known === undefined ? record : { ...known, metadata: { ...known.metadata, ownerReferences }, status };
    const method = known === undefined ? "POST" : "PUT";
    const path = known === undefined ? recordsPath(namespace) : `${recordsPath(namespace)}/${name}`;
    const answer = await apiRequest(world.plane, { method, path, body, as: DRIVER });
    // The garbage collector deletes the record with its pod, which a restart can delete at any time.
    if (answer.status === 404 && (await isGone(world.plane, namespace, { name: podName, uid }))) continue;
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return live.map(({ metadata }) => metadata.name);
}

async function isGone(
  plane: ControlPlane,
  namespace: string,
  { name, uid }: { readonly name: string; readonly uid: string },
): Promise<boolean> {
  const pod = await find<KubeObject>(plane, `/api/v1/namespaces/${namespace}/pods/${name}`);
  return pod?.metadata.uid !== uid || pod.metadata.deletionTimestamp !== undefined;
}

/** Deletes all records of the namespace, as a user might. */
export async function deleteRecords(world: SyncWorld, namespace: string): Promise<void> {
  await send(world.plane, { method: "DELETE", path: recordsPath(namespace) });
}

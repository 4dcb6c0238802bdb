import { POD_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { apiVersionOf, type KubeObject } from "../../../src/domain/kubernetes.ts";
import { WORKLOADS, type WorkloadKind } from "../../../src/domain/rollout/workload-kinds.ts";
import { find, listAll, send } from "../worker/sync-world.ts";
import type { ControlPlane } from "./control-plane.ts";

export interface WorkloadFacts {
  readonly kind?: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  /** Secrets whose keys become variables of its only container. */
  readonly envFrom?: readonly string[];
  /** Classes that it mounts. */
  readonly classes?: readonly string[];
  /** Annotations of the pod template. By default, they request restarts. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

export interface LiveWorkload extends KubeObject {
  readonly spec: { readonly template: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } } };
  readonly status?: Readonly<Record<string, unknown>>;
}

export const ASKING = { [POD_ANNOTATIONS.restartOnRotation]: "true" };

export function workloadPath({ kind = "Deployment", namespace, name }: WorkloadFacts, withName = true): string {
  return `/apis/${apiVersionOf(WORKLOADS[kind])}/namespaces/${namespace}/${WORKLOADS[kind].plural}${withName ? `/${name}` : ""}`;
}

/** Creates a workload with one replica, or one pod per node, and the label `app: <name>`. */
export async function createWorkload(plane: ControlPlane, facts: WorkloadFacts): Promise<void> {
  const { kind = "Deployment", name, envFrom = [], classes = [], annotations = ASKING } = facts;
  const volumes = classes.map((className) => ({
    name: className,
    csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: className } },
  }));
  const container = { name: "app", image: "app:1", envFrom: envFrom.map((secret) => ({ secretRef: { name: secret } })) };
  const template = {
    metadata: { labels: { app: name }, annotations },
    spec: { containers: [container], volumes, terminationGracePeriodSeconds: 0, tolerations: [{ operator: "Exists" }] },
  };
  const own = kind === "StatefulSet" ? { serviceName: name } : {};
  const spec = { selector: { matchLabels: { app: name } }, template, ...own, ...facts.spec };
  const body = { apiVersion: apiVersionOf(WORKLOADS[kind]), kind, metadata: { name }, spec };
  await send(plane, { method: "POST", path: workloadPath(facts, false), body });
}

export async function liveWorkload(plane: ControlPlane, facts: WorkloadFacts): Promise<LiveWorkload> {
  const found = await find<LiveWorkload>(plane, workloadPath(facts));
  if (found === undefined) throw new Error(`${workloadPath(facts)} is gone`);
  return found;
}

/** Stamp on the pod template, which restarts the workload. */
export async function restartStampOf(plane: ControlPlane, facts: WorkloadFacts): Promise<string | undefined> {
  return (await liveWorkload(plane, facts)).spec.template.metadata.annotations?.[POD_ANNOTATIONS.rotated];
}

/** Stamp on the workload itself, which is only a record. */
export async function recordedStampOf(plane: ControlPlane, facts: WorkloadFacts): Promise<string | undefined> {
  return (await liveWorkload(plane, facts)).metadata.annotations?.[POD_ANNOTATIONS.rotated];
}

export interface LivePod extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export function podsOf(plane: ControlPlane, { namespace, name }: WorkloadFacts): Promise<readonly LivePod[]> {
  return listAll(plane, `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${name}`);
}

/** Whether the workload has pods, and all of them are ready. */
export async function isReady(plane: ControlPlane, facts: WorkloadFacts): Promise<boolean> {
  const pods = await podsOf(plane, facts);
  return (
    pods.length > 0 && pods.every(({ status }) => status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"))
  );
}

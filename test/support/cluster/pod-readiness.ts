import { type KubeObject, RESOURCES } from "../../../src/domain/kubernetes.ts";
import { apiRequest, MERGE_PATCH } from "./api-request.ts";
import type { ControlPlane } from "./control-plane.ts";
import { kubeAccess } from "./kube-access.ts";

/**
 * Makes pods ready as a kubelet would, because the control plane has none. Pods become ready as soon as they exist, unless the test holds
 * them.
 */
export interface PodReadiness {
  /** From this call on, new pods with this label `app` do not become ready. */
  hold(app: string): void;
  /** Makes them ready again, including those created in the meantime. */
  release(app: string): void;
  /** Ends the containers of the label's pods. The pods and their replacements are not ready until `comeUp`. */
  crash(app: string): Promise<void>;
  /** Restarts the containers of the label's pods. */
  comeUp(app: string): Promise<void>;
  /** Rejects if a pod could not be made ready. */
  stop(): Promise<void>;
}

export function startPodReadiness(plane: ControlPlane): PodReadiness {
  const access = kubeAccess(plane.kubeconfigPath);
  const end = new AbortController();
  const held = new Set<string>();
  const marked = new Set<string>();
  const writes = new Set<Promise<void>>();
  const mark = (pod: KubeObject): void => {
    const { metadata } = pod;
    const { uid = "", labels } = metadata;
    if (marked.has(uid) || metadata.deletionTimestamp !== undefined || held.has(labels?.["app"] ?? "")) return;
    marked.add(uid);
    const write = patchStatus(plane, pod, statusOf(true, 0)).finally(() => writes.delete(write));
    writes.add(write);
  };
  const pods = access.watcher().reflect<KubeObject>(
    {
      resource: RESOURCES.pods,
      project: (pod) => pod,
      onChange: (_, { current }) => {
        if (current !== undefined) mark(current);
      },
    },
    end.signal,
  );
  const restarts = new Map<string, number>();
  const all = async (app: string, status: (pod: KubeObject) => object): Promise<void> => {
    const live = pods.list().filter(({ metadata }) => metadata.labels?.["app"] === app && metadata.deletionTimestamp === undefined);
    await Promise.all(live.map((pod) => patchStatus(plane, pod, status(pod))));
  };
  return {
    crash: async (app) => {
      held.add(app);
      await Promise.all(writes);
      await all(app, ({ metadata: { uid = "" } }) => statusOf(false, restarts.get(uid) ?? 0));
    },
    comeUp: (app) => {
      held.delete(app);
      return all(app, ({ metadata: { uid = "" } }) => {
        marked.add(uid);
        restarts.set(uid, (restarts.get(uid) ?? 0) + 1);
        return statusOf(true, restarts.get(uid) ?? 0);
      });
    },
    hold: (app) => void held.add(app),
    release: (app) => {
      held.delete(app);
      for (const pod of pods.list()) mark(pod);
    },
    stop: async () => {
      end.abort();
      await Promise.all(writes);
      await access.config.close();
    },
  };
}

/** Status of a pod whose only container runs, or has just ended. */
function statusOf(isReady: boolean, restartCount: number): object {
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: isReady || type === "PodScheduled" || type === "Initialized" ? "True" : "False",
    lastTransitionTime: now,
  }));
  const state = isReady ? { running: { startedAt: now } } : { waiting: { reason: "CrashLoopBackOff" } };
  const container = { name: "app", image: "app:1", imageID: "app:1", ready: isReady, restartCount, state };
  return { phase: "Running", startTime: now, conditions, containerStatuses: [container] };
}

async function patchStatus(plane: ControlPlane, { metadata: { namespace = "", name } }: KubeObject, status: object): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`;
  const answer = await apiRequest(plane, { method: "PATCH", path, body: { status }, contentType: MERGE_PATCH });
  // 404: the pod was deleted in between.
  if (answer.status >= 300 && answer.status !== 404) throw new Error(JSON.stringify(answer.body));
}

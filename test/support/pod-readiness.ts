import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { MERGE_PATCH } from "./api-request.ts";
import type { ControlPlane } from "./control-plane.ts";
import { kubeAccess } from "./kube-access.ts";
import { send } from "./sync-world.ts";

/** What a kubelet would say of pods, where there is none: they are ready as soon as they are there, unless told otherwise. */
export interface PodReadiness {
  /** Pods with this label `app` that come from now on do not become ready. */
  hold(app: string): void;
  /** They do, those that came meanwhile included. */
  release(app: string): void;
  /** Rejects where a pod could not be made ready. */
  stop(): Promise<void>;
}

export function startPodReadiness(plane: ControlPlane): PodReadiness {
  const access = kubeAccess(plane.kubeconfigPath);
  const end = new AbortController();
  const held = new Set<string>();
  const marked = new Set<string>();
  const writes = new Set<Promise<void>>();
  const mark = ({ metadata }: KubeObject): void => {
    const { uid = "", namespace = "", name, labels } = metadata;
    if (marked.has(uid) || metadata.deletionTimestamp !== undefined || held.has(labels?.["app"] ?? "")) return;
    marked.add(uid);
    const write = markReady(plane, `/api/v1/namespaces/${namespace}/pods/${name}/status`).finally(() => writes.delete(write));
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
  return {
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

async function markReady(plane: ControlPlane, path: string): Promise<void> {
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
    type,
    status: "True",
    lastTransitionTime: now,
  }));
  const body = { status: { phase: "Running", startTime: now, conditions } };
  try {
    await send(plane, { method: "PATCH", path, body, contentType: MERGE_PATCH });
  } catch (error) {
    // Gone in between.
    if (!(error instanceof Error && error.message.includes(": 404 "))) throw error;
  }
}

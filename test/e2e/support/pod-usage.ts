import { z } from "zod";
import type { RealNode } from "./node.ts";

/** What one container has used, as the kubelet measures it. */
export interface ContainerUsage {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Bytes that can't be reclaimed: what a memory limit is about. */
  readonly memory: number;
  /** Seconds of one core since the container started. */
  readonly cpuSeconds: number;
}

/** Containers that have just started have no figures yet, and are absent. */
const summary = z.object({
  pods: z.array(
    z.object({
      podRef: z.object({ name: z.string(), namespace: z.string() }),
      containers: z.array(
        z.object({
          name: z.string(),
          cpu: z.object({ usageCoreNanoSeconds: z.number().optional() }).optional(),
          memory: z.object({ workingSetBytes: z.number().optional() }).optional(),
        }),
      ),
    }),
  ),
});

export async function containerUsage(node: RealNode): Promise<readonly ContainerUsage[]> {
  const answer = await node.kubectl(["get", "--raw", `/api/v1/nodes/${node.name}/proxy/stats/summary`]);
  return summary.parse(JSON.parse(answer)).pods.flatMap(({ podRef, containers }) =>
    containers.flatMap(({ name, cpu, memory }) => {
      const [nanoseconds, bytes] = [cpu?.usageCoreNanoSeconds, memory?.workingSetBytes];
      if (nanoseconds === undefined || bytes === undefined) return [];
      return [{ namespace: podRef.namespace, pod: podRef.name, container: name, memory: bytes, cpuSeconds: nanoseconds / 1e9 }];
    }),
  );
}

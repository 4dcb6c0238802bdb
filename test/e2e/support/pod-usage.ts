import { z } from "zod";
import type { RealNode } from "./node.ts";

/** Usage of one container, as measured by the kubelet. */
export interface ContainerUsage {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Number of bytes that cannot be reclaimed, to which a memory limit applies. */
  readonly memory: number;
  /** Seconds of one core since the container started. */
  readonly cpuSeconds: number;
}

/** Containers that have just started have no figures yet, and are missing. */
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

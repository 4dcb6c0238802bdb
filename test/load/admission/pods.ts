import { Agent } from "node:https";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { at, listAt } from "../../support/cluster/shipped-manifests.ts";
import { post } from "../pod-stream.ts";

interface Load {
  readonly pod: Readonly<Record<string, unknown>>;
  /** Number of CSI volumes that a created pod must have. */
  readonly injected: number;
  readonly count: number;
  readonly concurrency: number;
}

export interface Created {
  /** Duration of each creation in milliseconds. */
  readonly times: readonly number[];
  /** Number of pods that the API server rejected because they were not injected. */
  readonly refused: number;
}

/** Creates pods, `concurrency` at a time. Rejects if a created pod does not have the expected volumes. */
export async function createPods(plane: ControlPlane, { pod, injected, count, concurrency }: Load): Promise<Created> {
  const { certPem: cert, keyPem: key, caPem: ca } = plane.config;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency, cert, key, ca });
  const url = new URL("/api/v1/namespaces/default/pods", plane.server);
  const { name: _, ...metadata } = pod["metadata"] as Readonly<Record<string, unknown>>; // Metadata of a fixture.
  const body = JSON.stringify({ ...pod, metadata: { ...metadata, generateName: "load-" } });
  const times: number[] = [];
  let refused = 0;
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const from = performance.now();
      const { status, text } = await post({ agent, url, body });
      if (status === 422) {
        refused += 1;
        continue;
      }
      if (status !== 201) throw new Error(`HTTP ${status}: ${text.slice(0, 500)}`);
      times.push(performance.now() - from);
      const volumes = listAt(JSON.parse(text), "spec", "volumes").filter((volume) => at(volume, "csi") !== undefined);
      if (volumes.length !== injected) throw new Error(`${injected} volumes were to be there: ${text.slice(0, 500)}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, worker));
  } finally {
    agent.destroy();
  }
  return { times, refused };
}

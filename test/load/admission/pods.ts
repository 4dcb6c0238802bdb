import { Agent, request } from "node:https";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { at, listAt } from "../../support/cluster/shipped-manifests.ts";

interface Load {
  readonly pod: Readonly<Record<string, unknown>>;
  /** Volumes of the CSI driver that a created pod must have. */
  readonly injected: number;
  readonly count: number;
  readonly concurrency: number;
}

/** Creates pods, so many at a time. Resolves with the milliseconds of each; rejects where one is not as it should be. */
export async function createPods(plane: ControlPlane, { pod, injected, count, concurrency }: Load): Promise<readonly number[]> {
  const { certPem: cert, keyPem: key, caPem: ca } = plane.config;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency, cert, key, ca });
  const url = new URL("/api/v1/namespaces/default/pods", plane.server);
  const { name: _, ...metadata } = pod["metadata"] as Readonly<Record<string, unknown>>; // Of a fixture.
  const body = JSON.stringify({ ...pod, metadata: { ...metadata, generateName: "load-" } });
  const times: number[] = [];
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const from = performance.now();
      const text = await post(url, agent, body);
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
  return times;
}

function post(url: URL, agent: Agent, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", agent, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        if (answer.statusCode === 201) resolve(text);
        else reject(new Error(`HTTP ${answer.statusCode}: ${text.slice(0, 500)}`));
      });
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

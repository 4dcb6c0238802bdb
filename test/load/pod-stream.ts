import { Agent, request } from "node:https";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { aPod, OPTED_IN } from "../support/fixtures/pods.ts";

/** Results of the created pods. */
export interface PodCounts {
  injected: number;
  /** Admitted or rejected without the webhook: the policy behind it rejected the pod, or the API server stored it unchanged. */
  missed: number;
  /** Rejected by the webhook itself. */
  denied: number;
  /** No answer, or another error. */
  failed: number;
}

export interface PodStream {
  readonly counts: PodCounts;
  /** Milliseconds from request to answer, in the order of the answers. */
  readonly latencies: readonly number[];
  /** Some of the error messages. */
  readonly messages: readonly string[];
  /** Stops sending. Resolves when all requests have been answered. */
  stop(): Promise<void>;
}

/** Number of pods that start together, like those of a Deployment. If they came one by one, they would all share one open connection. */
const BURST = 10;

/** Creates opted-in pods at a steady rate, without waiting for the answers to earlier ones. */
export function startPodStream(plane: ControlPlane, perSecond: number): PodStream {
  const { certPem: cert, keyPem: key, caPem: ca } = plane.config;
  const agent = new Agent({ keepAlive: true, maxSockets: 64, cert, key, ca });
  const counts: PodCounts = { injected: 0, missed: 0, denied: 0, failed: 0 };
  const latencies: number[] = [];
  const messages: string[] = [];
  const running = new Set<Promise<void>>();
  const run = Math.random().toString(36).slice(2, 8);
  const started = performance.now();
  let sent = 0;

  const createOne = async (): Promise<void> => {
    const pod = { ...aPod(OPTED_IN), metadata: { ...(aPod(OPTED_IN)["metadata"] as object), name: `load-${run}-${sent}` } }; // `aPod` creates the metadata.
    const from = performance.now();
    const answer = await post({ agent, url: new URL("/api/v1/namespaces/default/pods", plane.server), body: JSON.stringify(pod) });
    const took = performance.now() - from;
    latencies.push(took);
    const outcome = outcomeOf(answer);
    counts[outcome] += 1;
    if (outcome !== "injected" && messages.length < 5)
      messages.push(`after ${took.toFixed(0)} ms: ${answer.status} ${answer.text.slice(0, 400)}`);
  };
  // Catches up if the timer was late, so that the average rate is right.
  const timer = setInterval(() => {
    const due = BURST * Math.floor(((performance.now() - started) / 1_000) * (perSecond / BURST));
    for (; sent < due; sent += 1) {
      const one = createOne().finally(() => running.delete(one));
      running.add(one);
    }
  }, 5);
  return {
    counts,
    latencies,
    messages,
    stop: async () => {
      clearInterval(timer);
      await Promise.all(running);
      agent.destroy();
    },
  };
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

function outcomeOf({ status, text }: Answered): keyof PodCounts {
  if (status === 201) return text.includes('"secrets-store.csi.k8s.io"') ? "injected" : "missed";
  if (text.includes("ValidatingAdmissionPolicy 'keyvault-injector-pod-volume'")) return "missed";
  return text.includes("denied the request") ? "denied" : "failed";
}

interface Post {
  readonly agent: Agent;
  readonly url: URL;
  readonly body: string;
}

/** Sends the request. A missing answer has the status 0. */
export function post({ agent, url, body }: Post): Promise<Answered> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const outgoing = request(url, { method: "POST", agent, headers }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => (text += chunk));
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
      incoming.on("error", (error) => resolve({ status: 0, text: error.message }));
    });
    outgoing.on("error", (error) => resolve({ status: 0, text: error.message }));
    outgoing.end(body);
  });
}

import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";

export interface Target {
  readonly port: number;
  /** PEM of the trusted CA, and the name that the certificate must contain. */
  readonly ca: string;
  readonly servername: string;
  readonly path: string;
}

export interface Sender {
  /** Resolves with the answer's size in bytes. Rejects if the review was not patched. */
  send(body: Buffer): Promise<number>;
  close(): Promise<void>;
}

/** Creates a sender like the API server: few connections, kept open. */
export function createSender({ port, ca, servername, path }: Target, connections: number): Sender {
  const pool = new Pool(`https://127.0.0.1:${port}`, { connections, connect: { ca, servername } });
  return {
    send: async (body) => {
      const answer = await pool.request({ path, method: "POST", headers: { "content-type": "application/json" }, body });
      const text = await answer.body.text();
      if (answer.statusCode !== 200 || !text.includes('"JSONPatch"')) throw new Error(`HTTP ${answer.statusCode}: ${text.slice(0, 500)}`);
      return text.length;
    },
    close: () => pool.close(),
  };
}

/** Sends all requests. Each connection sends its next request after the answer to the previous one. */
export async function sendAll(
  sender: Sender,
  body: Buffer,
  { count, connections }: { readonly count: number; readonly connections: number },
) {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await sender.send(body);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

/**
 * Sends requests at a fixed rate, regardless of the answers. Resolves with the times from the moment when each was due to its answer, in
 * milliseconds, sorted: a server that stalls cannot hide the requests that waited.
 */
export async function sendAtRate(
  sender: Sender,
  body: Buffer,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<readonly number[]> {
  const total = perSecond * seconds;
  const started = performance.now();
  const times: number[] = [];
  const pending: Promise<void>[] = [];
  for (let index = 0; index < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1000) * perSecond) + 1);
    for (; index < due; index += 1) {
      const dueAt = started + (index / perSecond) * 1000;
      pending.push(sender.send(body).then(() => void times.push(performance.now() - dueAt)));
    }
    await sleep(1);
  }
  await Promise.all(pending);
  return times.sort((one, other) => one - other);
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(
    [...values].sort((one, other) => one - other),
    0.5,
  );
}

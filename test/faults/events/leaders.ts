import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../support/time/eventually.ts";
import { samplesOf } from "../../support/worker/metric-samples.ts";
import type { Replica, Replicas } from "../replicas.ts";

/** How a leader ended. */
export interface LeaderChange {
  readonly how: "killed" | "handed over";
  /** It was killed with so many messages in hand. */
  readonly inHand: number;
}

/** While the queue is away, nobody has a message in hand. */
const IN_HAND_WITHIN_MS = 8_000;

/** SIGKILL, while it has messages in hand. Resolves when another one leads. */
export async function killLeader(replicas: Replicas, afterMs: number): Promise<LeaderChange> {
  await pause(afterMs);
  const leader = await replicas.leader();
  const inHand = await eventually(() => inHandOf(leader), { within: IN_HAND_WITHIN_MS, every: 10 }).catch(() => 0);
  await leader.process.kill();
  await another(replicas, leader);
  return { how: "killed", inHand };
}

/** SIGTERM, as in a rolling update: the Lease is free at once, and the next one leads within moments. */
export async function handOver(replicas: Replicas): Promise<LeaderChange> {
  const leader = await replicas.leader();
  await leader.process.stop();
  await another(replicas, leader);
  return { how: "handed over", inHand: 0 };
}

/** When each leader began, by the logs of all processes (Unix milliseconds): also those that nobody killed. */
export function leaderStarts(logs: readonly string[]): readonly number[] {
  return logs
    .flatMap((file) => readFileSync(file, "utf8").split("\n"))
    .flatMap((line) => /"time":"([^"]+)".*"msg":"leading"/.exec(line)?.[1] ?? [])
    .map((time) => Date.parse(time))
    .sort((one, other) => one - other);
}

async function inHandOf({ process }: Replica): Promise<number | undefined> {
  const held = samplesOf(await process.metrics()).value("event_messages_in_hand") ?? 0;
  return held === 0 ? undefined : held;
}

async function another(replicas: Replicas, before: Replica): Promise<void> {
  await eventually(async () => (await replicas.leader()).process.pid !== before.process.pid, {
    within: 90_000,
    every: 100,
    what: "another leader",
  });
}

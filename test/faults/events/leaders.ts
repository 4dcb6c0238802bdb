import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../support/time/eventually.ts";
import { samplesOf } from "../../support/worker/metric-samples.ts";
import type { Replica, Replicas } from "../replicas.ts";

/** End of a leader. */
export interface LeaderChange {
  readonly how: "killed" | "handed over";
  /** Number of messages that a killed leader was processing. */
  readonly inHand: number;
}

/** Time limit in milliseconds, because the leader has no messages during an outage of the queue. */
const IN_HAND_WITHIN_MS = 8_000;

/** Kills the leader with SIGKILL while it processes messages. Resolves when another one leads. */
export async function killLeader(replicas: Replicas, afterMs: number): Promise<LeaderChange> {
  await pause(afterMs);
  const leader = await replicas.leader();
  const inHand = await eventually(() => inHandOf(leader), { within: IN_HAND_WITHIN_MS, every: 10 }).catch(() => 0);
  await leader.process.kill();
  await another(replicas, leader);
  return { how: "killed", inHand };
}

/** Ends the leader with SIGTERM, as in a rolling update. It releases the Lease, so that the next one leads within moments. */
export async function handOver(replicas: Replicas): Promise<LeaderChange> {
  const leader = await replicas.leader();
  await leader.process.stop();
  await another(replicas, leader);
  return { how: "handed over", inHand: 0 };
}

/** Start time of each leader in the logs of all processes (Unix milliseconds), including leaders that followed without a kill. */
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

import { type ControlPlane, startControlPlane } from "../../support/cluster/control-plane.ts";
import { DEFAULT_AUDIENCE } from "../api/write/reviews.ts";
import { Comparison, type Lane, type Outcome } from "./lane.ts";
import { CONTROLLED_LANES, LANES } from "./lanes.ts";
import { LISTED, type Listed } from "./listed.ts";
import { RealServer } from "./real.ts";

export interface Sizes {
  readonly seed: number;
  /** Minimum number of operations. */
  readonly operations: number;
  /** Runs only this lane. */
  readonly lane?: string | undefined;
}

type Log = (line: string) => void;

export const LANE_NAMES: readonly string[] = [...Object.keys(LANES), ...Object.keys(CONTROLLED_LANES)];

const BATCH = 80;
/** Larger than other batches, because its setup takes a while. */
const POLICY_BATCH = 500;

/** Compares both servers and logs the result. Returns true if all differences are listed. */
export async function compareAll(sizes: Sizes, log: Log): Promise<boolean> {
  const started = Date.now();
  const outcomes = await Promise.all([comparePlain(sizes, log), compareControlled(sizes, log)]);
  const compared = outcomes.reduce((sum, outcome) => sum + outcome.compared, 0);
  const unexplained = outcomes.flatMap((outcome) => outcome.unexplained);
  const listed = LISTED.map((row) => [row, outcomes.reduce((sum, outcome) => sum + (outcome.listed.get(row) ?? 0), 0)] as const);
  report({ listed, log });
  const total = listed.reduce((sum, [, times]) => sum + times, 0);
  log(
    `${compared} operations compared, ${total} listed differences (${listed.length} rows), ${unexplained.length} unexplained, in ${Math.round((Date.now() - started) / 1_000)} s`,
  );
  return unexplained.length === 0;
}

function report({ listed, log }: { readonly listed: readonly (readonly [Listed, number])[]; readonly log: Log }): void {
  for (const [{ what, why }, times] of listed) log(`listed ${times} times: ${what}: ${why}`);
}

/** Runs the lanes that need only an API server. */
export async function comparePlain({ seed, operations, lane }: Sizes, log: Log): Promise<Outcome> {
  const definitions = Math.max(1, Math.round(operations / 4_000));
  const lanes: readonly Lane[] = [
    LANES.random({ seed, batches: Math.ceil((operations * 0.95) / BATCH), length: BATCH }),
    LANES.definitions({ seed, batches: definitions, length: 50 }),
    LANES.policies({ seed, batches: Math.max(1, Math.round(operations / 5_000)), length: POLICY_BATCH }),
  ];
  return runLanes(
    lanes.filter(({ name }) => lane === undefined || lane === name),
    { log, start: () => startControlPlane({ controllerManager: false, apiServerFlags: { "api-audiences": DEFAULT_AUDIENCE } }) },
  );
}

/** Runs the lanes that need controllers. */
async function compareControlled({ seed, operations, lane }: Sizes, log: Log): Promise<Outcome> {
  const lanes: readonly Lane[] = [
    CONTROLLED_LANES.controllers({ seed, batches: Math.max(1, Math.round(operations / 5_000)), length: 60 }),
    CONTROLLED_LANES.expiry({ seed, batches: 1, length: 0 }),
    CONTROLLED_LANES.install(),
  ];
  const start = (): Promise<ControlPlane> =>
    startControlPlane({
      controllers: ["garbage-collector-controller", "namespace-controller", "serviceaccount-controller"],
      apiServerFlags: { "etcd-compaction-interval": "1s" },
    });
  return runLanes(
    lanes.filter(({ name }) => lane === undefined || lane === name),
    { log, start },
  );
}

interface Running {
  readonly log: Log;
  readonly start: () => Promise<ControlPlane>;
}

/** Runs the lanes concurrently: each has its own namespaces, kinds, and names. */
async function runLanes(lanes: readonly Lane[], { log, start }: Running): Promise<Outcome> {
  if (lanes.length === 0) return { compared: 0, listed: new Map(), unexplained: [] };
  const plane = await start();
  const real = new RealServer(plane);
  const comparison = new Comparison(real, { log, prefix: "group" });
  try {
    await Promise.all(lanes.map((lane) => comparison.run(lane)));
    return comparison.outcome;
  } finally {
    await real.stop();
    await plane.stop();
  }
}

/** Node's clocks in virtual time. */
import { currentMachine, monotonic, wall } from "./context.ts";

const RealDate = globalThis.Date;

export class SimulatedDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    // TypeScript cannot spread into the overloads of Date.
    super(...((given.length === 0 ? [wall()] : given) as [number]));
  }

  static override now(): number {
    return wall();
  }
}

/** Replaces `process.hrtime`. */
export function hrtime(since?: readonly [number, number]): [number, number] {
  const nanoseconds = hrtimeNanoseconds();
  const [seconds, rest] = [Number(nanoseconds / 1_000_000_000n), Number(nanoseconds % 1_000_000_000n)];
  if (since === undefined) return [seconds, rest];
  const borrowed = rest < since[1] ? 1 : 0;
  return [seconds - since[0] - borrowed, rest - since[1] + borrowed * 1e9];
}

/** Replaces `os.uptime` and `process.uptime`: seconds, including the time in which the machine sleeps. */
export function uptime(): number {
  return (currentMachine()?.sinceBoot ?? monotonic()) / 1_000;
}

/** Observes nothing, because the times of garbage collection do not follow from the seed. */
export class SilentObserver {
  static readonly supportedEntryTypes: readonly string[] = [];

  observe(): void {
    // There is nothing to observe.
  }

  disconnect(): void {
    // The observation never began.
  }
}

/** An event loop delay that equals the lag of the machine; nanoseconds. */
export function eventLoopDelay() {
  const lag = (): number => (currentMachine()?.lag ?? 0) * 1e6;
  return {
    enable: () => true,
    disable: () => true,
    reset: () => undefined,
    percentile: lag,
    get min() {
      return lag();
    },
    get max() {
      return lag();
    },
    get mean() {
      return lag();
    },
    stddev: 0,
    exceeds: 0,
    count: 1,
    percentiles: new Map<number, number>(),
  };
}

/** Replaces `process.hrtime.bigint`. */
export function hrtimeNanoseconds(): bigint {
  return BigInt(Math.round(monotonic() * 1e6));
}

/** Node's clocks by virtual time. */
import { currentMachine, monotonic, wall } from "./context.ts";

const RealDate = globalThis.Date;

export class SimulatedDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    // The overloads of Date cannot be spread.
    super(...((given.length === 0 ? [wall()] : given) as [number]));
  }

  static override now(): number {
    return wall();
  }
}

/** As `process.hrtime`. */
export function hrtime(since?: readonly [number, number]): [number, number] {
  const nanoseconds = hrtimeNanoseconds();
  const [seconds, rest] = [Number(nanoseconds / 1_000_000_000n), Number(nanoseconds % 1_000_000_000n)];
  if (since === undefined) return [seconds, rest];
  const borrowed = rest < since[1] ? 1 : 0;
  return [seconds - since[0] - borrowed, rest - since[1] + borrowed * 1e9];
}

/** As `os.uptime` and `process.uptime`: seconds, which of the machine count its sleep. */
export function uptime(): number {
  return (currentMachine()?.sinceBoot ?? monotonic()) / 1_000;
}

/** Sees nothing: when garbage is collected follows from no seed. */
export class SilentObserver {
  static readonly supportedEntryTypes: readonly string[] = [];

  observe(): void {
    // There is nothing to see.
  }

  disconnect(): void {
    // It has not begun.
  }
}

/** A loop that is as late as its machine is slow; nanoseconds. */
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

/** As `process.hrtime.bigint`. */
export function hrtimeNanoseconds(): bigint {
  return BigInt(Math.round(monotonic() * 1e6));
}

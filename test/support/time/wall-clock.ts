import { eventually } from "./eventually.ts";

/** Waits until the machine's clock shows this time (Unix milliseconds). Time stamps come from this clock. A time limit does not. */
export async function clockShows(time: number): Promise<void> {
  await eventually(() => Date.now() >= time, { what: `the time ${new Date(time).toISOString()}` });
}

/** Waits for the next second. Kubernetes timestamps have a resolution of one second, so later objects have a later timestamp. */
export async function nextSecond(): Promise<void> {
  await clockShows(Math.floor(Date.now() / 1_000) * 1_000 + 1_000);
}

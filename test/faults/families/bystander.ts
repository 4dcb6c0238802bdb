import { eventually } from "../../support/time/eventually.ts";
import type { Fault, Strike, Target } from "../fault.ts";
import { createClasses } from "../run-fault.ts";
import { INTERVAL_MS } from "../world.ts";

/** A poll interval and the duration of a check. A vault that hangs must not delay the others. */
const UNTOUCHED_SECONDS = INTERVAL_MS / 1_000 + 10;

/** Number of changes of a healthy vault, one after the other has arrived, while others hang. */
const CHANGES = 3;

/** The cells' vaults hang, while the worker must keep polling a healthy one in time. */
async function strikeBesideAnother(target: Target): Promise<Strike> {
  const { world, all } = target;
  const healthy = await world.cell({ mayList: true });
  await createClasses(world, healthy);
  const reached = (within: number): Promise<boolean> => {
    const mark = healthy.mark();
    return eventually(() => world.revisions.reached(healthy, mark) === healthy.names.length, {
      within,
      what: "the healthy vault's changes",
    });
  };
  await reached(60_000);
  const hosts = all.map(({ host }) => host);
  const before = world.vaultProxy.log.length;
  world.vaultProxy.set(hosts, "silent");
  const hanging = (): number => world.vaultProxy.log.slice(before).filter(({ fate }) => fate === "silent").length;
  await eventually(() => hanging() >= hosts.length, { within: 3 * INTERVAL_MS, what: "requests that hang" });
  let slowest = 0;
  for (let change = 0; change < CHANGES; change += 1) {
    const started = performance.now();
    await healthy.rotateAll();
    await reached(120_000);
    slowest = Math.max(slowest, (performance.now() - started) / 1_000);
  }
  return {
    evidence: () => `proxy log: ${hanging()} tunnels silent; a vault beside them was followed within ${slowest.toFixed(1)} s`,
    mend: async () => world.vaultProxy.set(hosts, "passed"),
    problems: async () =>
      slowest <= UNTOUCHED_SECONDS
        ? []
        : [`a vault that answered was followed only after ${slowest.toFixed(1)} s, because of others that did not`],
  };
}

export const bystanderFaults: readonly Fault[] = [
  // The worker cancels a call that hangs after 30 s. Back-off, breaker and poll follow.
  { name: "vaults that hang beside one that answers", bound: 30 + 45, strike: strikeBesideAnother },
];

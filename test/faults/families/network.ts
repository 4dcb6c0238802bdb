import type { Fault, Target } from "../fault.ts";
import type { TunnelFate } from "../vault-proxy.ts";

const ALWAYS = 1_000_000;

/** Back-off of a class or the breaker of its vault, a minute each at most and side by side, then a poll and its writes. */
const UNREACHABLE_SECONDS = 60 + 10 + 5;

/** Tunnels to the vaults end so, by the log of the proxy that the workers go through. */
const tunnels = (fate: TunnelFate): Fault["strike"] => {
  return async ({ world, all }: Target) => {
    const hosts = all.map(({ host }) => host);
    const mark = world.vaultProxy.log.length;
    world.vaultProxy.set(hosts, fate);
    return {
      evidence: () => {
        const struck = world.vaultProxy.log.slice(mark).filter((tunnel) => tunnel.fate === fate && hosts.includes(tunnel.host));
        const isComplete = hosts.every((host) => struck.some((tunnel) => tunnel.host === host));
        return isComplete ? `proxy log: ${struck.length} tunnels ${fate}` : undefined;
      },
      mend: async () => world.vaultProxy.set(hosts, "passed"),
    };
  };
};

/** The service answers so; its own request log shows requests that got no usable answer. */
const answers = (effect: { readonly kind: "reset" | "truncated" | "contentType" }): Fault["strike"] => {
  return async ({ world, all, requestMark }: Target) => {
    for (const { vault } of all) await world.emulator.injectFault({ vault, ...effect, times: ALWAYS });
    return {
      evidence: async () => {
        const asked = (await world.requests.since(requestMark)).filter(
          ({ host, status }) => all.some((cell) => cell.host === host) && status !== 401,
        );
        const isComplete = all.every(({ host }) => asked.some((one) => one.host === host));
        return isComplete ? `request log of the vaults: ${asked.length} requests met ${effect.kind}` : undefined;
      },
      mend: async () => {
        for (const { vault } of all) await world.emulator.clearFaults({ vault });
      },
    };
  };
};

/** Answers that come after the worker has given up (30 s), or not before long. */
const slow = (milliseconds: number): Fault["strike"] => {
  return async ({ world, all }: Target) => {
    for (const { vault } of all) await world.emulator.injectFault({ vault, kind: "slow", milliseconds, times: ALWAYS });
    const mark = await world.requests.mark();
    return {
      evidence: async () => {
        const asked = (await world.requests.since(mark)).filter(
          ({ host, status }) => all.some((cell) => cell.host === host) && status !== 401,
        );
        const isComplete = all.every(({ host }) => asked.some((one) => one.host === host));
        return isComplete ? `request log of the vaults: ${asked.length} requests held back ${milliseconds} ms` : undefined;
      },
      mend: async () => {
        for (const { vault } of all) await world.emulator.clearFaults({ vault });
      },
    };
  };
};

/** Between the worker and the vaults. */
export const networkFaults: readonly Fault[] = [
  { name: "connections to the vaults reset", bound: UNREACHABLE_SECONDS, strike: tunnels("reset") },
  { name: "an untrusted certificate before the vaults", bound: UNREACHABLE_SECONDS, strike: tunnels("untrusted") },
  { name: "the proxy refuses tunnels to the vaults", bound: UNREACHABLE_SECONDS, strike: tunnels("refused") },
  { name: "answers of the vaults cut in half", bound: UNREACHABLE_SECONDS, strike: answers({ kind: "truncated" }) },
  { name: "a page of HTML instead of the vaults' answers", bound: UNREACHABLE_SECONDS, strike: answers({ kind: "contentType" }) },
  { name: "requests reset by the vaults", bound: UNREACHABLE_SECONDS, strike: answers({ kind: "reset" }) },
  { name: "vaults that answer after 3 s", bound: UNREACHABLE_SECONDS, strike: slow(3_000) },
  // A call that hangs is given up after 30 s.
  { name: "vaults that hang", bound: 30 + UNREACHABLE_SECONDS, strike: tunnels("silent") },
];

import type { RequestRecord } from "../../../tools/key-vault-emulator/network/request-log.ts";
import type { Fault, Target } from "../fault.ts";
import { askedOfAll, type Sign, vaultsAnswer } from "../signs.ts";
import type { TunnelFate } from "../vault-proxy.ts";

/** Back-off of a class, or the breaker of its vault, each at most a minute and at the same time, then a poll and its writes. */
const UNREACHABLE_SECONDS = 60 + 10 + 5;

/** Tunnels to the vaults have this fate, according to the log of the workers' proxy. */
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

/** All requests except those with status 401, with which a vault names the sign-in address. */
const held = (what: string): Sign<RequestRecord> => ({
  isMeant: ({ status }) => status !== 401,
  reported: (count) => `request log of the vaults: ${count} requests ${what}`,
});

/** The service answers in this way. Its request log shows requests that got no usable answer. */
const answers = (effect: { readonly kind: "reset" | "truncated" | "contentType" }): Fault["strike"] => {
  return async (target) => ({
    ...(await vaultsAnswer(target, effect)),
    evidence: askedOfAll(target, held(`met ${effect.kind}`)),
  });
};

/** Answers that come only after the delay. */
const slow = (milliseconds: number): Fault["strike"] => {
  return async (target) => {
    const strike = await vaultsAnswer(target, { kind: "slow", milliseconds });
    const mark = await target.world.requests.mark();
    return { ...strike, evidence: askedOfAll(target, held(`held back ${milliseconds} ms`), mark) };
  };
};

/** Faults of the network between the worker and the vaults. */
export const networkFaults: readonly Fault[] = [
  { name: "connections to the vaults reset", bound: UNREACHABLE_SECONDS, strike: tunnels("reset") },
  { name: "an untrusted certificate before the vaults", bound: UNREACHABLE_SECONDS, strike: tunnels("untrusted") },
  { name: "the proxy refuses tunnels to the vaults", bound: UNREACHABLE_SECONDS, strike: tunnels("refused") },
  { name: "answers of the vaults cut in half", bound: UNREACHABLE_SECONDS, strike: answers({ kind: "truncated" }) },
  { name: "a page of HTML instead of the vaults' answers", bound: UNREACHABLE_SECONDS, strike: answers({ kind: "contentType" }) },
  { name: "requests reset by the vaults", bound: UNREACHABLE_SECONDS, strike: answers({ kind: "reset" }) },
  { name: "vaults that answer after 3 s", bound: UNREACHABLE_SECONDS, strike: slow(3_000) },
  // The worker cancels a call that hangs after 30 s.
  { name: "vaults that hang", bound: 30 + UNREACHABLE_SECONDS, strike: tunnels("silent") },
];

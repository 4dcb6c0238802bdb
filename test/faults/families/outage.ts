import { statusOf } from "../../support/worker/sync-world.ts";
import type { Cell } from "../cell.ts";
import type { Fault, Strike, Target } from "../fault.ts";
import { isSecretWrite } from "../trails.ts";

const ENTRA = "login.microsoftonline.com";

/** Key Vault's own limit: https://learn.microsoft.com/azure/key-vault/general/service-limits */
const BUDGET = { transactions: 4_000, perSeconds: 10 };

/** Text about the outage from the cell's status. Undefined if the status does not show it yet. */
async function reportedOf({ world }: Target, { namespace }: Cell, struckAt: number): Promise<string | undefined> {
  const status = await statusOf(world.plane, namespace, "class-0");
  const synced = status?.conditions.find(({ type }) => type === "Synced");
  const fresh = status?.conditions.find(({ type }) => type === "Fresh");
  const checked = Date.parse(status?.lastSuccessfulCheckTime ?? "");
  const isReported =
    synced?.reason === "Unreachable" && fresh?.status === "False" && checked <= struckAt && synced.message.includes("vault.azure.net");
  return isReported ? `${synced.reason}, last checked ${status?.lastSuccessfulCheckTime}` : undefined;
}

async function strikeAll(target: Target): Promise<Strike> {
  const { world, cells, all, requestMark } = target;
  const hosts = [ENTRA, ...all.map(({ host }) => host)];
  for (const { vault } of all) await world.emulator.setBudget({ vault, ...BUDGET });
  const struckAt = Date.now();
  world.vaultProxy.set(hosts, "refused");
  const tunnels = world.vaultProxy.log.length;
  await Promise.all(world.replicas.all.map((replica) => replica.process.kill()));
  const auditMark = world.audit.mark;
  await world.replicas.leader();
  const synced = [cells["at rest"], cells["mid-rotation"]];
  let writes = 0;
  return {
    evidence: async () => {
      const reported = await Promise.all(synced.map((cell) => reportedOf(target, cell, struckAt)));
      if (reported.includes(undefined)) return undefined;
      writes = world.audit.since(auditMark).filter(isSecretWrite).length;
      const refused = world.vaultProxy.log.slice(tunnels).filter(({ fate }) => fate === "refused").length;
      return `proxy log: ${refused} tunnels refused; audit log: ${writes} writes of Secrets since the restart; status: ${reported[0] ?? ""}`;
    },
    mend: async () => {
      world.vaultProxy.set(hosts, "passed");
    },
    problems: async () => {
      const throttled = (await world.requests.since(requestMark)).filter(({ status }) => status === 429).length;
      console.log(
        `outage: ${synced.reduce((sum, { names }) => sum + names.length, 0)} Secrets stayed, ${writes} Secret writes, ${throttled} answered 429 on return`,
      );
      return [
        ...(writes === 0 ? [] : [`${writes} Secrets were written while no vault answered`]),
        ...(throttled === 0 ? [] : [`${throttled} requests were answered 429 when the vaults were back`]),
      ];
    },
  };
}

export const outageFaults: readonly Fault[] = [
  // The classes' back-off of up to a minute, as after a long outage, and that of the vaults' breakers.
  { name: "Key Vault and Entra down, and both replicas killed", bound: 70, strike: strikeAll },
];

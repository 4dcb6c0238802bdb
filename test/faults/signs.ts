import type { FaultEffect } from "../../tools/key-vault-emulator/network/fault-plan.ts";
import type { RequestRecord } from "../../tools/key-vault-emulator/network/request-log.ts";
import type { AuditEntry } from "../support/cluster/audit.ts";
import type { Cell } from "./cell.ts";
import type { Evidence, Strike, Target } from "./fault.ts";

/** Number of times for a fault that lasts until the test ends it. */
export const ALWAYS = 1_000_000;

/** Every vault answers in this way until the test ends the fault. */
export async function vaultsAnswer({ world, all }: Target, effect: FaultEffect): Promise<Pick<Strike, "mend">> {
  for (const { vault } of all) await world.emulator.injectFault({ vault, ...effect, times: ALWAYS });
  return {
    mend: async () => {
      for (const { vault } of all) await world.emulator.clearFaults({ vault });
    },
  };
}

/** Log entries that prove a fault. */
export interface Sign<T> {
  readonly isMeant: (one: T) => boolean;
  /** Text for the report, after each cell has such an entry. `count` is the number for all cells. */
  readonly reported: (count: number) => string;
}

/** Searches the vaults' request log since the mark, by default that of the strike. */
export function askedOfAll({ world, all, requestMark }: Target, sign: Sign<RequestRecord>, mark = requestMark): Evidence {
  return async () => {
    const asked = (await world.requests.since(mark)).filter((one) => all.some(({ host }) => host === one.host) && sign.isMeant(one));
    return metByAll(all, asked, { ...sign, isOf: ({ host }, cell) => host === cell.host });
  };
}

/** Searches the API server's audit log of the worker since the strike. */
export function loggedOfAll({ world, all, auditMark }: Target, sign: Sign<AuditEntry>): Evidence {
  return () => {
    const logged = world.audit.since(auditMark).filter((entry) => sign.isMeant(entry));
    return metByAll(all, logged, { ...sign, isOf: ({ namespace }, cell) => namespace === cell.namespace });
  };
}

export interface Met<T> extends Pick<Sign<T>, "reported"> {
  readonly isOf: (one: T, cell: Cell) => boolean;
}

export function metByAll<T>(all: readonly Cell[], found: readonly T[], { isOf, reported }: Met<T>): string | undefined {
  return all.every((cell) => found.some((one) => isOf(one, cell))) ? reported(found.length) : undefined;
}

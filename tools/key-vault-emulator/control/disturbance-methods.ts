import { IMDS_HOST } from "../imds/endpoint.ts";
import { EmulatorInputError } from "../input-error.ts";
import { endpointOf } from "../network/clouds.ts";
import type { World } from "../world.ts";
import { type Input, inputs, parseInput } from "./inputs.ts";

export interface DisturbanceMethods {
  /** Limits the vault to this number of requests in this time, with a full allowance at first. Further requests get 429. */
  setBudget(input: Input<"setBudget">): Promise<void>;
  /** Removes the limit. A vault has none at the start. */
  clearBudget(input: Input<"vault">): Promise<void>;
  /** Applies a fault to the next matching requests. Several faults apply one after the other. */
  injectFault(input: Input<"injectFault">): Promise<void>;
  /** Removes the faults that have not been applied yet: all of them, or those of one vault or host. */
  clearFaults(input?: Input<"clearFaults">): Promise<void>;
}

export function disturbanceMethods({ vaults, faults }: World): DisturbanceMethods {
  const hostOf = ({ vault, host = "" }: { readonly vault?: string | undefined; readonly host?: string | undefined }): string =>
    vault === undefined ? knownHost(host) : new URL(vaults.require(vault).url).host;
  return {
    setBudget: async (input) => {
      const { vault, ...budget } = parseInput(inputs.setBudget, input);
      vaults.require(vault).throttle.setBudget(budget);
    },
    clearBudget: async (input) => {
      vaults.require(parseInput(inputs.vault, input).vault).throttle.setBudget(undefined);
    },
    injectFault: async (input) => {
      const { vault, host, path, times, ...effect } = parseInput(inputs.injectFault, input);
      if ((vault === undefined) === (host === undefined)) throw new EmulatorInputError("vault: give either vault or host");
      faults.add({ effect, host: hostOf({ vault, host }), isAuthenticatedOnly: vault !== undefined, path, times });
    },
    clearFaults: async (input) => {
      const target = parseInput(inputs.clearFaults, input ?? {});
      faults.clear(target.vault === undefined && target.host === undefined ? undefined : hostOf(target));
    },
  };
}

function knownHost(host: string): string {
  if (host === IMDS_HOST || endpointOf(host) !== undefined) return host.toLowerCase();
  throw new EmulatorInputError(`host: ${host} is not emulated; use a vault's or login host, or ${IMDS_HOST}`);
}

/**
 * A process that runs commands of the command line. Its environment leads to the Key Vault emulator: Node reads the CAs that it trusts only
 * once, at start. The process reads one JSON line for each command and prints one as the answer.
 */

import type { LookupFunction } from "node:net";
import { createInterface } from "node:readline";
import { openAzure } from "../../../src/cli/compose.ts";
import type { CommandResult } from "../../../src/cli/shared/command.ts";
import { readOutboundProxy } from "../../../src/runtime/outbound-proxy.ts";
import { createReachHost } from "../../../src/tls/reach-host.ts";
import { runOnline } from "../../support/cli/cli.ts";

export interface DoctorQuestion {
  readonly args: readonly string[];
  readonly kubeconfig: string;
  /** Replaces the environment of the process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Answer of the name service for every name: an address, or an error code of getaddrinfo. */
  readonly names?: string;
  /** Time limit of a connection, in milliseconds. */
  readonly timeoutMs?: number;
}

export type DoctorAnswer = CommandResult;

async function answer({ args, kubeconfig, environment = {}, names, timeoutMs = 5_000 }: DoctorQuestion): Promise<DoctorAnswer> {
  const kept = { ...process.env };
  Object.assign(process.env, environment);
  try {
    const proxy = readOutboundProxy(process.env);
    const lookup = names === undefined ? {} : { lookup: lookupOf(names) };
    const reach = createReachHost({ proxy: proxy.ok ? proxy.value : undefined, timeoutMs, ...lookup });
    return await runOnline(args, kubeconfig, {
      openAzure: async (ofBindings) => ({ ...(await openAzure(ofBindings)), reach }),
      openReach: async () => reach,
    });
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
    Object.assign(process.env, kept);
  }
}

function lookupOf(names: string): LookupFunction {
  return (host, options, callback) => {
    if (/^\d/.test(names)) callback(null, options.all === true ? [{ address: names, family: 4 }] : names, 4);
    else callback(Object.assign(new Error(`getaddrinfo ${names} ${host}`), { code: names }), "", 4);
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const question: DoctorQuestion = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await answer(question))}\n`);
}

import "../simulation/time/install.ts";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fabric, type Lines } from "../simulation/network/fabric.ts";
import { beginWorld, EPOCH } from "../simulation/time/context.ts";
import { Machine } from "../simulation/time/machine.ts";

const SENT = Array.from({ length: 30 }, (_, index) => `line ${index}\n`);

/** Lines that are all available when a listener is added. */
const lines: Lines = {
  onLine: (listener) => SENT.forEach((line) => listener(line.trimEnd())),
  onEnd: (listener) => listener(),
  close: () => undefined,
};

/** Returns the parts of a line-based response that a process receives, in their order. */
async function heard(seed: number, ail: (machine: Machine) => void): Promise<readonly string[]> {
  const { scheduler, random } = beginWorld(seed);
  const machine = new Machine("sync-0/1", { scheduler, random: random.fork("machine"), epoch: EPOCH });
  const fabric = new Fabric(scheduler, random.fork("network"));
  fabric.serve(() => () => ({ kind: "lines", lines }));
  const parts: string[] = [];
  fabric.send(
    { machine, host: "api.simulated", method: "GET", path: "/", headers: {}, body: "" },
    {
      onHead: (status) => void parts.push(`${status}`),
      onData: (chunk) => void parts.push(chunk.toString()),
      onEnd: () => void parts.push("end"),
      onError: (error) => void parts.push(error.message),
    },
  );
  ail(machine);
  // Gives the process other events, so that parts of the response that arrive meanwhile wait for the same moment.
  for (let at = 0; at < 60; at += 1) scheduler.schedule(at, () => undefined, { machine });
  await scheduler.runUntil(60_000);
  return parts;
}

describe("the simulation's network", () => {
  const ailments: Readonly<Record<string, (machine: Machine) => void>> = {
    "is well": () => undefined,
    "is slow": (machine) => {
      machine.lag = 20;
    },
    "stands still for a second": (machine) => machine.stop(1_000),
  };
  for (const [what, ail] of Object.entries(ailments)) {
    test(`brings the bytes of one stream in their order to a machine that ${what}`, async () => {
      for (let seed = 1; seed <= 20; seed += 1) assert.deepEqual(await heard(seed, ail), ["200", ...SENT, "end"], `seed ${seed}`);
    });
  }
});

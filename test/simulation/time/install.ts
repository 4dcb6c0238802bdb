/**
 * Replaces time, chance, threads, and sockets in this process. Import this before any module that uses them, because modules keep what they
 * imported.
 */
import { createRequire, syncBuiltinESMExports } from "node:module";
import { parentPort, SimulatedWorker, threadCpuUsage } from "../machines/worker-thread.ts";
import { fill, randomBytes, uuid } from "./chance.ts";
import { eventLoopDelay, hrtime, hrtimeNanoseconds, SilentObserver, SimulatedDate, uptime } from "./clocks.ts";
import { monotonic, random } from "./context.ts";
import { simulatedTimers, timeoutSignal, type WaitOptions, wait } from "./timers.ts";

const require = createRequire(import.meta.url);

/** Returns a function that throws, in place of one that the simulation does not support. If code calls it, the simulation has a gap. */
function refused(what: string): () => never {
  // This is not an arrow function, because some callers use `new`.
  return function refuse() {
    throw new Error(`simulation: ${what} was to be opened`);
  };
}

Object.assign(globalThis, simulatedTimers, { Date: SimulatedDate });
Object.assign(require("node:timers"), simulatedTimers);
Object.assign(require("node:timers/promises"), {
  setTimeout: wait,
  setImmediate: <T>(value?: T, options?: WaitOptions) => wait(0, value, options),
  setInterval: refused("an interval of node:timers/promises"),
});
Object.assign(AbortSignal, { timeout: timeoutSignal });
Object.defineProperty(globalThis.performance, "now", { value: monotonic });
Object.assign(require("node:perf_hooks"), { monitorEventLoopDelay: eventLoopDelay, PerformanceObserver: SilentObserver });
Object.assign(process, { hrtime: Object.assign(hrtime, { bigint: hrtimeNanoseconds }), threadCpuUsage, uptime });
Object.assign(require("node:os"), { uptime });
Object.assign(Math, { random: () => random().next() });
Object.assign(require("node:crypto"), { randomBytes, randomUUID: uuid, randomFillSync: fill });
Object.assign(require("node:crypto"), {
  randomFill: refused("a random number outside of the seed"),
  randomInt: refused("a random number outside of the seed"),
});
Object.defineProperty(globalThis.crypto, "getRandomValues", { value: fill });
Object.defineProperty(globalThis.crypto, "randomUUID", { value: uuid });
Object.assign(require("node:net").Socket.prototype, { connect: refused("a connection") });
Object.assign(require("node:net").Server.prototype, { listen: refused("a port") });
Object.assign(require("node:dgram"), { createSocket: refused("a datagram socket") });
Object.assign(require("node:worker_threads"), { Worker: SimulatedWorker, parentPort });
Object.assign(require("node:dns"), { lookup: refused("a name look-up") });
syncBuiltinESMExports();

/**
 * Loaded into a process by `node --import`, before anything of its own: the process's wall clock is off by as many milliseconds as the
 * file says that KEYVAULT_INJECTOR_TEST_CLOCK names, from each SIGUSR2 on. Monotonic time goes on, as when an administrator or a time
 * service sets the clock of a machine.
 */
import { readFileSync, writeFileSync } from "node:fs";

// oxlint-disable-next-line node/no-process-env -- a test's own way into a process whose settings know nothing of it.
const file = process.env["KEYVAULT_INJECTOR_TEST_CLOCK"] ?? "";
const Real = globalThis.Date;
const realNow = Real.now.bind(Real);
let offset = 0;

class SteppedDate extends Real {
  constructor(...given: readonly unknown[]) {
    // The overloads of Date cannot be spread.
    super(...((given.length === 0 ? [realNow() + offset] : given) as [number]));
  }

  static override now(): number {
    return realNow() + offset;
  }
}

globalThis.Date = SteppedDate as DateConstructor; // Called without `new` by nobody here.
process.on("SIGUSR2", () => {
  offset = Number(readFileSync(file, "utf8"));
  writeFileSync(`${file}.read`, new Date().toISOString());
});

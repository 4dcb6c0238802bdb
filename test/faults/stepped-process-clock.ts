/**
 * Loaded into a process with `node --import` before its own modules. At each SIGUSR2, it shifts the process's wall clock by the number of
 * milliseconds in the file that KEYVAULT_INJECTOR_TEST_CLOCK names. Monotonic time continues, as when an administrator or a time service
 * sets a machine's clock.
 */
import { readFileSync, writeFileSync } from "node:fs";

// oxlint-disable-next-line node/no-process-env -- a test's own way into a process whose settings know nothing of it.
const file = process.env["KEYVAULT_INJECTOR_TEST_CLOCK"] ?? "";
const Real = globalThis.Date;
const realNow = Real.now.bind(Real);
let offset = 0;

class SteppedDate extends Real {
  constructor(...given: readonly unknown[]) {
    // The overloads of Date do not accept a spread.
    super(...((given.length === 0 ? [realNow() + offset] : given) as [number]));
  }

  static override now(): number {
    return realNow() + offset;
  }
}

globalThis.Date = SteppedDate as DateConstructor; // No code here calls it without `new`.
process.on("SIGUSR2", () => {
  offset = Number(readFileSync(file, "utf8"));
  writeFileSync(`${file}.read`, new Date().toISOString());
});

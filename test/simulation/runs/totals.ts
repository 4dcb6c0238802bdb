import type { Summary } from "./job.ts";

/** Totals of many seeds. */
export class Totals {
  readonly #kinds = new Set<string>();
  hours = 0;
  faults = 0;
  overlapping = 0;
  seeds = 0;
  violations = 0;
  cpuSeconds = 0;

  add({ hours, faults, overlapping, kinds, violations, cpuSeconds }: Summary): void {
    this.hours += hours;
    this.faults += faults;
    this.overlapping += overlapping;
    this.seeds += 1;
    this.violations += violations;
    this.cpuSeconds += cpuSeconds;
    for (const kind of kinds) this.#kinds.add(kind);
  }

  /** Lines for people. */
  get text(): string {
    const share = this.faults === 0 ? 0 : (100 * this.overlapping) / this.faults;
    const minutes = this.faults === 0 ? 0 : (60 * this.hours) / this.faults;
    return [
      `${this.hours.toFixed(0)} simulated hours, ${this.faults} faults, ${this.seeds} seeds, ${this.violations} violations`,
      `${this.#kinds.size} kinds of faults, one each ${minutes.toFixed(1)} simulated minutes, ${share.toFixed(0)} % of them beside another`,
      `${(this.hours / this.cpuSeconds).toFixed(2)} simulated hours per CPU second`,
    ].join("\n");
  }
}

import type { Logger } from "../../../src/domain/ports/logger.ts";
import { activeScheduler, EPOCH, note } from "../time/context.ts";
import type { Machine } from "../time/machine.ts";

export interface Line {
  readonly at: number;
  readonly machine: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Returns one line of JSON, with only the message of each error. */
export function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields, (_, value: unknown) => (value instanceof Error ? value.message : value));
}

/** Keeps the last lines that the processes log. */
export class SimulationLog {
  readonly #most: number;
  readonly #lines: Line[] = [];
  readonly #listeners: ((line: Line) => void)[] = [];
  #errors = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  onLine(listener: (line: Line) => void): void {
    this.#listeners.push(listener);
  }

  get errors(): number {
    return this.#errors;
  }

  loggerOf(machine: Machine): Logger {
    return this.#logger(machine.name, {});
  }

  #logger(machine: string, fixed: Readonly<Record<string, unknown>>): Logger {
    const write =
      (level: Line["level"]) =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        note(`${machine} ${level} ${message} ${fieldsText({ ...fixed, ...fields })}`);
        if (level === "debug") return;
        if (level === "error") this.#errors += 1;
        const line: Line = { at: EPOCH + activeScheduler().now, machine, level, message, fields: { ...fixed, ...fields } };
        this.#lines.push(line);
        for (const listener of this.#listeners) listener(line);
        if (this.#lines.length > 2 * this.#most) this.#lines.splice(0, this.#most);
      };
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (fields) => this.#logger(machine, { ...fixed, ...fields }),
    };
  }
}

import type { Batch, Found } from "./batch.ts";
import { describe } from "./operation.ts";

const WIDTH = 1_500;

/** Describes a difference and the operations that lead to it. */
export function explain({ serial, setup, operations }: Batch, found: readonly Found[]): string {
  const [first] = found;
  if (first === undefined) return `${serial}: no difference`;
  const at = first.operation === undefined ? undefined : operations.indexOf(first.operation);
  const leading = at === undefined || at === -1 ? operations : operations.slice(0, at + 1);
  return [
    `${serial}: ${first.operation === undefined ? "at the end" : `at ${describe(first.operation)}`}`,
    ...found
      .slice(0, 8)
      .flatMap(({ kind, path, real, simulated }) => [
        `   ${kind} ${path}`,
        `      real      ${shown(real)}`,
        `      simulated ${shown(simulated)}`,
      ]),
    ...(first.answers === undefined
      ? []
      : [`   real      ${shown(first.answers.real.body)}`, `   simulated ${shown(first.answers.simulated.body)}`]),
    `   ${setup.length} operations to set up, then`,
    ...leading.map((operation) => `      ${describe(operation).slice(0, WIDTH)}`),
  ].join("\n");
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, WIDTH);
}

import type { Batch, BatchResult, Found } from "./batch.ts";
import { keyOf, type Operation } from "./operation.ts";

/** Runs a batch on both servers. */
export type Runner = (batch: Batch) => Promise<BatchResult>;

export interface Shrunk {
  readonly batch: Batch;
  readonly found: readonly Found[];
}

/** Maximum number of runs: more are not worth the time. */
const MOST_RUNS = 60;

/** Searches for fewer operations that lead to the same difference. */
export async function shrink(batch: Batch, found: readonly Found[], run: Runner): Promise<Shrunk> {
  const [first] = found;
  if (first === undefined || batch.isRepeatable === false) return { batch, found };
  const last = first.operation === undefined ? -1 : batch.operations.indexOf(first.operation);
  let best: Shrunk = { batch: last === -1 ? batch : { ...batch, operations: batch.operations.slice(0, last + 1) }, found };
  let runs = 0;
  const attempt = async (operations: readonly Operation[]): Promise<boolean> => {
    if (++runs > MOST_RUNS || operations.length === best.batch.operations.length) return false;
    const candidate = renamed({ ...batch, operations }, `${batch.serial}s${runs}`);
    const result = await run(candidate);
    if (!isSame(first, result.found[0])) return false;
    best = { batch: { ...batch, operations }, found: result.found };
    return true;
  };
  if (first.operation !== undefined) await attempt(ofSameObject(best.batch.operations, first.operation));
  for (let size = Math.ceil(best.batch.operations.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end, because late operations matter least. After the maximum number of runs, each attempt fails at once.
    for (let end = best.batch.operations.length; end > 0; end -= size) {
      const { operations } = best.batch;
      await attempt([...operations.slice(0, Math.max(0, end - size)), ...operations.slice(end)]);
    }
  }
  return best;
}

function ofSameObject(operations: readonly Operation[], of: Operation): readonly Operation[] {
  return operations.filter((operation) => keyOf(operation) === keyOf(of));
}

function isSame(wanted: Found, found: Found | undefined): boolean {
  return found !== undefined && found.kind === wanted.kind && withoutIndexes(found.path) === withoutIndexes(wanted.path);
}

function withoutIndexes(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "[]").replace(/^.*: /, "");
}

/** Returns the same batch with other namespaces and names. */
function renamed(batch: Batch, serial: string): Batch {
  return JSON.parse(JSON.stringify(batch).replaceAll(batch.serial, serial)) as Batch; // A batch contains only JSON values.
}

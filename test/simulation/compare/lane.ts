import type { ApiServerOptions } from "../api/interface.ts";
import { type Batch, type BatchResult, BatchRun, type Found } from "./batch.ts";
import { Correspondence } from "./correspondence.ts";
import { type Listed, listedBy } from "./listed.ts";
import { describe, type Operation } from "./operation.ts";
import { Choices } from "./random.ts";
import type { RealServer } from "./real.ts";
import { explain } from "./report.ts";
import { shrink } from "./shrink.ts";
import { SimulatedServer } from "./simulated.ts";
import type { VirtualSubject } from "./subject.ts";

/** Batches of one kind, which run one after the other. */
export interface Lane {
  readonly name: string;
  readonly batches: number;
  /** Whether names of the lane can exist only once: after a difference, the lane cannot start again. */
  readonly isUnique?: boolean;
  /** Maximum delay in milliseconds of actions that the real server takes by itself. Default: 1,000. */
  readonly lagMs?: number;
  /** Options of the simulated server. */
  readonly options: Partial<ApiServerOptions>;
  /** Returns the operations before the first batch. `group` is the API group of custom resources that no other lane uses. */
  setup(group: string): readonly Operation[];
  batch(index: number, group: string): Batch;
}

export interface Outcome {
  readonly compared: number;
  /** Number of differences that each row of the list explained. */
  readonly listed: ReadonlyMap<Listed, number>;
  readonly unexplained: readonly Unexplained[];
}

export interface Unexplained {
  readonly found: readonly Found[];
  /** The difference with the operations that lead to it. */
  readonly explanation: string;
}

export interface RunOptions {
  /** Returns the server to compare instead of the simulated one. */
  readonly wrap?: (server: SimulatedServer) => VirtualSubject;
  /** Number of batches with a difference after which the lane stops. Default: 3. */
  readonly mostDifferences?: number;
  /** Whether to search for fewer operations that lead to the same difference. Default: true. */
  readonly isShrunk?: boolean;
}

/** An unused simulated server, and its correspondence with the real one. */
interface Beginning {
  readonly simulated: VirtualSubject;
  readonly group: string;
  readonly pairs: Correspondence;
}

const asItIs = (server: SimulatedServer): VirtualSubject => server;

function described([first]: readonly Found[]): string {
  if (first === undefined) return "no difference";
  const { kind, path, operation } = first;
  return `a difference of ${kind} at ${path}, ${operation === undefined ? "at the end" : `by ${describe(operation).slice(0, 300)}`}`;
}

/** Runs lanes on one real server. */
export class Comparison {
  readonly #real: RealServer;
  readonly #log: (line: string) => void;
  readonly #prefix: string;
  readonly #listed = new Map<Listed, number>();
  readonly #unexplained: Unexplained[] = [];
  #compared = 0;
  #groups = 0;

  /** `prefix`: used in names, unlike that of any other comparison on the same server. */
  constructor(real: RealServer, { log, prefix }: { readonly log: (line: string) => void; readonly prefix: string }) {
    this.#real = real;
    this.#log = log;
    this.#prefix = prefix;
  }

  get outcome(): Outcome {
    return { compared: this.#compared, listed: this.#listed, unexplained: this.#unexplained };
  }

  async run(lane: Lane, { wrap = asItIs, mostDifferences = 3, isShrunk = true }: RunOptions = {}): Promise<void> {
    let ground = await this.#begin(lane, wrap);
    let different = 0;
    for (let index = 0; index < lane.batches; index++) {
      const batch = lane.batch(index, ground.group);
      const run = (candidate: Batch): Promise<BatchResult> => this.#batchRun(ground, lane).run(candidate);
      const result = await run(batch);
      this.#compared += result.compared;
      if (result.found.length === 0) continue;
      different++;
      this.#log(`${batch.serial}: ${described(result.found)}`);
      const shrunk = isShrunk ? await shrink(batch, result.found, run) : { batch, found: result.found };
      const explanation = explain(shrunk.batch, shrunk.found);
      this.#unexplained.push({ found: shrunk.found, explanation });
      this.#log(explanation);
      if (different === mostDifferences || lane.isUnique === true) return;
      // From here on the servers are no longer the same, so both start again.
      ground = await this.#begin(lane, wrap);
    }
  }

  async #begin(lane: Lane, wrap: (server: SimulatedServer) => VirtualSubject): Promise<Beginning> {
    const group = `${this.#prefix}${++this.#groups}-${lane.name}.sim.example`;
    const simulated = wrap(new SimulatedServer(new Choices(this.#groups).next, lane.options));
    const pairs = new Correspondence();
    const setup = lane.setup(group);
    if (setup.length > 0) {
      const { compared } = await this.#batchRun({ simulated, group, pairs }, lane).run({
        serial: group,
        setup,
        operations: [],
        watches: [],
        states: [],
      });
      this.#compared += compared;
    }
    return { simulated, group, pairs };
  }

  #batchRun({ simulated, pairs }: Beginning, { lagMs = 1_000 }: Lane): BatchRun {
    return new BatchRun({ real: this.#real, simulated }, pairs, (difference, at) => {
      const row = listedBy(difference, { ...at, lagMs });
      if (row !== undefined) this.#listed.set(row, (this.#listed.get(row) ?? 0) + 1);
      return row !== undefined;
    });
  }
}

import { INJECTOR_NAMESPACE } from "../e2e/support/install.ts";
import { writesOf } from "../support/worker/sync-world.ts";
import type { Sample, Series } from "./verdict.ts";
import type { SoakWorld } from "./world.ts";

const MIB = 2 ** 20;
const PORT = 9090;

/** Measurements of each process that lives from the beginning to the end, from its own metrics. */
const MEASURES = [
  { name: "RSS, MiB", of: sum("process_resident_memory_bytes", "", MIB), allowance: { part: 0.1, more: 12 } },
  { name: "heap in use, MiB", of: sum("nodejs_heap_size_used_bytes", "", MIB), allowance: { part: 0.2, more: 12 } },
  // A socket is a file descriptor. The number of other open files does not change.
  { name: "sockets and files", of: sum("process_open_fds"), allowance: { part: 0.2, more: 10 } },
  { name: "timers", of: sum("nodejs_active_resources", 'type="Timeout"'), allowance: { part: 0.2, more: 10 } },
  { name: "queue", of: sum("keyvault_injector_queue_depth"), allowance: { part: 0, more: 5 } },
] as const;

export type MeasureName = (typeof MEASURES)[number]["name"];

/** Sums the series of a metric that have the label. The result is in `unit`. */
function sum(metric: string, label = "", unit = 1): (text: string) => number {
  return (text) =>
    text
      .split("\n")
      .filter((line) => (line.startsWith(`${metric}{`) || line.startsWith(`${metric} `)) && line.includes(label))
      .reduce((total, line) => total + Number(line.split(" ").at(-1)), 0) / unit;
}

/** Memory and writes of the processes over time. */
export class Samples {
  readonly #world: SoakWorld;
  readonly #pods: readonly string[];
  readonly #taken = new Map<string, Sample[]>();
  readonly #texts: string[] = [];
  readonly #started = performance.now();
  #stormAt = Number.POSITIVE_INFINITY;
  #writesSeen: number;
  #writesAt = performance.now();

  constructor(world: SoakWorld, pods: readonly string[]) {
    this.#world = world;
    this.#pods = pods;
    this.#writesSeen = this.writes();
  }

  /** Sets the zero of the time axis to now. */
  beginStorm(): void {
    this.#stormAt = (performance.now() - this.#started) / 1_000;
    // Earlier samples get negative times.
    for (const samples of this.#taken.values()) {
      samples.splice(0, samples.length, ...samples.map(({ at, value }) => ({ at: at - this.#stormAt, value })));
    }
  }

  /** Takes one sample of each process. Skips a process that does not answer because its API server is unavailable. */
  async take(): Promise<void> {
    await Promise.all(this.#pods.map((name) => this.#look(name).catch(() => undefined)));
    const writes = this.writes();
    const minutes = (performance.now() - this.#writesAt) / 60_000;
    this.#add("API writes a minute", (writes - this.#writesSeen) / minutes);
    this.#writesSeen = writes;
    this.#writesAt = performance.now();
  }

  /** Number of the worker's writes so far, from the audit log, without the renewals of the Lease. */
  writes(): number {
    return writesOf(this.#world.audit()).length;
  }

  /** Text of all metrics so far, for the search for values. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  of(pod: string, measure: MeasureName): Series {
    const { allowance } = MEASURES.find(({ name }) => name === measure) ?? { allowance: { part: 0, more: 0 } };
    return {
      name: `${measure} of the ${pod.startsWith("keyvault-injector-sync") ? "worker" : "webhook"}`,
      samples: this.#taken.get(`${measure} ${pod}`) ?? [],
      allowance,
    };
  }

  /** The number of writes depends on the events, whose rate is constant apart from chance. */
  get written(): Series {
    return { name: "API writes a minute", samples: this.#taken.get("API writes a minute") ?? [], allowance: { part: 0.5, more: 30 } };
  }

  async #look(name: string): Promise<void> {
    const url = `/api/v1/namespaces/${INJECTOR_NAMESPACE}/pods/${name}:${PORT}/proxy/metrics`;
    const text = await this.#world.node.kubectl(["get", "--raw", url]);
    this.#texts.push(text);
    for (const measure of MEASURES) this.#add(`${measure.name} ${name}`, measure.of(text));
  }

  #add(key: string, value: number): void {
    const now = (performance.now() - this.#started) / 1_000;
    const at = Number.isFinite(this.#stormAt) ? now - this.#stormAt : now;
    this.#taken.set(key, [...(this.#taken.get(key) ?? []), { at, value }]);
  }
}

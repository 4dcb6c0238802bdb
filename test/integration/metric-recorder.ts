import { setTimeout as pause } from "node:timers/promises";

/** Series in promtool's format: the name with labels, and the samples. */
export type PromtoolSeries = Readonly<Record<string, string>>;

export interface ScrapeTarget {
  /** Value of the label `pod`. Undefined for a target that is not a pod. */
  readonly pod?: string;
  read(): Promise<string>;
}

/** Series that the recorder keeps of a target's metrics. */
const KEPT = /^((?:keyvault_injector|apiserver_admission_webhook_(?:fail_open|rejection))_\w+)(?:\{(.*)\})? (\S+)$/;

/** Takes the role of Prometheus: scrapes targets at regular intervals and records which targets are gone. */
export class MetricRecorder {
  /** Seconds between two scrapes. */
  readonly interval: number;
  readonly #targets = new Set<ScrapeTarget>();
  readonly #samples = new Map<string, Map<number, number>>();
  readonly #stop = new AbortController();
  readonly #began = Date.now() / 1_000;
  #scrapes = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(interval: number) {
    this.interval = interval;
  }

  get scrapes(): number {
    return this.#scrapes;
  }

  /** Scrapes the target from now on. The returned function ends this, as the end of a pod does. */
  add(target: ScrapeTarget): () => void {
    this.#targets.add(target);
    return () => this.#targets.delete(target);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Returns everything recorded, with the last samples repeated for this many scrapes. */
  recorded(repeated: number): PromtoolSeries {
    return this.#each((samples) => {
      const values = Array.from({ length: this.#scrapes }, (_, index) => {
        const value = samples.get(index);
        if (value !== undefined) return String(value);
        return samples.has(index - 1) ? "stale" : "_";
      });
      const last = samples.get(this.#scrapes - 1);
      return `${values.join(" ")} ${last === undefined ? `_x${repeated}` : `${last}x${repeated}`}`;
    });
  }

  /** Returns only the last samples, repeated this many times. */
  atTheEnd(times: number): PromtoolSeries {
    const last = this.#scrapes - 1;
    const all = this.#each((samples) => (samples.has(last) ? `${samples.get(last)}x${times}` : ""));
    return Object.fromEntries(Object.entries(all).filter(([, values]) => values !== ""));
  }

  #each(values: (samples: ReadonlyMap<number, number>) => string): PromtoolSeries {
    return Object.fromEntries([...this.#samples].map(([series, samples]) => [series, values(samples)]));
  }

  async #run(): Promise<void> {
    for (let next = performance.now(); !this.#stop.signal.aborted; next += this.interval * 1_000) {
      await Promise.all([...this.#targets].map((target) => this.#scrape(target, this.#scrapes)));
      this.#scrapes += 1;
      await pause(Math.max(0, next + this.interval * 1_000 - performance.now()), undefined, { signal: this.#stop.signal }).catch(
        () => undefined,
      );
    }
  }

  async #scrape(target: ScrapeTarget, index: number): Promise<void> {
    // A target that does not answer has no samples, as with Prometheus.
    const text = await target.read().catch(() => "");
    for (const line of text.split("\n")) {
      const [, name, labels = "", value] = KEPT.exec(line) ?? [];
      if (name === undefined) continue;
      const own = target.pod === undefined ? labels : [labels, `pod="${target.pod}"`].filter((part) => part !== "").join(",");
      const series = `${name}{${own}}`;
      const samples = this.#samples.get(series) ?? new Map<number, number>();
      samples.set(index, this.#sinceTheBeginning(name, Number(value)));
      this.#samples.set(series, samples);
    }
  }

  /** Converts to promtool's time, which starts at 0. */
  #sinceTheBeginning(name: string, value: number): number {
    return /_(not_after|expiry)_seconds$/.test(name) ? value - this.#began : value;
  }
}

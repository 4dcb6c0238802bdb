import { percentile } from "../webhook/load.ts";

export interface Figures {
  readonly name: string;
  readonly concurrency: number;
  /** Duration of every creation in milliseconds. */
  readonly times: readonly number[];
  /** Median of each round, in milliseconds. */
  readonly rounds: readonly number[];
  /** Milliseconds of CPU for each pod: of the API server, and of the webhook. */
  readonly api: number;
  readonly ours: number;
  /** Number of pods that were not injected in time, so the final check rejected them. */
  readonly refused: number;
}

const cell = (text: string): string => text.padStart(10);

/** Prints all figures. Returns false if a target is missed. */
export function print(figures: readonly Figures[]): boolean {
  console.log(`${"at a time, way".padEnd(28)}${["p50 ms", "p95 ms", "p99 ms", "API CPU", "own CPU", "refused"].map(cell).join("")}`);
  for (const { name, concurrency, times, api, ours, refused } of figures) {
    const sorted = times.toSorted((a, b) => a - b);
    const cells = [0.5, 0.95, 0.99].map((share) => percentile(sorted, share).toFixed(1));
    console.log(`${`${concurrency} ${name}`.padEnd(28)}${[...cells, api.toFixed(2), ours.toFixed(2), String(refused)].map(cell).join("")}`);
  }
  const concurrencies = [...new Set(figures.map(({ concurrency }) => concurrency))];
  return concurrencies.map((concurrency) => judge(figures, concurrency)).every(Boolean);
}

function judge(figures: readonly Figures[], concurrency: number): boolean {
  const medianOf = (name: string): number => {
    const found = figures.find((each) => each.name === name && each.concurrency === concurrency);
    return percentile(
      (found?.times ?? []).toSorted((a, b) => a - b),
      0.5,
    );
  };
  const [plain, policy, webhook] = [medianOf("plain"), medianOf("policy"), medianOf("webhook")];
  const over = (value: number): string => `${((value / plain - 1) * 100).toFixed(0)} %`;
  const spread = Math.abs(medianOf("plain again") / plain - 1) * 100;
  console.log(`\n${concurrency} at a time: plain against plain ${spread.toFixed(1)} %`);
  const targets: readonly (readonly [text: string, met: boolean])[] = [
    [`policy below webhook: ${policy.toFixed(1)} and ${webhook.toFixed(1)} ms`, policy < webhook],
    [`policy at most 60 % over plain: ${over(policy)}`, policy <= plain * 1.6],
    [`webhook at most 75 % over plain: ${over(webhook)}`, webhook <= plain * 1.75],
    ...["policy", "webhook"].map((mode): readonly [string, boolean] => unasked(figures, concurrency, mode)),
  ];
  for (const [text, met] of targets) console.log(`  ${text}: ${met ? "met" : "missed"}`);
  return targets.every(([, met]) => met);
}

/** Compares a pod without our annotations with a cluster without our product. Uses the medians of the rounds and their 95 % interval. */
function unasked(figures: readonly Figures[], concurrency: number, mode: string): readonly [string, boolean] {
  const roundsOf = (name: string) => figures.find((each) => each.name === name && each.concurrency === concurrency)?.rounds ?? [];
  const plain = roundsOf("plain");
  const ratios = roundsOf(`${mode}, plain pod`).map((value, round) => value / (plain[round] ?? Number.NaN) - 1);
  const mean = ratios.reduce((sum, each) => sum + each, 0) / ratios.length;
  const deviation = Math.sqrt(ratios.reduce((sum, each) => sum + (each - mean) ** 2, 0) / Math.max(1, ratios.length - 1));
  const half = (1.96 * deviation) / Math.sqrt(ratios.length);
  const [low, high] = [(mean - half) * 100, (mean + half) * 100];
  const text = `a pod without our annotations, ${mode}: ${low.toFixed(1)} to ${high.toFixed(1)} %, within 2 %`;
  return [text, low <= 2 && high >= -2 && Math.max(Math.abs(low), Math.abs(high)) <= 2];
}

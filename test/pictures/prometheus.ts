/** A real Prometheus that scrapes our processes. */
import { spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { builtProgram } from "../e2e/support/binaries.ts";
import { freePort, type ProductProcess } from "../support/cluster/product.ts";
import { startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";

/** Seconds between two scrapes. */
const SCRAPE_INTERVAL = 5;

export interface PrometheusSeries {
  readonly metric: Readonly<Record<string, string>>;
  /** Each with its time in seconds since 1970, and its value as text: `NaN` and `+Inf` are possible. */
  readonly values: readonly (readonly [time: number, value: string])[];
}

export interface Range {
  /** Seconds since 1970. */
  readonly from: number;
  readonly to: number;
}

export interface Prometheus {
  /** Scrapes the process from now on as the pod of this name. */
  add(pod: string, process: ProductProcess): void;
  queryRange(query: string, range: Range): Promise<readonly PrometheusSeries[]>;
  stop(): Promise<void>;
}

export async function startPrometheus(): Promise<Prometheus> {
  const folder = mkdtempSync(path.join(tmpdir(), "prometheus-"));
  const targets: unknown[] = [];
  const targetsFile = path.join(folder, "targets.json");
  const configFile = path.join(folder, "prometheus.yml");
  const job = { job_name: "keyvault-injector", file_sd_configs: [{ files: [targetsFile], refresh_interval: "1s" }] };
  const writeTargets = (): void => {
    // Prometheus watches the file, and must not read half of it.
    writeFileSync(`${targetsFile}.new`, JSON.stringify(targets));
    renameSync(`${targetsFile}.new`, targetsFile);
  };
  writeTargets();
  writeFileSync(
    configFile,
    JSON.stringify({ global: { scrape_interval: `${SCRAPE_INTERVAL}s`, scrape_timeout: "4s" }, scrape_configs: [job] }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  const args = [
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${path.join(folder, "data")}`,
    `--web.listen-address=${address}`,
    "--log.level=error",
  ];
  const running = startProcess(spawn(await builtProgram("prometheus"), args, { stdio: ["ignore", "ignore", "inherit"] }), "prometheus");
  await eventually(async () => (await fetch(`http://${address}/-/ready`).catch(() => undefined))?.status === 200, {
    what: "Prometheus",
    within: 30_000,
  });
  return {
    add: (pod, process) => {
      targets.push({ targets: [new URL(process.healthUrl).host], labels: { pod, cluster: "production" } });
      writeTargets();
    },
    queryRange: async (query, { from, to }) => {
      const body = new URLSearchParams({ query, start: String(from), end: String(to), step: String(SCRAPE_INTERVAL) });
      const answer = await fetch(`http://${address}/api/v1/query_range`, { method: "POST", body });
      if (answer.status !== 200) throw new Error(`Prometheus: ${query}: ${answer.status} ${await answer.text()}`);
      const { data } = (await answer.json()) as { readonly data: { readonly result: readonly PrometheusSeries[] } };
      return data.result;
    },
    stop: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

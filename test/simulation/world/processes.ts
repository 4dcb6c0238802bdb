/** The processes of a world. The API server knows each by its own account. */
// The worker imports this module when it needs to read a queue. Loading it now saves a turn of the real event loop then.
import "../../../src/azure/event-queues.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Config, parseConfig } from "../../../src/runtime/config.ts";
import { runProcess } from "../../../src/sync/compose.ts";
import { type RunProcess, SimulatedProcess } from "../machines/process.ts";
import { EPOCH } from "../time/context.ts";
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Cluster } from "./cluster.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { SimulationLog } from "./log.ts";
import type { Pace } from "./pace.ts";

export interface ProcessesOptions {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly log: SimulationLog;
  readonly pace: Pace;
}

export interface WantedProcess {
  readonly name: string;
  readonly user: string;
  readonly onEnd: (name: string, why: string) => void;
}

/** Settings of a worker, in addition to those of its account. */
export interface WorkerSettings {
  readonly unusedGraceMs: number;
  readonly isBlind?: boolean;
  /** Returns more flags; called at each start. */
  readonly flags?: () => readonly string[];
  /** Item of `--event-queues`. */
  readonly eventQueue?: string | undefined;
  /** Default: namespace of the install. */
  readonly namespace?: string;
}

export class Processes {
  readonly #options: ProcessesOptions;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "simulation-"));
  readonly #all: SimulatedProcess[] = [];

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  worker(wanted: WantedProcess, { unusedGraceMs, isBlind = false, eventQueue, namespace, flags }: WorkerSettings): SimulatedProcess {
    const settings = [
      "--rotation-poll-interval=5m",
      ...this.#options.pace.flags,
      `--unused-grace=${unusedGraceMs}ms`,
      ...(isBlind ? ["--secret-access=blind", "--heal-node-side=false"] : []),
      ...(eventQueue === undefined ? [] : [`--event-queues=${eventQueue}`]),
      ...(namespace === undefined ? [] : [`--namespace=${namespace}`]),
    ];
    return this.start(wanted, runProcess, () => [...settings, ...(flags?.() ?? [])]);
  }

  start({ name, user, onEnd }: WantedProcess, run: RunProcess, settings: () => readonly string[] = () => []): SimulatedProcess {
    const { cluster, scheduler, random, log, pace } = this.#options;
    const kubeconfig = writeKubeconfig(this.#folder, name, cluster.tokenFor(user));
    const config = (podName: string): Config => {
      const parsed = parseConfig([`--kubeconfig=${kubeconfig}`, `--pod-name=${podName}`, ...settings()], {});
      if (!parsed.ok) throw new Error(parsed.error.join("; "));
      return parsed.value;
    };
    const started = new SimulatedProcess({
      name,
      run,
      config,
      logger: (machine) => log.loggerOf(machine),
      lease: pace.lease,
      probeEveryMs: pace.probeEveryMs,
      scheduler,
      random: random.fork(name),
      epoch: EPOCH,
      onEnd,
    });
    this.#all.push(started);
    started.start();
    return started;
  }

  end(): void {
    for (const each of this.#all) each.retire();
    rmSync(this.#folder, { recursive: true });
  }
}

/** A webhook or worker process on a machine of its own. The simulated kubelet probes it and restarts it. */

import type { Logger } from "../../../src/domain/ports/logger.ts";
import type { LeaseTiming } from "../../../src/kube/lease-options.ts";
import type { Config } from "../../../src/runtime/config.ts";
import { type Probed, probe } from "../network/https-request.ts";
import { onMachine } from "../time/context.ts";
import { Machine } from "../time/machine.ts";
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";

/** `runProcess` of the webhook or the worker. */
export type RunProcess = (
  options: { readonly config: Config; readonly logger: Logger; readonly version: string; readonly lease: LeaseTiming | undefined },
  signal: AbortSignal,
) => Promise<void>;

export interface ProcessOptions {
  /** Name of the pod, which a restart does not change. */
  readonly name: string;
  readonly run: RunProcess;
  readonly config: (podName: string) => Config;
  readonly logger: (machine: Machine) => Logger;
  readonly lease: LeaseTiming | undefined;
  /** Milliseconds between two probes of the kubelet. */
  readonly probeEveryMs: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly epoch: number;
  /** Called when a process ends, with the reason. */
  readonly onEnd: (name: string, why: string) => void;
}

/** As in the manifests. */
const PROBE_TIMEOUT_MS = 1_000;
const FAILURES = 3;
const GRACE_MS = 30_000;

/**
 * The kubelet restarts a container after ten seconds, and doubles this time after each further end, up to five minutes. If the container
 * ran for more than ten minutes, the kubelet restarts it after one second.
 */
const BACKOFF = { firstMs: 10_000, longestMs: 300_000, forgottenAfterMs: 600_000 };

export class SimulatedProcess {
  readonly name: string;
  readonly #options: ProcessOptions;
  #machine: Machine | undefined;
  #stop = new AbortController();
  #boots = 0;
  #failures = 0;
  #startedAt = 0;
  #backoffMs = 0;
  #isWanted = true;

  constructor(options: ProcessOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Machine of the running process; undefined between two starts. */
  get machine(): Machine | undefined {
    return this.#machine;
  }

  get boots(): number {
    return this.#boots;
  }

  start(): void {
    const { scheduler, random, epoch, run, config, logger, lease } = this.#options;
    this.#boots += 1;
    this.#startedAt = scheduler.now;
    this.#failures = 0;
    this.#stop = new AbortController();
    const machine = new Machine(`${this.name}/${this.#boots}`, { scheduler, random: random.fork(`${this.name}/${this.#boots}`), epoch });
    this.#machine = machine;
    const { signal } = this.#stop;
    const ended = (why: string): void => {
      // The old machine's sockets and timers end with it.
      if (this.#machine === machine) this.#ended(why);
    };
    onMachine(machine, () => {
      const running = run({ config: config(this.name), logger: logger(machine), version: "simulated", lease }, signal);
      running.then(
        () => ended("stopped"),
        (error: unknown) => ended(error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
      );
    });
    this.#probeLater(machine);
  }

  /** Sends SIGTERM. If the process does not end within the grace period, it is killed. */
  terminate(): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    onMachine(machine, () => this.#stop.abort(new Error("stopped by SIGTERM")));
    this.#options.scheduler.schedule(GRACE_MS, () => {
      if (this.#machine === machine) this.kill("killed after its grace");
    });
  }

  /** Sends SIGKILL. The process does nothing more, but requests that have left it still arrive. */
  kill(why = "killed"): void {
    this.#ended(why);
  }

  /** Kills the process, and does not restart it. */
  retire(): void {
    this.#isWanted = false;
    this.kill("retired");
  }

  #ended(why: string): void {
    const { scheduler, onEnd, name } = this.#options;
    this.#machine?.kill();
    this.#machine = undefined;
    onEnd(name, why);
    if (!this.#isWanted) return;
    const ran = scheduler.now - this.#startedAt;
    this.#backoffMs = ran > BACKOFF.forgottenAfterMs ? 0 : Math.min(Math.max(this.#backoffMs * 2, BACKOFF.firstMs), BACKOFF.longestMs);
    scheduler.schedule(this.#backoffMs === 0 ? 1_000 : this.#backoffMs, () => {
      if (this.#isWanted && this.#machine === undefined) this.start();
    });
  }

  #probeLater(machine: Machine): void {
    this.#options.scheduler.schedule(this.#options.probeEveryMs, () => this.#probe(machine));
  }

  /** Probes the process. A process that stands still does not answer. */
  #probe(machine: Machine): void {
    if (this.#machine !== machine) return;
    const { scheduler } = this.#options;
    const stands = machine.stoppedUntil > scheduler.now + 1_000;
    let answer: Probed | undefined;
    const note = (given: Probed): void => {
      answer = given;
    };
    if (!stands) onMachine(machine, () => probe(machine, "/livez", note));
    scheduler.schedule(PROBE_TIMEOUT_MS, () => {
      if (this.#machine === machine) this.#judge(machine, answer);
    });
  }

  #judge(machine: Machine, answer: Probed | undefined): void {
    this.#failures = answer?.status === 200 ? 0 : this.#failures + 1;
    if (this.#failures < FAILURES) this.#probeLater(machine);
    else this.kill(`not alive: ${answer?.text.trim() ?? "no answer"}`);
  }
}

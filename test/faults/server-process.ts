import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { type RunningProcess, startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";

/** A server that the test control plane started, found among the kernel's processes, which a test can kill, stop and restart unchanged. */
export class ServerProcess {
  readonly name: string;
  readonly #command: readonly string[];
  #pid: number;
  #own: RunningProcess | undefined;

  /** Finds the process by the program's name and a text in its command line. */
  constructor(name: string, having: string) {
    const found = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .map((entry) => ({ pid: Number(entry), command: commandOf(Number(entry)) }))
      .find(({ command }) => command[0]?.endsWith(`/${name}`) === true && command.some((part) => part.includes(having)));
    if (found === undefined) throw new Error(`no process of ${name} with ${having}`);
    this.name = name;
    this.#pid = found.pid;
    this.#command = found.command;
  }

  /** State letter of the kernel: `T` is stopped, `Z` has ended. Undefined if the process does not exist. */
  get state(): string | undefined {
    try {
      return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${this.#pid}/status`, "utf8"))?.[1];
    } catch {
      return undefined;
    }
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.#pid, name);
  }

  /** Sends SIGKILL. Resolves when the process has ended. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await eventually(() => this.state === undefined || this.state === "Z", { what: `the end of ${this.name}` });
  }

  /** Runs the same command with the same data and ports. Resolves when it is ready. */
  async start(isReady: () => Promise<boolean>): Promise<void> {
    const attempt = async (): Promise<boolean> => {
      // Another connection may have taken the port while no process listened on it.
      if (this.#own === undefined || this.#own.child.exitCode !== null || this.#own.child.signalCode !== null) this.#spawn();
      return isReady();
    };
    await eventually(attempt, { within: 60_000, every: 200, what: `the return of ${this.name}` });
  }

  #spawn(): void {
    const [program = "", ...args] = this.#command;
    const child = spawn(program, args, { stdio: "ignore", env: { PATH: "" } });
    this.#own = startProcess(child, this.name);
    this.#pid = child.pid ?? 0;
  }

  /** Stops the process if this object started it. */
  async stop(): Promise<void> {
    await this.#own?.stop();
  }
}

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { type RunningProcess, startProcess } from "../support/processes/process.ts";
import { eventually } from "../support/time/eventually.ts";

/** A server that the test control plane started, as the kernel knows it: to be killed, stopped and started again as it was. */
export class ServerProcess {
  readonly name: string;
  readonly #command: readonly string[];
  #pid: number;
  #own: RunningProcess | undefined;

  /** The one whose command line has the program's name and the text. */
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

  /** The kernel's letter: `T` is stopped, `Z` ended; undefined where there is none. */
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

  /** SIGKILL; resolves when the process is no more. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await eventually(() => this.state === undefined || this.state === "Z", { what: `the end of ${this.name}` });
  }

  /** The same command again, with the same data and ports. Resolves when it is ready. */
  async start(isReady: () => Promise<boolean>): Promise<void> {
    const attempt = async (): Promise<boolean> => {
      // While nobody listened there, a connection of somebody else may have taken the port.
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

  /** Of what this started itself. */
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

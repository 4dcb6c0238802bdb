import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { baseEnvironment } from "./base-environment.ts";
import { startProcess } from "./process.ts";

/** A process that answers each line of JSON with one. */
export interface LineProcess<Asked, Answered> {
  /** Answers come in the order of the questions, which may be asked before the last one is answered. */
  ask(asked: Asked): Promise<Answered>;
  /** All it has written to stderr. */
  stderr(): string;
  /** Ends its input and waits for its end. */
  stop(): Promise<void>;
}

export interface LineProcessOptions<Asked> {
  readonly command: string;
  readonly args?: readonly string[];
  /** All of its environment but PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** An answer that takes longer ends the process (milliseconds). */
  readonly within?: number;
  /** Of a question, with the line's end; JSON where not given. */
  readonly toLine?: (asked: Asked) => string;
}

const WITHIN_MS = 30_000;

export function startLineProcess<Asked, Answered>(options: LineProcessOptions<Asked>): LineProcess<Asked, Answered> {
  const { command, args = [], environment = {}, within = WITHIN_MS, toLine = (asked) => `${JSON.stringify(asked)}\n` } = options;
  const child = spawn(command, args, { stdio: "pipe", env: { ...baseEnvironment(), ...environment } });
  const running = startProcess(child, command);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  let last: Promise<unknown> = Promise.resolve();

  async function exchange(asked: Asked): Promise<Answered> {
    const timer = setTimeout(() => child.kill("SIGKILL"), within);
    child.stdin.write(toLine(asked));
    const { value, done } = await lines.next();
    clearTimeout(timer);
    if (done === true) throw new Error(`the process ended with code ${await running.exited}, or did not answer in time\n${stderr}`);
    // Written by the process that the test has started.
    return JSON.parse(value) as Answered;
  }

  return {
    ask: (asked) => {
      const answer = last.then(() => exchange(asked));
      last = answer.catch(() => undefined);
      return answer;
    },
    stderr: () => stderr,
    stop: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), within);
      await running.exited;
      clearTimeout(timer);
    },
  };
}

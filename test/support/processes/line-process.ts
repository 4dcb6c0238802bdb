import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { baseEnvironment } from "./base-environment.ts";
import { startProcess } from "./process.ts";

/** A process that answers each line of JSON with one line. */
export interface LineProcess<Asked, Answered> {
  /** Answers have the order of the questions. The caller need not wait for an answer before the next question. */
  ask(asked: Asked): Promise<Answered>;
  /** Returns all text that it has written to stderr. */
  stderr(): string;
  /** Closes its input, and waits for its end. */
  stop(): Promise<void>;
}

export interface LineProcessOptions<Asked> {
  readonly command: string;
  readonly args?: readonly string[];
  /** Its environment in addition to the base environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Time limit in milliseconds for an answer. The process ends if it takes longer. */
  readonly within?: number;
  /** Text of a question, including the line's end. JSON by default. */
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
    // The started process writes this form.
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

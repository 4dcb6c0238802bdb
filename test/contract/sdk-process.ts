import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { type SdkAnswer, type SdkCommand, toLine } from "./sdk-protocol.ts";

export interface SdkProcess {
  /** One command at a time, in order. */
  send(command: SdkCommand): Promise<SdkAnswer>;
  stop(): Promise<void>;
}

const ANSWER_WITHIN_MS = 20_000;

/** Starts `sdk-child.ts` with these variables on top of a cleaned environment. */
export function startSdkProcess(variables: Readonly<Record<string, string>>): SdkProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./sdk-child.ts", import.meta.url))], {
    env: { PATH: process.env.PATH, ...variables },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  let last: Promise<unknown> = Promise.resolve();
  const exchange = async (command: SdkCommand): Promise<SdkAnswer> => {
    const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_WITHIN_MS);
    child.stdin.write(toLine(command));
    const line = await lines.next();
    clearTimeout(timer);
    if (line.done === true) throw new Error(`the SDK process ended or did not answer within ${ANSWER_WITHIN_MS} ms`);
    // Written by sdk-child.ts.
    return JSON.parse(line.value) as SdkAnswer;
  };
  return {
    send: (command) => {
      const answer = last.then(() => exchange(command));
      last = answer.catch(() => undefined);
      return answer;
    },
    stop: () => {
      child.stdin.end();
      return exited;
    },
  };
}

/** Calls the process of our side from the test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { baseEnvironment } from "../../support/processes/base-environment.ts";
import type { Outcome } from "./listed-rows.ts";
import type { OurQuestion } from "./our-process.ts";

const PROCESS = fileURLToPath(new URL("./our-process.ts", import.meta.url));

export interface OurSide {
  ask(question: OurQuestion): Promise<Outcome>;
  stop(): Promise<void>;
}

export function startOurSide(environment: Readonly<Record<string, string>>): OurSide {
  const child = spawn(process.execPath, [PROCESS], {
    env: { ...baseEnvironment(), ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting = new Map<number, (outcome: Outcome) => void>();
  let asked = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    // The process above writes it.
    const { number, outcome } = JSON.parse(line) as { number: number; outcome: Outcome };
    waiting.get(number)?.(outcome);
    waiting.delete(number);
  });
  child.once("exit", () => {
    for (const resolve of waiting.values()) resolve({ kind: "refused", message: "our process ended" });
  });
  return {
    ask: (question) =>
      new Promise((resolve) => {
        asked += 1;
        waiting.set(asked, resolve);
        child.stdin.write(`${JSON.stringify({ number: asked, question })}\n`);
      }),
    stop: async () => {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

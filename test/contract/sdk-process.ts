import { fileURLToPath } from "node:url";
import { type LineProcess, startLineProcess } from "../support/processes/line-process.ts";
import { type SdkAnswer, type SdkCommand, toLine } from "./sdk-protocol.ts";

export type SdkProcess = LineProcess<SdkCommand, SdkAnswer>;

const ANSWER_WITHIN_MS = 20_000;

/** Starts `sdk-child.ts` with these variables in addition to a minimal environment. */
export function startSdkProcess(environment: Readonly<Record<string, string>>): SdkProcess {
  const args = [fileURLToPath(new URL("./sdk-child.ts", import.meta.url))];
  return startLineProcess({ command: process.execPath, args, environment, within: ANSWER_WITHIN_MS, toLine });
}

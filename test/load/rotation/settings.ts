import path from "node:path";
import { parseArgs } from "node:util";

const CONTESTANTS = ["worker", "operator"] as const;
/** The worker with push and without, and External Secrets Operator at both of its intervals. */
export type Contestant = (typeof CONTESTANTS)[number];

export interface Settings {
  readonly secrets: number;
  readonly rotations: number;
  /** Rotations per second. */
  readonly rate: number;
  /** Selects the objects to rotate. */
  readonly seed: number;
  /** Seconds without any rotation, in which transactions at rest are counted. */
  readonly restSeconds: number;
  /** Seconds after the last rotation for which External Secrets is watched at its default interval. */
  readonly watchSeconds: number;
  /** The longest wait for one thing, in milliseconds. */
  readonly patienceMs: number;
  readonly contestants: readonly Contestant[];
  /** Folder for profiles and the programs' output. */
  readonly keep: string | undefined;
}

export function readSettings(args?: readonly string[]): Settings {
  const { values } = parseArgs({
    ...(args === undefined ? {} : { args: [...args] }),
    options: {
      secrets: { type: "string", default: "10000" },
      rotations: { type: "string", default: "1000" },
      rate: { type: "string", default: "10" },
      seed: { type: "string", default: "1" },
      rest: { type: "string", default: "60" },
      watch: { type: "string", default: "200" },
      patience: { type: "string", default: "900" },
      only: { type: "string" },
      keep: { type: "string" },
    },
  });
  const settings = {
    secrets: wholeNumber("secrets", values.secrets),
    rotations: wholeNumber("rotations", values.rotations),
    rate: positive("rate", values.rate),
    seed: wholeNumber("seed", values.seed),
    restSeconds: wholeNumber("rest", values.rest),
    watchSeconds: wholeNumber("watch", values.watch),
    patienceMs: wholeNumber("patience", values.patience) * 1_000,
    contestants: values.only === undefined ? CONTESTANTS : [contestant(values.only)],
    keep: values.keep === undefined ? undefined : path.resolve(values.keep),
  };
  if (settings.rotations > settings.secrets)
    throw new Error(`--rotations ${settings.rotations}: each object is rotated once; write at most --secrets, ${settings.secrets}`);
  return settings;
}

function contestant(name: string): Contestant {
  const found = CONTESTANTS.find((one) => one === name);
  if (found === undefined) throw new Error(`--only ${name}: write one of ${CONTESTANTS.join(", ")}`);
  return found;
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} ${text}: write a whole number above 0`);
  return value;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} ${text}: write a number above 0`);
  return value;
}

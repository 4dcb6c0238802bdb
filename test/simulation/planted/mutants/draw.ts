/** Mutants of the worker's code, created by Stryker's operators, in an order that a seed determines. */

import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInstrumenter } from "@stryker-mutator/instrumenter";
import { createInjector } from "typed-inject";
import { ROOT } from "../workspace.ts";

/** Mutators of texts and patterns. Texts are for people, but the simulation judges the worker's actions. */
const EXCLUDED = ["StringLiteral", "Regex"];

const FOLDERS = ["src/sync", "src/kube", "src/azure"];

const SEED = 15;

export interface Mutant {
  /** Id by the instrumenter. It changes with each change of the sources. */
  readonly id: string;
  /** Path from the root of the checkout. */
  readonly file: string;
  readonly line: number;
  readonly operator: string;
  readonly from: string;
  readonly to: string;
  /** Position of `from` in the file. */
  readonly offset: number;
}

export interface Drawn {
  readonly mutants: readonly Mutant[];
  /** Sources that contain all mutants, each switched off, and that count how often the code of each runs. */
  readonly instrumented: readonly { readonly file: string; readonly content: string }[];
}

function silent(): void {
  // The result contains everything that the instrumenter logs.
}

const logger = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  fatal: silent,
};

/** Returns the position. The instrumenter counts lines from 0. */
function offsetOf(text: string, { line, column }: { readonly line: number; readonly column: number }): number {
  const before = text.split("\n").slice(0, line);
  return before.reduce((sum, each) => sum + each.length + 1, column);
}

export async function drawMutants(): Promise<Drawn> {
  const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: ROOT })).sort();
  const texts = new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), "utf8")]));
  const injector = createInjector()
    .provideValue("logger", logger)
    .provideValue("getLogger", () => logger)
    .provideValue("options", {});
  // The instrumenter can get anything from its framework, but uses only these two values.
  const instrumenter = injector.injectFunction(createInstrumenter);
  const { files: made, mutants } = await instrumenter.instrument(
    [...texts].map(([name, content]) => ({ name, content, mutate: true })),
    { plugins: null, excludedMutations: EXCLUDED, ignorers: [] },
  );
  const all = mutants.flatMap((mutant): Mutant[] => {
    const { id, fileName: file, location, mutatorName: operator, replacement: to } = mutant;
    const text = texts.get(file);
    if (text === undefined || mutant.status !== undefined) return [];
    const offset = offsetOf(text, location.start);
    const from = text.slice(offset, offsetOf(text, location.end));
    return [{ id, file, line: location.start.line + 1, operator, from, to, offset }];
  });
  return { mutants: inDrawnOrder(all), instrumented: made.map(({ name, content }) => ({ file: name, content })) };
}

/** Sorts the mutants by a hash of their content, so that a change of other code does not change their order. */
function inDrawnOrder(mutants: readonly Mutant[]): readonly Mutant[] {
  const seen = new Map<string, number>();
  const placed = mutants.map((mutant) => {
    const what = JSON.stringify([mutant.file, mutant.operator, mutant.from, mutant.to]);
    const before = seen.get(what) ?? 0;
    seen.set(what, before + 1);
    return { mutant, place: createHash("sha256").update(`${SEED} ${before} ${what}`).digest("hex") };
  });
  return placed.sort((a, b) => (a.place < b.place ? -1 : 1)).map(({ mutant }) => mutant);
}

/** Returns the file's text with the mutant. Throws if the file is not the one from which the mutant was drawn. */
export function mutated(text: string, { file, line, from, to, offset }: Mutant): string {
  if (!text.startsWith(from, offset)) throw new Error(`${file}:${line} has changed since the mutants were drawn`);
  return text.slice(0, offset) + to + text.slice(offset + from.length);
}

/** Returns one line of text. */
export function describeMutant({ file, line, operator, from, to }: Mutant): string {
  const short = (code: string): string => {
    const one = code.replaceAll(/\s+/g, " ");
    return one.length <= 70 ? one : `${one.slice(0, 67)}...`;
  };
  return `${file}:${line} ${operator}: ${short(from)} -> ${short(to)}`;
}

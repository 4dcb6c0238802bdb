/** Mutants of the worker's own code, by the operators of Stryker, in an order that a seed decides. */

import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInstrumenter } from "@stryker-mutator/instrumenter";
import { createInjector } from "typed-inject";
import { ROOT } from "../workspace.ts";

/** Text and patterns of it are what people read: the simulation judges what is done. */
const EXCLUDED = ["StringLiteral", "Regex"];

const FOLDERS = ["src/sync", "src/kube", "src/azure"];

const SEED = 15;

export interface Mutant {
  /** Of the instrumenter; another one after each change of the sources. */
  readonly id: string;
  /** From the root of the checkout. */
  readonly file: string;
  readonly line: number;
  readonly operator: string;
  readonly from: string;
  readonly to: string;
  /** Of `from` in the file. */
  readonly offset: number;
}

export interface Drawn {
  readonly mutants: readonly Mutant[];
  /** The sources with all mutants in them, each off, which count how often each is come by. */
  readonly instrumented: readonly { readonly file: string; readonly content: string }[];
}

function silent(): void {
  // What the instrumenter tells is told by its result.
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

/** Lines from 0, as the instrumenter has them. */
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
  // The instrumenter asks for what its framework has; these two are all that it uses.
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

/** By what each of them is: where other code changes, each keeps its place among the rest. */
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

/** The file's text with the mutant in it. Throws where the file is another one than it was drawn from. */
export function mutated(text: string, { file, line, from, to, offset }: Mutant): string {
  if (!text.startsWith(from, offset)) throw new Error(`${file}:${line} has changed since the mutants were drawn`);
  return text.slice(0, offset) + to + text.slice(offset + from.length);
}

/** One line of text. */
export function describeMutant({ file, line, operator, from, to }: Mutant): string {
  const short = (code: string): string => {
    const one = code.replaceAll(/\s+/g, " ");
    return one.length <= 70 ? one : `${one.slice(0, 67)}...`;
  };
  return `${file}:${line} ${operator}: ${short(from)} -> ${short(to)}`;
}

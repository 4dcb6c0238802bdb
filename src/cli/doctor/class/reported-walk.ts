import { paint } from "../../paint.ts";
import { type CheckState, STATE_COLOURS } from "../check.ts";
import type { ClassFinding } from "./leaves.ts";
import type { ClassWalk } from "./walk.ts";

/** A walk with its end: the worst of what was found, and the one sentence of what to do first. */
export interface ReportedWalk extends ClassWalk {
  readonly state: CheckState;
  /** Absent where there is nothing to do. */
  readonly next?: string;
}

/** The first failure counts: what comes after it is often its consequence. */
const WORST_FIRST: readonly CheckState[] = ["FAIL", "WARN", "SKIP"];

export function reportedWalk(walk: ClassWalk): ReportedWalk {
  const worst = WORST_FIRST.map((state) => walk.findings.find((finding) => finding.state === state)).find(
    (finding) => finding !== undefined,
  );
  if (worst?.fix === undefined) return { ...walk, state: worst?.state ?? "OK" };
  return { ...walk, state: worst.state, next: worst.fix };
}

/** For people: the way through the tree, and where it ends. */
export function walkText({ namespace, name, findings, next }: ReportedWalk, hasColour: boolean): string {
  const lines = findings.flatMap((finding) => findingLines(finding, hasColour));
  const end = next === undefined ? "nothing to do" : `to do: ${next}`;
  return [`class ${namespace}/${name}`, ...lines, `  ${paint(oneLine(end), "bold", hasColour)}`, ""].join("\n");
}

function findingLines({ leaf, step, state, message }: ClassFinding, hasColour: boolean): readonly string[] {
  const told = state === "OK" ? oneLine(message) : `${leaf}: ${oneLine(message)}`;
  return [`  ${paint(state.padEnd(4), STATE_COLOURS[state], hasColour)}  ${step.padEnd(10)}  ${told}`];
}

/** Others' texts: control characters would move a terminal's cursor. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}

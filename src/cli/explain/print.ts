import { paint } from "../paint.ts";
import type { Explanation, StepState } from "./explanation.ts";

const MARKS: Readonly<Record<StepState, { readonly text: string; readonly colour: "green" | "yellow" | "red" | "cyan" }>> = {
  ok: { text: "ok", colour: "green" },
  warning: { text: "warning", colour: "yellow" },
  problem: { text: "PROBLEM", colour: "red" },
  unknown: { text: "unknown", colour: "cyan" },
};

/** Where the word says too little. */
const OUTCOMES: Readonly<Record<string, string>> = { stuck: "the pod will not start", errored: "the API server refuses it" };

/** For people: the decision first, then how it came about. */
export function explanationText({ object, namespace, verdict, steps }: Explanation, hasColour: boolean): string {
  const { outcome, reason, message } = verdict;
  const lines = steps.map(({ topic, state, message: text }) => {
    const mark = MARKS[state];
    return `  ${paint(mark.text.padEnd(7), mark.colour, hasColour)}  ${topic.padEnd(11)}  ${oneLine(text)}`;
  });
  return [
    `${object} in namespace ${namespace}: ${reason} (${OUTCOMES[outcome] ?? outcome})`,
    `  ${oneLine(message)}`,
    "",
    ...lines,
    "",
  ].join("\n");
}

/** Others' texts: control characters would move a terminal's cursor. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}

import type { AdmissionDecision } from "../../domain/admission/decision.ts";
import type { AdmissionReason } from "../../domain/admission/reasons.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { type Colour, type Line, line, padded, paint } from "../shared/terminal.ts";

/** `unknown`: the user's rights, or the files, do not tell. */
export type StepState = "ok" | "warning" | "problem" | "unknown";

/** What a step is about. `docs/reference/cli.md` has a row for each. */
export const STEP_TOPICS = [
  ...(["webhook", "certificate", "policy", "opt-in", "class", "identity", "volume", "mount", "env-from", "advice"] as const),
  ...(["credentials", "pods", "restarts", "sync", "secret", "readers"] as const),
] as const;

export type StepTopic = (typeof STEP_TOPICS)[number];

export interface ExplanationStep {
  readonly topic: StepTopic;
  readonly state: StepState;
  /** Names, paths and texts of ours; never a value of a Secret. */
  readonly message: string;
}

/** What neither the webhook nor the worker can say, because nobody asks them. `docs/reference/cli.md` has a row for each. */
export const EXPLAIN_REASONS = {
  ClassMissing: "stuck",
  OtherProvider: "unmirrored",
  WebhookMissing: "unasked",
  WebhookUnanswered: "unasked",
  NamespaceExcluded: "unasked",
  PodExcluded: "unasked",
  NoStatus: "pending",
  StatusOutdated: "pending",
  SwitchedOff: "unmirrored",
  NoSecretObjects: "unmirrored",
} as const satisfies Record<string, "unasked" | "pending" | "unmirrored" | "stuck">;

export type ExplainReason = keyof typeof EXPLAIN_REASONS;

/** The outcome and its one reason, as in the webhook's response, metric and log, or in the class's status. */
export interface ExplanationVerdict {
  readonly outcome: AdmissionDecision["kind"] | "unasked" | "mirrored" | "unmirrored" | "failing" | "pending" | "stuck";
  readonly reason: AdmissionReason | SyncReason | ExplainReason;
  readonly message: string;
}

export interface Explanation {
  /** `deployment/web` */
  readonly object: string;
  /** Undefined for an object that is in none. */
  readonly namespace: string | undefined;
  readonly verdict: ExplanationVerdict;
  readonly steps: readonly ExplanationStep[];
}

type Saying = Readonly<Record<StepState, (message: string) => ExplanationStep>>;

/** A step, by its topic and state. */
export const say = Object.fromEntries(STEP_TOPICS.map((topic) => [topic, sayingOf(topic)])) as Readonly<Record<StepTopic, Saying>>; // Its keys are the topics.

function sayingOf(topic: StepTopic): Saying {
  const as = (state: StepState) => (message: string) => ({ topic, state, message });
  return { ok: as("ok"), warning: as("warning"), problem: as("problem"), unknown: as("unknown") };
}

/** Whether somebody has to do something about it. */
export function isWrong({ verdict, steps }: Explanation): boolean {
  return ["denied", "errored", "failing", "stuck"].includes(verdict.outcome) || steps.some(({ state }) => state === "problem");
}

const MARKS: Readonly<Record<StepState, { readonly text: string; readonly colour: Colour }>> = {
  ok: { text: "ok", colour: "green" },
  warning: { text: "warning", colour: "yellow" },
  problem: { text: "PROBLEM", colour: "red" },
  unknown: { text: "unknown", colour: "cyan" },
};

/** Where the word says too little. */
const OUTCOMES: Readonly<Record<string, string>> = {
  stuck: "the pod will not start",
  errored: "the API server rejects it",
  unasked: "not injected",
};

/** With an empty line between two of them. */
export function explanationsText(explanations: readonly Explanation[]): readonly Line[] {
  return explanations.flatMap((each, index) => [...(index === 0 ? [] : [line``]), ...explanationText(each)]);
}

/** For people: the decision first, then how it came about. */
export function explanationText({ object, namespace, verdict, steps }: Explanation): readonly Line[] {
  const { outcome, reason, message } = verdict;
  const lines = steps.map(({ topic, state, message: text }) => {
    const mark = MARKS[state];
    return line`  ${padded(paint(mark.colour, mark.text), 7)}  ${padded(topic, 11)}  ${text}`;
  });
  const place = namespace === undefined ? line`${object}` : line`${object} in namespace ${namespace}`;
  return [line`${place}: ${reason} (${OUTCOMES[outcome] ?? outcome})`, line`  ${message}`, line``, ...lines];
}

import type { AdmissionDecision } from "../../domain/admission/decision.ts";
import type { AdmissionReason } from "../../domain/admission/reasons.ts";
import type { SyncReason } from "../../domain/reasons.ts";
import { type Colour, type Line, line, padded, paint } from "../shared/terminal.ts";

/** `unknown`: the user lacks a permission, or the files do not contain the information. */
export type StepState = "ok" | "warning" | "problem" | "unknown";

/** Topics of steps. `docs/reference/cli.md` has a row for each. */
export const STEP_TOPICS = [
  ...(["webhook", "certificate", "policy", "opt-in", "class", "identity", "volume", "mount", "env-from", "advice"] as const),
  ...(["credentials", "pods", "restarts", "sync", "secret", "readers"] as const),
] as const;

export type StepTopic = (typeof STEP_TOPICS)[number];

export interface ExplanationStep {
  readonly topic: StepTopic;
  readonly state: StepState;
  /** Consists of names, paths, and fixed texts; never contains a value of a Secret. */
  readonly message: string;
}

/** Reasons that neither webhook nor worker can give, because no request reaches them. `docs/reference/cli.md` has a row for each. */
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

/** The outcome and its only reason, as in the webhook's response, metric, and log, or in the status of the class. */
export interface ExplanationVerdict {
  readonly outcome: AdmissionDecision["kind"] | "unasked" | "mirrored" | "unmirrored" | "failing" | "pending" | "stuck";
  readonly reason: AdmissionReason | SyncReason | ExplainReason;
  readonly message: string;
}

export interface Explanation {
  /** Object, such as `deployment/web`. */
  readonly object: string;
  /** Undefined for a cluster-scoped object. */
  readonly namespace: string | undefined;
  readonly verdict: ExplanationVerdict;
  readonly steps: readonly ExplanationStep[];
}

type Saying = Readonly<Record<StepState, (message: string) => ExplanationStep>>;

/** Functions that create a step, by topic and state. */
export const say = Object.fromEntries(STEP_TOPICS.map((topic) => [topic, sayingOf(topic)])) as Readonly<Record<StepTopic, Saying>>; // The keys are the STEP_TOPICS.

function sayingOf(topic: StepTopic): Saying {
  const as = (state: StepState) => (message: string) => ({ topic, state, message });
  return { ok: as("ok"), warning: as("warning"), problem: as("problem"), unknown: as("unknown") };
}

/** Whether someone must act. */
export function isWrong({ verdict, steps }: Explanation): boolean {
  return ["denied", "errored", "failing", "stuck"].includes(verdict.outcome) || steps.some(({ state }) => state === "problem");
}

const MARKS: Readonly<Record<StepState, { readonly text: string; readonly colour: Colour }>> = {
  ok: { text: "ok", colour: "green" },
  warning: { text: "warning", colour: "yellow" },
  problem: { text: "PROBLEM", colour: "red" },
  unknown: { text: "unknown", colour: "cyan" },
};

/** Descriptions of outcomes whose own word says too little. */
const OUTCOMES: Readonly<Record<string, string>> = {
  stuck: "the pod will not start",
  errored: "the API server rejects it",
  unasked: "not injected",
};

/** Renders explanations, with an empty line between two of them. */
export function explanationsText(explanations: readonly Explanation[]): readonly Line[] {
  return explanations.flatMap((each, index) => [...(index === 0 ? [] : [line``]), ...explanationText(each)]);
}

/** Renders an explanation for people: the decision first, then its steps. */
export function explanationText({ object, namespace, verdict, steps }: Explanation): readonly Line[] {
  const { outcome, reason, message } = verdict;
  const lines = steps.map(({ topic, state, message: text }) => {
    const mark = MARKS[state];
    return line`  ${padded(paint(mark.colour, mark.text), 7)}  ${padded(topic, 11)}  ${text}`;
  });
  const place = namespace === undefined ? line`${object}` : line`${object} in namespace ${namespace}`;
  return [line`${place}: ${reason} (${OUTCOMES[outcome] ?? outcome})`, line`  ${message}`, line``, ...lines];
}

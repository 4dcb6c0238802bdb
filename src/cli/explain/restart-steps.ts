import { POD_ANNOTATIONS } from "../../domain/annotations.ts";
import { type NamespaceFact, subjectOnNamespace } from "../../domain/injection/effective-annotations.ts";
import { isKubeObject } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import { quoted } from "../../domain/quoted.ts";
import { type Controls, controlsOf, type WrittenWindow, writtenWindow } from "../../domain/rollout/controls.ts";
import { holdWords } from "../../domain/rollout/hold.ts";
import { type Uses, usesOf } from "../../domain/rollout/uses.ts";
import { observeWorkload } from "../../domain/rollout/workload.ts";
import { WORKLOADS, type WorkloadKind } from "../../domain/rollout/workload-kinds.ts";
import { windowAt } from "../../domain/schedule/restart-window.ts";
import { rotatedIn } from "../../domain/sync/rotated-condition.ts";
import type { RotatedCondition } from "../../domain/sync/status-fields.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type RestartStanding, restartStanding } from "../shared/restarts.ts";
import type { Viewer } from "../shared/viewer.ts";
import { type ExplanationStep, type StepState, say } from "./explanation.ts";

export interface RestartsToExplain {
  /** Workload as the cluster stores it, or as a file contains it. */
  readonly workload: JsonObject;
  readonly namespace: string;
  readonly fact: NamespaceFact;
  /** Undefined: only the files are known. */
  readonly viewer: Viewer | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

export interface ExplainedRestarts {
  readonly asks: boolean;
  readonly steps: readonly ExplanationStep[];
}

const KEY = POD_ANNOTATIONS.restartOnRotation;
const NONE: ExplainedRestarts = { asks: false, steps: [] };

/** Explains whether a workload requests restarts, when they can begin, and what they wait for, with the worker's own decision. */
export async function explainRestarts({ workload, namespace, fact, viewer, now }: RestartsToExplain): Promise<ExplainedRestarts> {
  const kind = Object.keys(WORKLOADS).find((each): each is WorkloadKind => each === workload["kind"]);
  if (kind === undefined || !isKubeObject(workload)) return NONE;
  const observed = observeWorkload(kind, { ...workload, metadata: { ...workload.metadata, namespace } });
  const defaults = fact.kind === "found" ? fact.annotations : {};
  const uses = observed === undefined ? undefined : usesOf(observed, defaults);
  if (observed === undefined || uses?.asksForRestarts !== true)
    return { asks: false, steps: [say.restarts.ok(`does not request restarts: annotation ${KEY} is not "true"`)] };
  const subject = observed.annotations[KEY] === "true" ? `annotation ${KEY}` : subjectOnNamespace(KEY, namespace);
  const controls = controlsOf(observed, defaults, { mode: "act", window: { kind: "always" } });
  return {
    asks: true,
    steps: [
      say.restarts.ok(`requests restarts: ${subject} is "true"`),
      windowStep(controls, writtenWindow(observed, defaults), now),
      ...(controls.pausedBy === undefined
        ? []
        : [say.restarts.warning(`paused: ${holdWords({ kind: "paused", by: controls.pausedBy }).words}`)]),
      ...(await standingSteps(viewer, namespace, uses)),
    ],
  };
}

function windowStep({ window }: Controls, written: WrittenWindow | undefined, now: number): ExplanationStep {
  if (!window.ok) return say.restarts.problem(holdWords({ kind: "invalidWindow", ...window.error }).words);
  if (written === undefined) return say.restarts.ok("neither it nor its Namespace sets a window: the worker's --restart-window applies");
  const state = windowAt(window.value, now);
  const when = state.isOpen ? "open now" : opening(state.opensAt);
  return say.restarts.ok(`its restart window is ${quoted(written.text)}, set on ${written.of}: ${when}`);
}

function opening(opensAt: number): string {
  return Number.isFinite(opensAt) ? `opens at ${new Date(opensAt).toISOString().replace(".000Z", "Z")}` : "does not open again";
}

const STATES: Readonly<Record<RestartStanding, StepState>> = {
  done: "ok",
  waiting: "ok",
  held: "warning",
  halted: "problem",
  unknown: "unknown",
};

export const restartState = (rotated: RotatedCondition): StepState => STATES[restartStanding(rotated)];

/** Reports the worker's status for each class that the workload uses, directly or through a Secret. */
async function standingSteps(viewer: Viewer | undefined, namespace: string, uses: Uses): Promise<readonly ExplanationStep[]> {
  if (viewer === undefined) return [say.restarts.unknown("no cluster is contacted: the state of its restarts is not known")];
  const reading = await viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs, { namespace });
  if (reading.kind !== "seen") {
    const why = reading.kind === "unseen" ? reading.why : "the kind SecretProviderClassSync is not served";
    return [say.restarts.unknown(`${why}: the state of its restarts is not known`)];
  }
  const used = reading.value
    .map(({ metadata: { name }, status }) => ({ name, status: readStatus(status) }))
    .filter(({ name, status }) => uses.classes.includes(name) || status?.secrets.some((secret) => uses.secrets.includes(secret.name)));
  if (used.length === 0)
    return [say.restarts.warning("it uses no class and no Secret for which the worker has a status: nothing restarts it")];
  return used.map(({ name, status }) => {
    const rotated = rotatedIn(status);
    if (rotated === undefined)
      return say.restarts.ok(`class ${name}: the worker has not reported yet whether its pods have the current versions`);
    return say.restarts[restartState(rotated)](`class ${name}: ${rotated.reason}: ${rotated.message}`);
  });
}

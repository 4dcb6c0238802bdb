import { POD_ANNOTATIONS } from "../../domain/annotations.ts";
import { type NamespaceFact, subjectOnNamespace } from "../../domain/injection/effective-annotations.ts";
import { objectAt } from "../../domain/json-members.ts";
import type { JsonObject } from "../../domain/json-object.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { quoted } from "../../domain/quoted.ts";
import { type Controls, controlsOf, type WrittenWindow, writtenWindow } from "../../domain/rollout/controls.ts";
import { holdWords } from "../../domain/rollout/hold.ts";
import { type Uses, usesOf } from "../../domain/rollout/uses.ts";
import { windowAt } from "../../domain/rollout/window.ts";
import { observeWorkload, WORKLOADS, type WorkloadKind } from "../../domain/rollout/workload.ts";
import { rotatedIn } from "../../domain/sync/rotated-condition.ts";
import { readStatus, type SecretProviderClassSync } from "../../domain/sync/stored-status.ts";
import { type RestartStanding, standingOf } from "../shared/restarts.ts";
import type { Viewer } from "../shared/viewer.ts";
import { type Step, type StepState, say } from "./explanation.ts";

export interface RestartsToExplain {
  /** The workload, as it is stored or written. */
  readonly workload: JsonObject;
  readonly namespace: string;
  readonly fact: NamespaceFact;
  /** Undefined: the files are all that is known. */
  readonly viewer: Viewer | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}

export interface ExplainedRestarts {
  readonly asks: boolean;
  readonly steps: readonly Step[];
}

const KEY = POD_ANNOTATIONS.restartOnRotation;
const NONE: ExplainedRestarts = { asks: false, steps: [] };

/** Whether a workload asks for restarts, when they may begin, and what they wait for; by the worker's own decision. */
export async function explainRestarts({ workload, namespace, fact, viewer, now }: RestartsToExplain): Promise<ExplainedRestarts> {
  const kind = Object.keys(WORKLOADS).find((each): each is WorkloadKind => each === workload["kind"]);
  const metadata = objectAt(workload, ["metadata"]);
  if (kind === undefined || metadata === undefined) return NONE;
  // What of it is read is read step by step.
  const object = { ...workload, metadata: { ...metadata, namespace } } as unknown as KubeObject;
  const observed = observeWorkload(kind, object);
  const defaults = fact.kind === "found" ? fact.annotations : {};
  const uses = observed === undefined ? undefined : usesOf(observed, defaults);
  if (observed === undefined || uses?.asksForRestarts !== true)
    return { asks: false, steps: [say.restarts.ok(`asks for no restarts: annotation ${KEY} is not "true"`)] };
  const subject = observed.annotations[KEY] === "true" ? `annotation ${KEY}` : subjectOnNamespace(KEY, namespace);
  const controls = controlsOf(observed, defaults, { mode: "act", window: { kind: "always" } });
  return {
    asks: true,
    steps: [
      say.restarts.ok(`asks for restarts: ${subject} is "true"`),
      windowStep(controls, writtenWindow(observed, defaults), now),
      ...(controls.pausedBy === undefined
        ? []
        : [say.restarts.warning(`paused: ${holdWords({ kind: "paused", by: controls.pausedBy }).words}`)]),
      ...(await standingSteps(viewer, namespace, uses)),
    ],
  };
}

function windowStep({ window }: Controls, written: WrittenWindow | undefined, now: number): Step {
  if (!window.ok) return say.restarts.problem(holdWords({ kind: "invalidWindow", ...window.error }).words);
  if (written === undefined) return say.restarts.ok("no window of its own or of its Namespace: --restart-window of the worker counts");
  const state = windowAt(window.value, now);
  const when = state.isOpen ? "open now" : opening(state.opensAt);
  return say.restarts.ok(`its restart window is ${quoted(written.text)}, of ${written.of}: ${when}`);
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

/** What the worker says of each class that the workload uses, itself or by a Secret. */
async function standingSteps(viewer: Viewer | undefined, namespace: string, uses: Uses): Promise<readonly Step[]> {
  if (viewer === undefined) return [say.restarts.unknown("no cluster is asked: how its restarts stand is not known")];
  const look = await viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs, { namespace });
  if (look.kind !== "seen") {
    const why = look.kind === "unseen" ? look.why : "the kind SecretProviderClassSync is not served";
    return [say.restarts.unknown(`${why}: how its restarts stand is not known`)];
  }
  const used = look.value
    .map(({ metadata: { name }, status }) => ({ name, status: readStatus(status) }))
    .filter(({ name, status }) => uses.classes.includes(name) || status?.secrets.some((secret) => uses.secrets.includes(secret.name)));
  if (used.length === 0)
    return [say.restarts.warning("it uses no class and no Secret that the worker has a status of: nothing restarts it")];
  return used.map(({ name, status }) => {
    const rotated = rotatedIn(status);
    if (rotated === undefined) return say.restarts.ok(`class ${name}: the worker has not said yet whether its pods have the versions`);
    return say.restarts[STATES[standingOf(rotated)]](`class ${name}: ${rotated.reason}: ${rotated.message}`);
  });
}

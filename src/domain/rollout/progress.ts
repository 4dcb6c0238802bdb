import { listAt, memberOf, numberAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { argoProgress } from "./argo-progress.ts";
import type { Observed, PodCounts, Progress } from "./observed-progress.ts";
import type { WorkloadKind } from "./workload-kinds.ts";

interface Counts extends PodCounts {
  /** Number of wanted pods that should get the new template. */
  readonly toUpdate: number;
}

export function progressOf(kind: WorkloadKind, observed: Observed): Progress {
  if (kind === "Rollout") return argoProgress(observed);
  const { generation, spec, status } = observed;
  const counts = COUNTS[kind](spec, status);
  const isObserved = numberAt(status, "observedGeneration", 0) >= generation;
  const { wanted, toUpdate, total, updated, available } = counts;
  const isRolling = !isObserved || updated < toUpdate || total !== wanted;
  return {
    isComplete: !isRolling && available >= wanted,
    isRolling,
    revision: `${generation}${isObserved ? "" : " unseen"}`,
    counts: { wanted, total, updated, available },
    heldBack: updated < wanted ? wanted - toUpdate : 0,
    summary: `${updated} of ${wanted} pods are updated, ${available} of ${total} are available`,
    gaveUp: "its progressDeadlineSeconds has expired",
    isPaused: false,
    isPastDeadline: kind === "Deployment" && isObserved && hasGivenUp(status),
    ownDeadlineMs: kind === "Deployment" ? numberAt(spec, "progressDeadlineSeconds", 600) * 1_000 : 0,
  };
}

const COUNTS: Readonly<Record<Exclude<WorkloadKind, "Rollout">, (spec: JsonObject, status: JsonObject) => Counts>> = {
  Deployment: (spec, status) => {
    const wanted = numberAt(spec, "replicas", 1);
    return { wanted, toUpdate: wanted, ...replicasIn(status) };
  },
  StatefulSet: (spec, status) => {
    const wanted = numberAt(spec, "replicas", 1);
    return { wanted, toUpdate: aboveThePartition(spec), ...replicasIn(status) };
  },
  DaemonSet: (_, status) => {
    const wanted = numberAt(status, "desiredNumberScheduled", 0);
    const [updated, available] = [numberAt(status, "updatedNumberScheduled", 0), numberAt(status, "numberAvailable", 0)];
    return { wanted, toUpdate: wanted, total: wanted, updated, available };
  },
};

function replicasIn(status: JsonObject): Pick<Counts, "total" | "updated" | "available"> {
  return {
    total: numberAt(status, "replicas", 0),
    updated: numberAt(status, "updatedReplicas", 0),
    available: numberAt(status, "availableReplicas", 0),
  };
}

/**
 * Returns the number of pods of a StatefulSet that follow its template. The pods below the partition keep an older one, because a user
 * holds the rollout there.
 */
function aboveThePartition(spec: JsonObject): number {
  const partition = numberAt(memberOf(memberOf(spec, "updateStrategy"), "rollingUpdate"), "partition", 0);
  return Math.max(0, numberAt(spec, "replicas", 1) - partition);
}

/** Whether all of its pods are below its partition, so that a change of its template replaces none. */
export function isHeldWhole(kind: WorkloadKind, spec: JsonObject): boolean {
  return kind === "StatefulSet" && numberAt(spec, "replicas", 1) > 0 && aboveThePartition(spec) === 0;
}

function hasGivenUp(status: JsonObject): boolean {
  return listAt(status, "conditions").some(({ type, reason }) => type === "Progressing" && reason === "ProgressDeadlineExceeded");
}

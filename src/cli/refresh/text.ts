import { type DriverPace, paceText } from "../../domain/refresh/driver-pace.ts";
import { counted } from "../../domain/words.ts";
import { type Line, line } from "../shared/terminal.ts";
import { usagesText } from "../where/text.ts";
import { answerText } from "./answer.ts";
import type { MountingPod, Refreshing, RefreshProgress } from "./progress.ts";
import { verdictText } from "./verdict.ts";

export interface Refreshed {
  readonly refreshing: Refreshing;
  readonly pace: DriverPace;
  /** Reasons why the command could not annotate pods. */
  readonly refusals: readonly string[];
  readonly progress: RefreshProgress;
  /** Number of pods that the command annotated. */
  readonly asked: number;
  readonly isWaited: boolean;
}

export function refreshText({ refreshing, pace, progress, asked, isWaited, refusals }: Refreshed, isWide: boolean): readonly Line[] {
  const { ref } = refreshing;
  const worker = answerText(progress.answer, { ref, isWaited });
  const lines = [
    worker,
    ...kubeletsText({ asked, refusals, isKnown: pace.kind === "republish" }),
    ...unscheduledText(progress.pods),
    ...(progress.pods.length > 0 ? [paceText(pace)] : progress.answer.kind === "unused" ? [] : ["no pod mounts the class"]),
  ];
  const usages = progress.usages.length === 0 ? [] : [line``, ...usagesText(progress.usages, { isWide })];
  const verdict = isWaited ? [line``, line`${verdictText(progress, pace)}`] : [];
  return [line`refresh of class ${ref.namespace}/${ref.name}`, ...lines.map((each) => line`  ${each}`), ...usages, ...verdict];
}

/** `isKnown`: whether it is known that the driver updates files at the kubelet's sync. */
function kubeletsText({
  asked,
  refusals,
  isKnown,
}: Pick<Refreshed, "asked" | "refusals"> & { readonly isKnown: boolean }): readonly string[] {
  if (asked > 0) {
    const annotated = `annotated ${counted(asked, "pod")}, so that ${asked === 1 ? "its kubelet syncs it" : "their kubelets sync them"} now`;
    return [isKnown ? annotated : `${annotated}; the driver then updates the files if its version is 1.6 or later`];
  }
  if (refusals.length === 0) return [];
  const refused = "the pods could not be annotated";
  return [isKnown ? `${refused}: the files are updated at the kubelets' next sync` : refused];
}

function unscheduledText(pods: readonly MountingPod[]): readonly string[] {
  const count = pods.filter(({ isScheduled }) => !isScheduled).length;
  return count === 0 ? [] : [`${counted(count, "pod")} ${count === 1 ? "is" : "are"} not scheduled yet`];
}

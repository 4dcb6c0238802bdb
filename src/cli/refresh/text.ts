import { type DriverPace, paceText } from "../../domain/refresh/driver-pace.ts";
import { counted } from "../../domain/words.ts";
import { type Line, line } from "../shared/terminal.ts";
import { usagesText } from "../where/text.ts";
import { answerText } from "./answer.ts";
import type { Refreshing, RefreshProgress } from "./progress.ts";
import { verdictText } from "./verdict.ts";

export interface Refreshed {
  readonly refreshing: Refreshing;
  readonly pace: DriverPace;
  /** Reasons why the command could not trigger kubelets. */
  readonly refusals: readonly string[];
  readonly progress: RefreshProgress;
  /** Number of pods whose kubelets the command triggered. */
  readonly asked: number;
  readonly isWaited: boolean;
}

export function refreshText({ refreshing, pace, progress, asked, isWaited, refusals }: Refreshed, isWide: boolean): readonly Line[] {
  const { ref } = refreshing;
  const worker = answerText(progress.answer, { ref, isWaited });
  const lines = [
    worker,
    ...kubeletsText({ asked, refusals, isKnown: pace.kind === "republish" }),
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
    const triggered = `the kubelets were triggered for ${counted(asked, "pod")}`;
    return [isKnown ? triggered : `${triggered}; the driver then updates the files if its version is 1.6 or later`];
  }
  if (refusals.length === 0) return [];
  return [isKnown ? "the kubelets were not triggered: the files follow at their next sync" : "the kubelets were not triggered"];
}

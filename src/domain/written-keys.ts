import {
  CLASS_ANNOTATIONS,
  INJECTED_LABEL,
  INSTALL_ANNOTATIONS,
  MADE_FOR,
  POD_ANNOTATIONS,
  RESTART_ANNOTATIONS,
  WORKLOAD_ANNOTATIONS,
} from "./annotations.ts";

interface WrittenKeys {
  readonly annotations: readonly string[];
  readonly labels: readonly string[];
}

/**
 * Keys that this project itself writes on objects on which users write keys, too. The kinds that only the worker writes, such as a Lease,
 * are not included. No check reports one of these keys as unknown or misplaced on its kind.
 */
export const WRITTEN_KEYS = {
  /** The webhook and `refresh` write on pods. The worker writes on pod templates, from which controllers copy to pods. */
  pods: {
    annotations: [POD_ANNOTATIONS.status, POD_ANNOTATIONS.rotated, CLASS_ANNOTATIONS.refresh, WORKLOAD_ANNOTATIONS.accountUid],
    labels: [INJECTED_LABEL],
  },
  workloads: { annotations: [POD_ANNOTATIONS.rotated, RESTART_ANNOTATIONS.nowAnswered], labels: [] },
  namespaces: { annotations: Object.values(INSTALL_ANNOTATIONS), labels: [] },
  classes: { annotations: [CLASS_ANNOTATIONS.refresh, MADE_FOR], labels: [MADE_FOR] },
} as const satisfies Readonly<Record<string, WrittenKeys>>;

const INPUT: readonly string[] = Object.values(CLASS_ANNOTATIONS);
const KINDS: readonly WrittenKeys[] = Object.values(WRITTEN_KEYS);

/**
 * Keys that no user writes. A copy of an object, or a tool that copies metadata from one kind to another, can have them in any place, as
 * an annotation or as a label.
 */
export const OUTPUT_ONLY_KEYS: readonly string[] = KINDS.flatMap(({ annotations, labels }) => [...annotations, ...labels]).filter(
  (key) => !INPUT.includes(key),
);

import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "./annotations.ts";

/** Written by us and read by nobody else; the worker writes its stamp on workloads, too. */
const OUTPUT_ONLY: readonly string[] = [POD_ANNOTATIONS.rotated, POD_ANNOTATIONS.status];

/** The annotations of pods that users write. */
export const INPUT_ANNOTATIONS: readonly string[] = Object.values(POD_ANNOTATIONS).filter((name) => !OUTPUT_ONLY.includes(name));

/** What users write on a workload itself, or on its Namespace, and never on pods. */
export const WORKLOAD_INPUT: readonly string[] = [RESTART_ANNOTATIONS.paused, RESTART_ANNOTATIONS.now];

/** Those of the keys that stand where nothing reads them; what stands in the right place as well is no mistake of the author's. */
export function misplacedKeys(
  keys: readonly string[],
  { wrong, right }: { readonly wrong: object; readonly right: object },
): readonly string[] {
  return keys.filter((key) => Object.hasOwn(wrong, key) && !Object.hasOwn(right, key));
}

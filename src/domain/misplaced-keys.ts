import { POD_ANNOTATIONS, RESTART_ANNOTATIONS } from "./annotations.ts";
import { OUTPUT_ONLY_KEYS } from "./written-keys.ts";

/** Pod annotations that users write. */
export const INPUT_ANNOTATIONS: readonly string[] = Object.values(POD_ANNOTATIONS).filter((name) => !OUTPUT_ONLY_KEYS.includes(name));

/** Annotations that users write on a workload itself or on its Namespace, and never on pods. */
export const WORKLOAD_INPUT: readonly string[] = [RESTART_ANNOTATIONS.paused, RESTART_ANNOTATIONS.now];

/**
 * Returns the keys that are only in the wrong place, so that they have no effect. If a key is in the right place as well, the author made
 * no mistake.
 */
export function misplacedKeys(
  keys: readonly string[],
  { wrong, right }: { readonly wrong: object; readonly right: object },
): readonly string[] {
  return keys.filter((key) => Object.hasOwn(wrong, key) && !Object.hasOwn(right, key));
}

import { POD_ANNOTATIONS } from "../annotations.ts";
import type { Pod } from "./pod.ts";

/** Of all annotations of an object, keys and values in UTF-8: the API server refuses more. */
const MOST_BYTES = 256 * 1024;

/** For a pod that brings a status from elsewhere and has no room for its own. */
const EMPTY = "{}";

/**
 * The status as far as there is room for it: it is output that nobody reads back, and must never be what a pod is refused for.
 * Undefined: the annotation stays as it is, mostly absent.
 */
export function statusThatFits({ annotations }: Pod, status: string): string | undefined {
  const { [POD_ANNOTATIONS.status]: own, ...others } = annotations;
  const room = MOST_BYTES - sizeOf(others) - POD_ANNOTATIONS.status.length;
  if (status.length <= room) return status;
  return own !== undefined && EMPTY.length <= room ? EMPTY : undefined;
}

function sizeOf(annotations: Readonly<Record<string, string>>): number {
  const text = Object.entries(annotations).flat().join("");
  return new TextEncoder().encode(text).length;
}

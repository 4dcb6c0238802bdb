import type { Denial } from "../admission/reasons.ts";
import { failed, ok, type Result } from "../result.ts";
import { parseWindow } from "../schedule/restart-window.ts";
import { invalidAnnotation } from "./annotation-value.ts";
import type { Annotation } from "./effective-annotations.ts";
import { fill, PROBLEMS, warning } from "./messages.ts";

/** Reads the restart window. An invalid window on the Namespace causes only a warning, because no pod needs the window to run. */
export function readRestartWindow(annotation: Annotation | undefined, namespace: string): Result<readonly string[], Denial> {
  const window = annotation === undefined ? undefined : parseWindow(annotation.text);
  if (annotation === undefined || window === undefined || window.ok) return ok([]);
  const { text: value, isDefault } = annotation;
  if (isDefault) return ok([warning("windowOnNamespace", { namespace, value, why: window.error })]);
  return failed(invalidAnnotation(annotation, fill(PROBLEMS.window, { why: window.error })));
}

/** Returns warnings for a workload that needs nothing else from the webhook. */
export function windowWarnings(text: string): readonly string[] {
  const window = parseWindow(text);
  return window.ok ? [] : [warning("window", { value: text, why: window.error })];
}

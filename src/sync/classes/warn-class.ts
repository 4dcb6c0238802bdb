import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import { annotationProblems } from "../../domain/schedule/annotation-problems.ts";
import { pollInterval } from "../../domain/schedule/poll-interval.ts";
import type { WorkerContext } from "../worker-context.ts";

/** An annotation that cannot be used leaves the default in force. */
export function warnOfAnnotations(context: WorkerContext, provider: SecretProviderClass): void {
  const { enableSecretRotation, rotationPollInterval } = context.settings;
  const interval = enableSecretRotation ? pollInterval(provider, rotationPollInterval) : undefined;
  warn(context, provider, { topic: "annotations", problems: annotationProblems(provider, interval) });
}

/** What works, but probably not as its author thinks: the provider accepts it without a word. */
export function warnOfParameters(context: WorkerContext, provider: SecretProviderClass, problems: readonly string[]): void {
  warn(context, provider, { topic: "parameters", problems });
}

/** Told once, by an event on the class, and again when it changes. */
function warn(
  context: WorkerContext,
  provider: SecretProviderClass,
  told: { readonly topic: string; readonly problems: readonly string[] },
): void {
  const key = keyOf(provider);
  const message = told.problems.join("; ");
  if (!context.memories.isNewWarning(key, told.topic, message)) return;
  context.events.emit({ regarding: provider, type: "Warning", reason: "InvalidClass", message });
  context.logger.warn("something in a class is ignored, or works otherwise than it looks", {
    class: key,
    detail: message,
  });
}

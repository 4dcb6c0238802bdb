import type { SecretProviderClass } from "../domain/kubernetes.ts";
import { pollIntervalProblem } from "../domain/schedule/poll-interval.ts";
import { syncModeProblem } from "../domain/sync/sync-mode.ts";
import type { WorkerContext } from "./worker-context.ts";

/** An annotation that cannot be used leaves the default in force; its owner is told once, by an event on the class. */
export function warnOfAnnotations(context: WorkerContext, provider: SecretProviderClass): void {
  const { namespace = "", name } = provider.metadata;
  const key = `${namespace}/${name}`;
  const problems = [syncModeProblem(provider), pollIntervalProblem(provider)].filter((problem) => problem !== undefined);
  const message = problems.join("; ");
  if (!context.memories.isNewWarning(key, message)) return;
  context.events.emit({ regarding: provider, type: "Warning", reason: "InvalidClass", message });
  context.logger.warn("an annotation of a class cannot be used and is ignored", { class: key, detail: message });
}

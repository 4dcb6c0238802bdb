import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import { type ClassStatus, nextStatus } from "../../domain/sync/class-status.ts";
import { writtenFor } from "../secrets/secret-store.ts";
import type { ClassResult, WorkerContext } from "../worker-context.ts";
import { updateAndTell } from "./update-and-tell.ts";

const DONE: ClassResult = { kind: "done" };

/**
 * A class of another provider. One that was ours before keeps its Secrets: the change may be a mistake, and pods read them. They
 * go with the class.
 */
export async function reconcileForeign(context: WorkerContext, provider: SecretProviderClass, signal: AbortSignal): Promise<ClassResult> {
  const ref = refOf(provider);
  const stored = context.statuses.get(ref);
  const kept = writtenFor(context.secrets, ref);
  context.memories.forget(keyOf(provider));
  if (kept.length === 0) {
    if (stored !== undefined) await context.statuses.remove(ref, signal);
    return DONE;
  }
  const names = kept.map((secret) => secret.ref.name).sort();
  const message = `spec.provider is now ${JSON.stringify((provider.spec?.provider ?? "").slice(0, 40))}, so that nothing updates ${names.join(", ")} any more; set it back to azure, or delete the class, and the Secrets go with it`;
  const outcome = { generation: provider.metadata.generation ?? 0, reason: "InvalidClass" as const, message };
  const now = context.clock.now();
  const change = (told: ClassStatus | undefined): ClassStatus | undefined =>
    nextStatus({ ...outcome, isFresh: undefined, secrets: told?.secrets ?? [] }, told, now);
  await updateAndTell(context, { ref, change, tell: () => tellForeign(context, provider, message) }, signal);
  return DONE;
}

function tellForeign({ events, logger }: WorkerContext, provider: SecretProviderClass, message: string): void {
  events.emit({ regarding: provider, type: "Warning", reason: "InvalidClass", message });
  logger.warn("a class was given to another provider: its Secrets stay", { class: keyOf(provider), detail: message });
}

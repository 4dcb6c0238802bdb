import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf, refOf } from "../../domain/object-key.ts";
import { isSwitchedOffByAuthor, syncMode } from "../../domain/schedule/sync-mode.ts";
import { type ClassStatus, nextStatus } from "../../domain/sync/class-status.ts";
import { heldSecrets } from "../../domain/sync/key-status.ts";
import type { ClassResult, WorkerContext } from "../worker-context.ts";
import { updateAndTell } from "./update-and-tell.ts";

/** Why nothing is mirrored because of the class, by the word of its author or of the operator; undefined where it is. */
export function switchedOffBy({ settings }: WorkerContext, provider: SecretProviderClass): string | undefined {
  if (!settings.syncSecret) return "the worker's setting --sync-secret=false";
  if (syncMode(provider, settings.syncMode) !== "never") return undefined;
  return isSwitchedOffByAuthor(provider) ? `the annotation ${CLASS_ANNOTATIONS.sync}: never` : "the worker's setting --sync-mode=never";
}

/**
 * What was mirrored stays as it is, and nobody looks after it: the status of a class that had one says so, and no longer what it was. Switched on
 * again, the class is checked at once.
 */
export async function reconcileSwitchedOff(
  context: WorkerContext,
  { provider, by }: { readonly provider: SecretProviderClass; readonly by: string },
  signal: AbortSignal,
): Promise<ClassResult> {
  context.memories.reset(keyOf(provider));
  const message = `switched off by ${by}: nothing updates or repairs its Secrets`;
  const now = context.clock.now();
  const change = (told: ClassStatus | undefined): ClassStatus | undefined =>
    told === undefined ? undefined : nextStatus(outcomeFor(provider, told, message), told, now);
  await updateAndTell(context, { ref: refOf(provider), change, tell: () => tellSwitchedOff(context, provider, message) }, signal);
  return { kind: "done" };
}

function tellSwitchedOff({ events, logger }: WorkerContext, provider: SecretProviderClass, message: string): void {
  events.emit({ regarding: provider, type: "Normal", reason: "SwitchedOff", message });
  logger.info("class switched off", { class: keyOf(provider), reason: "SwitchedOff", detail: message });
}

function outcomeFor({ metadata }: SecretProviderClass, told: ClassStatus, message: string) {
  const names = told.secrets.map(({ name }) => name);
  return {
    generation: metadata.generation ?? 0,
    reason: "SwitchedOff" as const,
    message,
    isFresh: undefined,
    secrets: heldSecrets(names, told.secrets, "SwitchedOff"),
    refresh: told.observedRefresh,
  };
}

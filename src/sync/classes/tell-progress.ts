import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { type ClassStatus, conditionOf, withProgress } from "../../domain/sync/class-status.ts";
import type { WorkerContext } from "../worker-context.ts";
import { refOf } from "./class-ref.ts";

/** An answer that comes sooner is the one write of its edit (milliseconds). */
const WORTH_TELLING_MS = 500;

/**
 * Makes the look. Where it is about an edit, and the vault takes its time, the status says meanwhile that `Ready` is not known any more:
 * whoever waits for that does not get the answer to the edit before for as long as a vault says nothing.
 */
export async function tellingProgress<T>(
  context: WorkerContext,
  provider: SecretProviderClass,
  look: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  if (!isOutdated(context.statuses.get(refOf(provider)), provider)) return look();
  const ended = new AbortController();
  const telling = tellLater(context, provider, { ended: ended.signal, signal });
  try {
    return await look();
  } finally {
    ended.abort();
    await telling;
  }
}

function isOutdated(told: ClassStatus | undefined, { metadata }: SecretProviderClass): told is ClassStatus {
  return told !== undefined && told.observedClassGeneration !== metadata.generation && conditionOf(told, "Ready")?.status === "True";
}

async function tellLater(
  { clock, statuses }: WorkerContext,
  provider: SecretProviderClass,
  { ended, signal }: { readonly ended: AbortSignal; readonly signal: AbortSignal },
): Promise<void> {
  await clock.sleep(WORTH_TELLING_MS, AbortSignal.any([ended, signal])).catch(() => undefined);
  if (ended.aborted || signal.aborted) return;
  const change = (told: ClassStatus | undefined): ClassStatus | undefined =>
    isOutdated(told, provider) ? withProgress(told, provider.metadata.generation ?? 0, clock.now()) : undefined;
  try {
    await statuses.update(refOf(provider), change, signal);
  } catch (error) {
    // The answer, which is on its way, is stored in its place.
    if (!(error instanceof KubeError) && !signal.aborted) throw error;
  }
}

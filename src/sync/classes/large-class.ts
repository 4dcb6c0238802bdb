import { keyOf, objectKey, refOf } from "../../domain/object-key.ts";
import { type Excess, type HeldClass, MAX_CLASS_CHARACTERS, MAX_CLASS_PARTS } from "../../domain/provider-class/held-class.ts";
import { type ClassStatus, nextStatus } from "../../domain/sync/class-status.ts";
import { heldSecrets } from "../../domain/sync/key-status.ts";
import { isOurs, secretObjectsOf } from "../../domain/sync/named-secrets.ts";
import type { ClassResult, WorkerContext } from "../worker-context.ts";
import { NAMESPACE_BYTES } from "./class-room.ts";
import { updateAndTell } from "./update-and-tell.ts";

const DONE: ClassResult = { kind: "done" };

const MESSAGES: Readonly<Record<Excess, string>> = {
  characters: `the class has more than ${MAX_CLASS_CHARACTERS} characters, metadata included: remove what nobody reads, or spread it over several classes`,
  parts: `the class has more than ${MAX_CLASS_PARTS} values, lists and mappings: remove what nobody reads, or spread it over several classes`,
  namespace: `the class waits for room: the large classes of a namespace may have ${NAMESPACE_BYTES} bytes together, and less where many namespaces have such classes. Make classes of the namespace smaller, or remove some`,
};

export interface LargeClass {
  readonly provider: HeldClass;
  readonly excess: Excess;
}

/**
 * A class that is too large to be held. Its Secrets stay as they are. It has no snapshot: one of before would bring it back as it is not any
 * more.
 */
export async function reconcileLarge(context: WorkerContext, { provider, excess }: LargeClass, signal: AbortSignal): Promise<ClassResult> {
  const ref = refOf(provider);
  if (context.snapshots.textOf(objectKey(ref)) !== undefined) await context.snapshots.remove(objectKey(ref), signal);
  context.memories.reset(keyOf(provider));
  const names = secretObjectsOf(provider).map(({ secretName }) => secretName);
  if (!isOurs(provider) || names.length === 0) return DONE;
  const outcome = {
    generation: provider.metadata.generation ?? 0,
    reason: "InvalidClass" as const,
    message: MESSAGES[excess],
    isFresh: undefined,
  };
  const change = (told: ClassStatus | undefined): ClassStatus | undefined => {
    const secrets = heldSecrets(names, told?.secrets ?? [], "InvalidClass");
    return nextStatus({ ...outcome, secrets, refresh: told?.observedRefresh }, told, context.clock.now());
  };
  await updateAndTell(context, { ref, change, tell: () => tellLarge(context, { provider, excess }) }, signal);
  return DONE;
}

function tellLarge({ events, logger }: WorkerContext, { provider, excess }: LargeClass): void {
  events.emit({ regarding: provider, type: "Warning", reason: "InvalidClass", message: MESSAGES[excess] });
  logger.warn("a class is too large to be mirrored", { class: keyOf(provider), reason: "InvalidClass", detail: MESSAGES[excess] });
}

import type { EventReason } from "../../domain/event-reasons.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import type { ForeignWrite, ObservedSecret } from "../../domain/sync/observed-secret.ts";
import type { ClassMemory } from "../classes/class-memory.ts";
import type { WorkerContext } from "../worker-context.ts";

interface Repaired {
  readonly name: string;
  /** As it was before the repair; undefined where it was deleted. */
  readonly observed: ObservedSecret | undefined;
}

/** Says who damaged a Secret, as far as the API server knows, and remembers it in case of a fight. */
export function tellRepair(
  context: WorkerContext,
  { provider, memory }: { readonly provider: SecretProviderClass; readonly memory: ClassMemory },
  { name, observed }: Repaired,
): void {
  const damage = observed === undefined ? "deleted" : "edited";
  context.metrics.driftRepairs.inc({ damage });
  const writer = observed?.lastForeign;
  memory.contenders = new Map([...memory.contenders, [name, writer?.manager ?? "somebody"]]);
  const what =
    observed === undefined
      ? `Secret ${name} was deleted; who did it stands in the API server's audit log alone. It is there again`
      : `Secret ${name} was edited${byWhom(writer)}; it is again as the class and the vault want it`;
  tell(context, provider, "SecretRepaired", what);
}

export function tellReplacement(context: WorkerContext, provider: SecretProviderClass, told: { name: string; why: string }): void {
  const message = `Secret ${told.name} was deleted and made anew, without what others had added to it: ${told.why}`;
  tell(context, provider, "SecretReplaced", message);
}

/** Stable while the fight lasts, so that it is told once. */
export function contestedMessage(name: string, who: string): string {
  return `Secret ${name} is changed or deleted after each repair, last by ${who}; repairs pause for up to a minute. Stop the other writer, or choose another secretName`;
}

function byWhom(writer: ForeignWrite | undefined): string {
  if (writer === undefined) return " (by whom the API server does not record)";
  return ` (last written by ${writer.manager}${writer.time === undefined ? "" : ` at ${writer.time}`})`;
}

function tell(context: WorkerContext, provider: SecretProviderClass, reason: EventReason, message: string): void {
  context.events.emit({ regarding: provider, type: "Warning", reason, message });
  context.logger.warn("a mirrored Secret was changed by somebody else, or could not stay", {
    class: keyOf(provider),
    reason,
    detail: message,
  });
}

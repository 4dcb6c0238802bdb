import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { EVENTS, type EventWord } from "../../domain/reasons.ts";

/** A message to users about a class: an event on the class, and a log entry. */
export interface Notice {
  readonly kind:
    | "outcome"
    | "secret"
    | "copy"
    | "date"
    | "tooLarge"
    | "switchedOff"
    | "foreign"
    | "stale"
    | "ignored"
    | "restored"
    | "completed";
  readonly reason: EventWord;
  readonly message: string;
}

export interface Reporter {
  readonly events: EventSink;
  readonly logger: Logger;
}

export function report({ events, logger }: Reporter, spc: SecretProviderClass, { kind, reason, message }: Notice): void {
  events.emit({ regarding: spc, type: EVENTS[reason]?.type ?? "Warning", reason, message });
  const named = { class: keyOf(spc), detail: message };
  const fields = { ...named, reason };
  switch (kind) {
    case "outcome":
      if (reason === "Synced") logger.info("class synced", fields);
      else logger.warn("class not synced", fields);
      return;
    case "secret":
      logger.warn("a synced Secret was changed by someone else, or the worker had to replace it", fields);
      return;
    case "copy":
      logger.warn("a copy of a Secret has the name of someone else's Secret", named);
      return;
    case "date":
      logger.warn("an object's dates need attention", fields);
      return;
    case "tooLarge":
      logger.warn("a class is too large to sync", fields);
      return;
    case "switchedOff":
      logger.info("sync of a class is turned off", fields);
      return;
    case "foreign":
      logger.warn("a class was changed to another provider; its Secrets are kept", named);
      return;
    case "stale":
      logger.warn("class is stale", fields);
      return;
    case "restored":
      logger.info("a class was lost with its CRD and has been restored", named);
      return;
    case "completed":
      logger.warn("a damaged CRD had removed fields of a class; the worker restored them from its snapshot", named);
      return;
    case "ignored":
      logger.warn("class has a setting that is ignored", named);
      return;
  }
}

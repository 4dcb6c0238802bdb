import { EVENTS, type EventWord } from "../../domain/events.ts";
import type { SecretProviderClass } from "../../domain/kubernetes.ts";
import { keyOf } from "../../domain/object-key.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import type { Logger } from "../../domain/ports/logger.ts";

/** What people are told of a class: by an event on it, and in the log. */
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

export interface Teller {
  readonly events: EventSink;
  readonly logger: Logger;
}

export function tell({ events, logger }: Teller, spc: SecretProviderClass, { kind, reason, message }: Notice): void {
  events.emit({ regarding: spc, type: EVENTS[reason]?.type ?? "Warning", reason, message });
  const named = { class: keyOf(spc), detail: message };
  const fields = { ...named, reason };
  switch (kind) {
    case "outcome":
      if (reason === "Synced") logger.info("class synced", fields);
      else logger.warn("class not synced", fields);
      return;
    case "secret":
      logger.warn("a mirrored Secret was changed by somebody else, or could not stay", fields);
      return;
    case "copy":
      logger.warn("a copy of a Secret has a name that is somebody else's", named);
      return;
    case "date":
      logger.warn("an object's dates need attention", fields);
      return;
    case "tooLarge":
      logger.warn("a class is too large to be mirrored", fields);
      return;
    case "switchedOff":
      logger.info("class switched off", fields);
      return;
    case "foreign":
      logger.warn("a class was given to another provider: its Secrets stay", named);
      return;
    case "stale":
      logger.warn("class is stale", fields);
      return;
    case "restored":
      logger.info("a class was lost with its CRD and is restored", named);
      return;
    case "completed":
      logger.warn("a damaged CRD had cut fields off a class; they are back from its snapshot", named);
      return;
    case "ignored":
      logger.warn("something in a class is ignored, or works otherwise than it looks", named);
      return;
  }
}

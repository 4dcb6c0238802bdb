import { ownerKey } from "../../domain/gateways/owner-kinds.ts";
import type { CertificateState, GatewayNotice } from "../../domain/gateways/plan.ts";
import type { TlsOwner } from "../../domain/gateways/tls-owner.ts";
import type { EventSink } from "../../domain/ports/event-sink.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { EVENTS } from "../../domain/reasons.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";

export interface GatewayReportOptions {
  readonly events: EventSink;
  readonly logger: Logger;
  readonly metrics: GatewayMetrics;
}

/** Reports problems with certificates of Gateways and Ingresses, each once for as long as it stays the same. */
export class GatewayReport {
  readonly #options: GatewayReportOptions;
  readonly #said = new Map<string, ReadonlySet<string>>();

  constructor(options: GatewayReportOptions) {
    this.#options = options;
  }

  say(owner: TlsOwner, notices: readonly GatewayNotice[], states: readonly CertificateState[]): void {
    const { events, logger, metrics } = this.#options;
    const key = ownerKey(owner.kind, owner.object.metadata);
    const before = this.#said.get(key);
    for (const { reason, message } of notices) {
      if (before?.has(message) === true) continue;
      events.emit({ regarding: owner.object, type: EVENTS[reason]?.type ?? "Warning", reason, message });
      logger.warn("a certificate of a Gateway or Ingress needs attention", { owner: key, reason, detail: message });
    }
    if (notices.length === 0) this.#said.delete(key);
    else this.#said.set(key, new Set(notices.map(({ message }) => message)));
    metrics.observe(key, states);
  }

  forget(key: string): void {
    this.#said.delete(key);
    this.#options.metrics.observe(key, []);
  }
}

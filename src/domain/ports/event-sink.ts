import type { KubeObject } from "../kubernetes.ts";
import type { EventWord } from "../reasons.ts";

export interface EventSink {
  /** Posts one event on the object. Failures are logged, never thrown. */
  emit(event: {
    readonly regarding: KubeObject;
    readonly type: "Normal" | "Warning";
    readonly reason: EventWord;
    readonly message: string;
  }): void;
}

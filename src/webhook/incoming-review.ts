import type { IncomingMessage } from "node:http";
import type { AdmissionPlace } from "./admission-gate.ts";

/** A review on its way in, with the room that it has and the time that it gets. */
export interface IncomingReview {
  readonly message: IncomingMessage;
  /** Whom its share is counted for. */
  readonly peer: string;
  readonly place: AdmissionPlace;
  /** Aborts where the room is needed for another: what it was about is not decided any more. */
  readonly displaced: AbortSignal;
  /** Resolves when it is the peer's turn to be decided about. */
  turn(): Promise<void>;
}

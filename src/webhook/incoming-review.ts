import type { IncomingMessage } from "node:http";
import type { AdmissionPlace } from "./admission-gate.ts";

/** An incoming review, with its room in the gate and its turn. */
export interface IncomingReview {
  readonly message: IncomingMessage;
  /** Peer whose share it counts for. */
  readonly peer: string;
  readonly place: AdmissionPlace;
  /** Aborts if another review needs the room. This review is then no longer decided. */
  readonly displaced: AbortSignal;
  /** Resolves when it is the peer's turn for a decision. */
  turn(): Promise<void>;
}

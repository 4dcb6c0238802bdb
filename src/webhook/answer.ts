import type { AdmissionDecision } from "../domain/admission/decision.ts";
import { completeReview } from "../domain/admission/response.ts";
import type { IncomingReview } from "./incoming-review.ts";

/** Response to the API server: HTTP status and JSON body. */
export interface WebhookAnswer {
  readonly status: number;
  readonly body: object;
}

export type ReviewHandler = (review: IncomingReview) => Promise<WebhookAnswer>;

/** Returns the response for a decision, without a uid if none could be read. */
export function answerTo(uid: string | undefined, decision: AdmissionDecision): WebhookAnswer {
  return { status: decision.kind === "errored" ? decision.status : 200, body: completeReview(uid ?? "", decision) };
}

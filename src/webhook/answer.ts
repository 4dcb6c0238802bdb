import type { IncomingMessage } from "node:http";

/** What goes back to the API server: HTTP status and JSON body. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

export type ReviewHandler = (message: IncomingMessage) => Promise<Answer>;

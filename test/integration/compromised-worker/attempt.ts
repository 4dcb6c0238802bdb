import type { ApiAnswer, ApiCall } from "../../support/cluster/api-request.ts";

/** One request that somebody sends who has the worker's token, and what would make it a success. */
export interface Attempt {
  readonly what: string;
  readonly call: Omit<ApiCall, "token" | "as">;
  readonly succeeded: (answer: ApiAnswer) => boolean;
}

/** Of a write: it was let through. */
export const isDone = ({ status }: ApiAnswer): boolean => status < 300;

/** What every planted Secret holds. */
export const PLANTED = Buffer.from("planted-in-a-foreign-Secret").toString("base64");

/** Of a read, and of a write that is answered with what was there. */
export const isRead = ({ body }: ApiAnswer): boolean => JSON.stringify(body).includes(PLANTED);

export const isDoneOrRead = (answer: ApiAnswer): boolean => isDone(answer) || isRead(answer);

/** The same without an effect, where the API server knows that. */
export function dryRun({ call, ...attempt }: Attempt): Attempt {
  if (call.method === "GET" || call.path.endsWith("/token")) return { call, ...attempt };
  return { ...attempt, call: { ...call, path: `${call.path}${call.path.includes("?") ? "&" : "?"}dryRun=All` } };
}

import type { ApiAnswer, ApiCall } from "../../support/cluster/api-request.ts";

/** Request that someone sends with the worker's token, and the condition for its success. */
export interface Attempt {
  readonly what: string;
  readonly call: Omit<ApiCall, "token" | "as">;
  readonly succeeded: (answer: ApiAnswer) => boolean;
}

/** Whether the API server accepted the write. */
export const isDone = ({ status }: ApiAnswer): boolean => status < 300;

/** Value in every planted Secret. */
export const PLANTED = Buffer.from("planted-in-a-foreign-Secret").toString("base64");

/** Whether a read, or a write that returns the old content, exposes a planted value. */
export const isRead = ({ body }: ApiAnswer): boolean => JSON.stringify(body).includes(PLANTED);

export const isDoneOrRead = (answer: ApiAnswer): boolean => isDone(answer) || isRead(answer);

/** Returns the attempt as a dry run, if the API server supports one for it. */
export function dryRun({ call, ...attempt }: Attempt): Attempt {
  if (call.method === "GET" || call.path.endsWith("/token")) return { call, ...attempt };
  return { ...attempt, call: { ...call, path: `${call.path}${call.path.includes("?") ? "&" : "?"}dryRun=All` } };
}

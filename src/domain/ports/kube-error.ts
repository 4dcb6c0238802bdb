import type { Retry } from "./retry.ts";

export type KubeErrorCode =
  | "NotFound"
  | "AlreadyExists"
  | "Conflict"
  | "Forbidden"
  | "Unauthorized"
  | "Invalid"
  | "Throttled"
  | "Gone"
  /** The namespace is being deleted: nothing can be made in it. */
  | "Terminating"
  | "TooLarge"
  | "Unavailable";

/** An API server's refusal, or no answer at all. The message never holds a request or response body. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: KubeErrorCode;
  readonly retry: Retry;
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;

  constructor(
    code: KubeErrorCode,
    message: string,
    options: { readonly retry: Retry; readonly status?: number; readonly cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry;
    this.status = options.status;
  }
}

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
  /** Not sent: the lease was not renewed in time, and another replica may lead. */
  | "NotLeading"
  | "Unavailable";

/** Who said no where the API server asked others, by their own word alone. `rights`: an authorizer, RBAC among them, which is asked before any policy. */
export type Refuser =
  | { readonly kind: "rights" | "webhook" }
  /**
   * Name of the ValidatingAdmissionPolicy, and the message of its validation, of at most 300 characters. Of a Secret there is none: it may quote
   * values.
   */
  | { readonly kind: "policy"; readonly name: string; readonly sentence?: string };

interface KubeErrorOptions {
  readonly retry: Retry;
  readonly status?: number;
  readonly refuser?: Refuser | undefined;
  readonly isUnsent?: boolean;
  readonly cause?: unknown;
}

/** An API server's refusal, or no answer at all. The message never holds a request or response body. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: KubeErrorCode;
  readonly retry: Retry;
  /** HTTP status; undefined where no answer came. */
  readonly status: number | undefined;
  /** Undefined where the API server said no itself, or does not say who did. */
  readonly refuser: Refuser | undefined;
  /** For want of our own credentials, which neither the API server nor the network can mend; the message says what can. */
  readonly isUnsent: boolean;

  constructor(code: KubeErrorCode, message: string, options: KubeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry;
    this.status = options.status;
    this.refuser = options.refuser;
    this.isUnsent = options.isUnsent === true;
  }

  /** The policy of that name refused it: a missing right is something else. */
  isByPolicy(name: string): boolean {
    return this.code === "Forbidden" && this.refuser?.kind === "policy" && this.refuser.name === name;
  }
}

/** What is not sent, because this replica may lead no more. `attempt`: what it would have been. */
export function notLeading(attempt: string): KubeError {
  return new KubeError("NotLeading", `${attempt}: not sent, because the lease was not renewed in time, and another replica may hold it`, {
    retry: { kind: "backoff" },
  });
}

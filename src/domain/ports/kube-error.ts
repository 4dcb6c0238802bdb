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
  /** The namespace is terminating, so nothing can be created in it. */
  | "Terminating"
  | "TooLarge"
  /** Not sent: the lease was not renewed in time, and another replica may lead. */
  | "NotLeading"
  | "Unavailable";

/**
 * Part of the API server's process that rejected the request, as far as its answer identifies itself. `rights`: an authorizer, such as
 * RBAC, which the API server queries before any policy.
 */
export type Refuser =
  /** `impersonation`: who lacks permission to impersonate whom, such as `users "jane"`. The object of the request does not matter then. */
  | { readonly kind: "rights"; readonly impersonation?: { readonly by: string; readonly of: string } }
  | { readonly kind: "webhook" }
  /**
   * Name of the ValidatingAdmissionPolicy, and the message of its validation, up to 300 characters. For a Secret there is no message,
   * because it may quote values.
   */
  | { readonly kind: "policy"; readonly name: string; readonly sentence?: string };

interface KubeErrorOptions {
  readonly retry: Retry;
  readonly status?: number;
  readonly refuser?: Refuser | undefined;
  readonly isUnsent?: boolean;
  readonly isForeign?: boolean;
  readonly cause?: unknown;
}

/** A rejection by the API server, or no answer at all. The message never contains a request or response body. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  readonly code: KubeErrorCode;
  readonly retry: Retry;
  /** HTTP status; undefined if no answer came, or one with status 2xx that is not of a Kubernetes API server. */
  readonly status: number | undefined;
  /** Undefined if the API server itself rejected the request, or does not report the origin. */
  readonly refuser: Refuser | undefined;
  /**
   * Whether the request was not sent because this process lacks its own credentials. Then the cause is neither the API server nor the
   * network; the message names the remedy.
   */
  readonly isUnsent: boolean;
  /** Whether an answer came, but not one of a Kubernetes API server: a proxy may have answered, or the address is that of another server. */
  readonly isForeign: boolean;

  constructor(code: KubeErrorCode, message: string, options: KubeErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry;
    this.status = options.status;
    this.refuser = options.refuser;
    this.isUnsent = options.isUnsent === true;
    this.isForeign = options.isForeign === true;
  }

  /** Returns the same error with another retry. */
  withRetry(retry: Retry): KubeError {
    const { code, message, status, refuser, isUnsent, isForeign, cause } = this;
    return new KubeError(code, message, { retry, ...(status === undefined ? {} : { status }), refuser, isUnsent, isForeign, cause });
  }

  /** Whether the API server may have stored a write nevertheless: no answer came, or its storage did not answer in time. */
  get mayBeStored(): boolean {
    return !this.isUnsent && this.code !== "NotLeading" && (this.status === undefined || this.status >= 500);
  }

  /**
   * Whether the caller lacks a permission, as far as the answer shows. A policy or a webhook also answers `Forbidden`, to callers who have
   * every permission.
   */
  get lacksPermission(): boolean {
    return this.code === "Forbidden" && (this.refuser === undefined || this.refuser.kind === "rights");
  }

  /** Whether the policy of that name rejected the request. A missing right does not count. */
  isByPolicy(name: string): boolean {
    return this.code === "Forbidden" && this.refuser?.kind === "policy" && this.refuser.name === name;
  }
}

/** Returns the error for a request that is not sent because this replica may no longer lead. `attempt`: description of the request. */
export function notLeading(attempt: string): KubeError {
  return new KubeError("NotLeading", `${attempt}: not sent, because the lease was not renewed in time, and another replica may hold it`, {
    retry: { kind: "backoff" },
  });
}

/** Returns the error for a write that is not sent because its reason ended while it waited. `attempt`: description of the request. */
export function outdated(attempt: string): KubeError {
  return new KubeError("Conflict", `${attempt}: not sent, because the reason for it ended while it waited for its turn`, {
    retry: { kind: "backoff" },
    status: 409,
  });
}

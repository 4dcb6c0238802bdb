import type { Retry } from "../domain/ports/retry.ts";

export type TlsErrorCode =
  /** The CA in the Secret seems usable, but certificates that it signs do not verify. */
  | "CannotCertify"
  /** Other writers change the CA Secret as fast as it is read. */
  | "Contested"
  /** The CA Secret must change but is marked immutable. */
  | "Immutable"
  /** The API server responds as if it had no Secrets. */
  | "Unserved";

/** A failure of the certificate machinery. The message names objects and their keys, never a private key or its encoding. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly code: TlsErrorCode;
  readonly retry: Retry = { kind: "backoff" };

  constructor(code: TlsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

import { VaultError } from "../domain/ports/vault-error.ts";
import { boundedCall } from "./bounded-call.ts";
import { translateError, vaultError } from "./vault-errors.ts";
import type { VaultRequest } from "./vault-request.ts";

/** Key Vault's own rule for names and version ids. Any other character could change the path of the request. */
const PATH_SEGMENT = /^[-0-9a-zA-Z]{1,127}$/;

/** Throws an error for a name or version that must not be part of a path. */
export function assertPathSegments(request: VaultRequest): void {
  const { action, name, version } = request;
  if (action === "listAll") return;
  if (PATH_SEGMENT.test(name) && (version === undefined || PATH_SEGMENT.test(version))) return;
  const words = "names and versions are 1 to 127 letters, digits and -; correct objectName or objectVersion";
  throw vaultError(request, { code: "Invalid", retry: { kind: "never" }, origin: "class", words });
}

export interface Bounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Returns the error of a request that waited this long for its turn. The vault is not to blame: it received nothing. */
export function notSent(request: VaultRequest, milliseconds: number): VaultError {
  const words = `not sent, because earlier requests to the vault did not end within ${milliseconds / 1000} s; see their errors, and check the network path from the cluster`;
  return vaultError(request, { code: "Unreachable", retry: { kind: "backoff" }, origin: "own", words });
}

/** Runs one call of the SDK. Rejects with the signal's reason if the signal aborts, otherwise with a `VaultError`. */
export async function boundedRequest<T>(
  request: VaultRequest,
  call: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal }: Bounds,
): Promise<T> {
  try {
    return await boundedCall(call, timeoutMs, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof VaultError) throw error;
    throw translateError(error, request);
  }
}

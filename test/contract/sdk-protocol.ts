/** Lines between the contract suite and its SDK process. */
export interface ClientSpec {
  readonly vaultUrl: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorityHost?: string;
  /** Type of the sign-in. Without it, with the client secret. */
  readonly credential?: CredentialSpec;
  /** Most retries of a failed request. Default 0. */
  readonly maxRetries?: number;
}

export type CredentialSpec =
  | { readonly kind: "assertion"; readonly token: string }
  | { readonly kind: "workloadIdentity"; readonly tokenFilePath: string }
  | { readonly kind: "managedIdentity"; readonly clientId?: string; readonly resourceId?: string; readonly objectId?: string };

export interface WantedProperties {
  readonly enabled?: boolean;
  readonly contentType?: string;
  /** ISO 8601. */
  readonly notBefore?: string;
  readonly expiresOn?: string;
}

export type SecretCall =
  | { readonly kind: "get"; readonly name: string; readonly version?: string; readonly timeoutMs?: number }
  | { readonly kind: "set"; readonly name: string; readonly value: string; readonly options?: { readonly contentType?: string } }
  | { readonly kind: "update"; readonly name: string; readonly version: string; readonly properties: WantedProperties }
  | { readonly kind: "list" }
  | { readonly kind: "versions"; readonly name: string };

export type ObjectCall =
  | { readonly kind: "key" | "certificate"; readonly name: string; readonly version?: string }
  | { readonly kind: "keys" | "certificates" }
  | { readonly kind: "keyVersions" | "certificateVersions"; readonly name: string };

/** Calls for soft delete. `delete` and `recover` wait until the operation is complete. */
export type DeletionCall =
  | { readonly kind: "delete" | "deleted" | "recover" | "purge"; readonly object: "secret" | "key" | "certificate"; readonly name: string }
  | { readonly kind: "allDeleted"; readonly object: "secret" | "key" | "certificate" };

export type SdkCall = SecretCall | ObjectCall | DeletionCall;

export interface SdkCommand {
  readonly client: ClientSpec;
  readonly call: SdkCall;
}

export interface SdkFailure {
  readonly name: string;
  readonly message: string;
  readonly statusCode?: unknown;
  readonly code?: unknown;
  readonly details?: unknown;
  readonly response?: unknown;
}

export type SdkAnswer =
  | { readonly ok: true; readonly value: unknown; readonly sha256: string }
  | { readonly ok: false; readonly error: SdkFailure };

/** Encodes bytes as base64url. */
function encodeBytes(this: unknown, key: string, value: unknown): unknown {
  // For a Buffer, `value` is already the result of its toJSON.
  const original: unknown = typeof this === "object" && this !== null ? Reflect.get(this, key) : value;
  return original instanceof Uint8Array ? Buffer.from(original).toString("base64url") : value;
}

/** Writes one line. readline also breaks at U+2028 and U+2029, which JSON does not escape. */
export function toLine(message: SdkCommand | SdkAnswer): string {
  const escaped = JSON.stringify(message, encodeBytes).replace(
    /[\u2028\u2029]/g,
    (separator) => `\\u${separator.charCodeAt(0).toString(16)}`,
  );
  return `${escaped}\n`;
}

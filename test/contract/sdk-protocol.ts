/** The lines between the contract suite and its SDK process. */
export interface ClientSpec {
  readonly vaultUrl: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authorityHost?: string;
}

export interface WantedProperties {
  readonly enabled?: boolean;
  readonly contentType?: string;
  /** ISO 8601. */
  readonly notBefore?: string;
  readonly expiresOn?: string;
}

export type SdkCall =
  | { readonly kind: "get"; readonly name: string; readonly version?: string }
  | { readonly kind: "set"; readonly name: string; readonly value: string; readonly options?: { readonly contentType?: string } }
  | { readonly kind: "update"; readonly name: string; readonly version: string; readonly properties: WantedProperties }
  | { readonly kind: "list" }
  | { readonly kind: "versions"; readonly name: string };

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

/** One line: readline also breaks at U+2028 and U+2029, which JSON leaves as they are. */
export function toLine(message: SdkCommand | SdkAnswer): string {
  const escaped = JSON.stringify(message).replace(/[\u2028\u2029]/g, (separator) => `\\u${separator.charCodeAt(0).toString(16)}`);
  return `${escaped}\n`;
}

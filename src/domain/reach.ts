/** Result of a connection attempt, before any HTTP request. */
export type Reach =
  /** TCP and TLS work, and the certificate is trusted. */
  | { readonly kind: "reached" }
  /** The DNS server answers that the name does not exist. */
  | { readonly kind: "unresolved" }
  /** The DNS server does not answer. */
  | { readonly kind: "dnsSilent"; readonly code: string }
  | { readonly kind: "proxyUnreachable"; readonly code: string }
  /** HTTP status of the proxy's answer to CONNECT. */
  | { readonly kind: "proxyRefuses"; readonly status: number }
  /** The connection was refused, reset, or not routed. `code` comes from the operating system. */
  | { readonly kind: "refused"; readonly code: string }
  /** No answer before the timeout. */
  | { readonly kind: "silent" }
  /** `code` comes from Node. `issuer` is the name of the presented certificate's issuer, empty if the certificate does not state it. */
  | { readonly kind: "untrusted"; readonly code: string; readonly issuer: string };

export interface ReachAnswer {
  readonly reach: Reach;
  /** `host:port` of the proxy, without its password; undefined if no proxy was used. */
  readonly proxy: string | undefined;
}

export interface ReachTarget {
  readonly host: string;
  /** Default 443. */
  readonly port?: number;
  /** PEM of the CA to trust instead of the CAs of the machine. */
  readonly ca?: string;
  /** Whether to bypass the proxy, because the host is in the cluster. */
  readonly isDirect?: boolean;
}

/** Opens a TLS connection like the Azure SDK, and closes it. Limited in time. Rejects with the signal's reason. */
export type ReachHost = (target: ReachTarget, signal: AbortSignal) => Promise<ReachAnswer>;

/** What became of a connection: the steps before anything of HTTP is said. */
export type Reach =
  /** TCP and TLS stand, and the certificate is trusted. */
  | { readonly kind: "reached" }
  /** The name service says that there is no such name. */
  | { readonly kind: "unresolved" }
  /** The name service itself does not answer. */
  | { readonly kind: "dnsSilent"; readonly code: string }
  | { readonly kind: "proxyUnreachable"; readonly code: string }
  /** HTTP status of the proxy's answer to CONNECT. */
  | { readonly kind: "proxyRefuses"; readonly status: number }
  /** Refused, reset or not routed; `code` is the system's. */
  | { readonly kind: "refused"; readonly code: string }
  /** No answer in time. */
  | { readonly kind: "silent" }
  /** `code` is Node's; `issuer` the name of whoever signed what was presented, empty where it does not say. */
  | { readonly kind: "untrusted"; readonly code: string; readonly issuer: string };

export interface ReachAnswer {
  readonly reach: Reach;
  /** `host:port` of the proxy that was used, without its password; undefined: none. */
  readonly proxy: string | undefined;
}

export interface ReachTarget {
  readonly host: string;
  /** Default 443. */
  readonly port?: number;
  /** Trusted instead of the CAs of the machine, PEM. */
  readonly ca?: string;
  /** Never through a proxy: the host is one of the cluster. */
  readonly isDirect?: boolean;
}

/** Opens a TLS connection, as the Azure SDK would, and closes it again. Bounded; rejects with the signal's reason. */
export type ReachHost = (target: ReachTarget, signal: AbortSignal) => Promise<ReachAnswer>;

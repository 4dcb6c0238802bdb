/** Failures below HTTP by Node's codes, and their remedies. */

/** Destination of a request: a vault, whose name a class determines, or the place where tokens come from. */
export type Reached = "vault" | "signIn";

const WORDS: Readonly<Record<string, Readonly<Record<Reached, string>>>> = {
  ENOTFOUND: {
    vault: "the name does not resolve; check keyvaultName, cloudName, and the cluster's DNS, and that the vault exists",
    signIn: "the name does not resolve; check the cluster's DNS, and the cloud (cloudName of a class, or authorityHost of an event queue)",
  },
  EAI_AGAIN: {
    vault: "the DNS server does not answer; check the cluster's DNS",
    signIn: "the DNS server does not answer; check the cluster's DNS",
  },
  ECONNREFUSED: {
    vault: "the connection is refused; check the firewall, and HTTPS_PROXY if a proxy is set",
    signIn: "the connection is refused; check the firewall, and HTTPS_PROXY if a proxy is set",
  },
};

const TLS = "the certificate is not trusted; if a proxy intercepts TLS, provide the proxy's CA in NODE_EXTRA_CA_CERTS";

export function networkRemedy(code: string, reached: Reached): string {
  const isTls = /CERT|SIGNATURE|SSL|TLS/.test(code);
  return WORDS[code]?.[reached] ?? (isTls ? TLS : "check the network path from the cluster");
}

/** Code of the proxy's own failure: its response to CONNECT, or the reason why it cannot be reached. */
const PROXY_CODE = /^PROXY_(?:ANSWERED_(\d{3})|([A-Z][A-Z0-9_]{2,50}))$/;

export function proxyAnswered(status: number): string {
  return `PROXY_ANSWERED_${status}`;
}

export function proxyNotReached(code: string): string {
  return `PROXY_${code}`;
}

/** Returns undefined if the failure is not the proxy's. */
export function proxyWords(code: string, host: string, ifAbsent: string): string | undefined {
  const [, status, reason] = PROXY_CODE.exec(code) ?? [];
  if (reason !== undefined) return `the proxy cannot be reached (${reason}); check HTTPS_PROXY and NO_PROXY`;
  if (status === undefined) return undefined;
  return `the proxy in HTTPS_PROXY does not open a tunnel to ${host} (HTTP ${status}); configure the proxy to resolve and allow this host name${ifAbsent}`;
}

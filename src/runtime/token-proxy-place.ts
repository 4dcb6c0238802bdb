/** Address of the token proxy of an AKS cluster, for identity bindings. */

export interface TokenProxyPlace {
  /** `https://…`, without user, query and fragment. */
  readonly url: string;
  /** The proxy's name in TLS; undefined if it is derived from the certificate of {@link apiServer}. */
  readonly serverName: string | undefined;
  /**
   * PEM file of the CAs that are trusted for both. If there is no such file, the process's CAs are trusted, provided that {@link
   * serverName} is given.
   */
  readonly caFile: string;
  readonly apiServer: { readonly host: string; readonly port: number };
}

/** As in the Azure provider: the names by which every pod knows the API server and its CA. */
const API_SERVER = "kubernetes.default.svc.cluster.local";
const CA_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
const HTTPS_PORT = 443;

export interface TokenProxySettings {
  /** `--token-proxy-url`; if empty, the API server's address. */
  readonly tokenProxyUrl: string;
  /** `--sni-name`; empty if not given. */
  readonly sniName: string;
}

/** Returns the address. `port` is that of the API server's Service, which the kubelet gives to pods; if empty, 443. */
export function tokenProxyPlace({ tokenProxyUrl, sniName }: TokenProxySettings, port: string): TokenProxyPlace {
  return {
    url: tokenProxyUrl === "" ? `https://${API_SERVER}` : tokenProxyUrl,
    serverName: sniName === "" ? undefined : sniName,
    caFile: CA_FILE,
    apiServer: { host: API_SERVER, port: port === "" ? HTTPS_PORT : Number(port) },
  };
}

/**
 * Returns what to write instead of the address; undefined if it can be used. The user's text may contain a password, and is not repeated.
 */
export function tokenProxyProblem(text: string): string | undefined {
  if (text === "") return undefined;
  if (!URL.canParse(text)) return "write an address such as https://kubernetes.default.svc.cluster.local";
  const { protocol, username, password, search, hash } = new URL(text);
  if (protocol !== "https:") return "write an address that begins with https://";
  if (username !== "" || password !== "") return "write the address without user and password";
  return search === "" && hash === "" ? undefined : "write the address without query and fragment";
}

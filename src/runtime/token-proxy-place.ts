/** Where the token proxy of an AKS cluster is, for identity bindings. */

export interface TokenProxyPlace {
  /** `https://…`, without user, query and fragment. */
  readonly url: string;
  /** The proxy's name in TLS; undefined: made from the certificate of {@link apiServer}. */
  readonly serverName: string | undefined;
  /** PEM of CAs that are trusted for both; where there is no such file, those of the process are, if {@link serverName} is given. */
  readonly caFile: string;
  readonly apiServer: { readonly host: string; readonly port: number };
}

/** As the Azure provider has them: the names that every pod knows the API server and its CA by. */
const API_SERVER = "kubernetes.default.svc.cluster.local";
const CA_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
const HTTPS_PORT = 443;

export interface TokenProxySettings {
  /** `--token-proxy-url`; empty: the API server's. */
  readonly tokenProxyUrl: string;
  /** `--sni-name`; empty: not given. */
  readonly sniName: string;
}

/** `port`: of the API server's Service, as the kubelet gives it to pods; empty: 443. */
export function tokenProxyPlace({ tokenProxyUrl, sniName }: TokenProxySettings, port: string): TokenProxyPlace {
  return {
    url: tokenProxyUrl === "" ? `https://${API_SERVER}` : tokenProxyUrl,
    serverName: sniName === "" ? undefined : sniName,
    caFile: CA_FILE,
    apiServer: { host: API_SERVER, port: port === "" ? HTTPS_PORT : Number(port) },
  };
}

/** What is wrong with the address; undefined where it can be used. What a user wrote into it may be a password, and is not repeated. */
export function tokenProxyProblem(text: string): string | undefined {
  if (text === "") return undefined;
  if (!URL.canParse(text)) return "write an address such as https://kubernetes.default.svc.cluster.local";
  const { protocol, username, password, search, hash } = new URL(text);
  if (protocol !== "https:") return "write an address that begins with https://";
  if (username !== "" || password !== "") return "write the address without user and password";
  return search === "" && hash === "" ? undefined : "write the address without query and fragment";
}

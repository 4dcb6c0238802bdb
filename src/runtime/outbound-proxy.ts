import { BlockList, isIP } from "node:net";
import { failed, ok, type Result } from "../domain/result.ts";
import { wordsOf } from "../domain/words.ts";

/** Proxy for all outbound traffic except that to the API server and the machine's metadata service. */
export interface OutboundProxy {
  /** `http://` or `https://`, including user and password: never log it. */
  readonly url: URL;
  /** Whether NO_PROXY exempts the address. */
  readonly isBypassed: (address: URL) => boolean;
}

/** The first variable that is set counts. All Azure traffic is HTTPS. The other variables are for clusters that set only those. */
const VARIABLES = ["HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"] as const;

type Environment = Readonly<Record<string, string | undefined>>;

interface Given {
  readonly variable: string;
  readonly text: string;
}

/** Upper case wins over lower case, as in Go and in the SDK. */
function given(environment: Environment, name: string): Given | undefined {
  for (const variable of [name, name.toLowerCase()]) {
    const text = environment[variable];
    if (text !== undefined && text !== "") return { variable, text };
  }
  return undefined;
}

/** Returns undefined if no variable names a proxy. The error names the variable but not the address, which may contain a password. */
export function readOutboundProxy(environment: Environment): Result<OutboundProxy | undefined, string> {
  const proxy = VARIABLES.map((name) => given(environment, name)).find((entry) => entry !== undefined);
  if (proxy === undefined) return ok(undefined);
  const url = proxyAddress(proxy.text);
  if (url === undefined) return failed(`${proxy.variable}: not the address of an HTTP proxy; write http://<host>:<port>`);
  const rules = bypassRules(given(environment, "NO_PROXY")?.text ?? "");
  return ok({ url, isBypassed: (address) => isLoopback(hostOf(address)) || rules.some((applies) => applies(address)) });
}

/** Reads `proxy.example.com:3128` as `http://proxy.example.com:3128`. */
function proxyAddress(text: string): URL | undefined {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url !== undefined && ["http:", "https:"].includes(url.protocol) && url.hostname !== "" ? url : undefined;
}

const IPV4_LOOPBACK = /^127(\.\d{1,3}){3}$/;

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || IPV4_LOOPBACK.test(host);
}

function hostOf({ hostname }: URL): string {
  return hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
}

function portOf({ port, protocol }: URL): string {
  return port !== "" ? port : protocol === "http:" ? "80" : "443";
}

type Rule = (address: URL) => boolean;

/**
 * Reads NO_PROXY like Go, and so like the Azure provider: `*`; `example.com` with its subdomains; `*.example.com` without the name itself;
 * addresses; ranges in CIDR; each except ranges with an optional `:port`. For the SDK `.example.com` means `example.com`, for Go it means
 * `*.example.com`. This function agrees with the SDK, because a request that the SDK does not send through a proxy bypasses the proxy
 * anyway.
 */
function bypassRules(text: string): readonly Rule[] {
  return wordsOf(text.toLowerCase()).flatMap((entry) => bypassRule(entry) ?? []);
}

function bypassRule(entry: string): Rule | undefined {
  if (entry === "*") return () => true;
  if (entry.includes("/")) return rangeRule(entry);
  const { host, port } = splitPort(entry);
  if (host === "") return undefined;
  const isNamed = isIP(host) === 0 ? nameRule(host) : addressRule(host);
  return (address) => isNamed(hostOf(address)) && (port === "" || port === portOf(address));
}

function splitPort(entry: string): { readonly host: string; readonly port: string } {
  const [, bracketed, plain = "", port = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(entry) ?? [];
  const host = bracketed ?? plain;
  // A bare IPv6 address has colons and no port.
  return host === "" && isIP(entry) === 6 ? { host: entry, port: "" } : { host, port };
}

function nameRule(pattern: string): (host: string) => boolean {
  if (pattern.startsWith("*.")) return (host) => host.endsWith(pattern.slice(1));
  const name = pattern.replace(/^\./, "");
  return (host) => host === name || host.endsWith(`.${name}`);
}

const familyOf = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

function addressRule(address: string): (host: string) => boolean {
  const list = new BlockList();
  list.addAddress(address, familyOf(address));
  return (host) => isIP(host) !== 0 && list.check(host, familyOf(host));
}

function rangeRule(range: string): Rule | undefined {
  const [, network = "", prefix = ""] = /^([^/]+)\/(\d{1,3})$/.exec(range) ?? [];
  const family = isIP(network);
  if (family === 0 || Number(prefix) > (family === 6 ? 128 : 32)) return undefined;
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), familyOf(network));
  return (address) => isIP(hostOf(address)) === family && list.check(hostOf(address), familyOf(network));
}

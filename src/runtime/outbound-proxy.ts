import { BlockList, isIP } from "node:net";
import { failed, ok, type Result } from "../domain/result.ts";
import { wordsOf } from "../domain/words.ts";

/** The way out of the cluster, for everything but the API server and the machine's metadata service. */
export interface OutboundProxy {
  /** `http://` or `https://`, user and password included: never to be logged. */
  readonly url: URL;
  /** Whether NO_PROXY exempts the address. */
  readonly isBypassed: (address: URL) => boolean;
}

/** The first that is set counts. All of Azure is HTTPS; the others are what clusters have where nobody thought of that. */
const VARIABLES = ["HTTPS_PROXY", "ALL_PROXY", "HTTP_PROXY"] as const;

type Environment = Readonly<Record<string, string | undefined>>;

interface Given {
  readonly variable: string;
  readonly text: string;
}

/** Capitals win over small letters, as in Go and in the SDK. */
function given(environment: Environment, name: string): Given | undefined {
  for (const variable of [name, name.toLowerCase()]) {
    const text = environment[variable];
    if (text !== undefined && text !== "") return { variable, text };
  }
  return undefined;
}

/** Undefined where no variable names a proxy. The error names the variable, not the address: that may hold a password. */
export function readOutboundProxy(environment: Environment): Result<OutboundProxy | undefined, string> {
  const proxy = VARIABLES.map((name) => given(environment, name)).find((entry) => entry !== undefined);
  if (proxy === undefined) return ok(undefined);
  const url = proxyAddress(proxy.text);
  if (url === undefined) return failed(`${proxy.variable}: not the address of an HTTP proxy; write http://<host>:<port>`);
  const rules = bypassRules(given(environment, "NO_PROXY")?.text ?? "");
  return ok({ url, isBypassed: (address) => isLoopback(hostOf(address)) || rules.some((applies) => applies(address)) });
}

/** `proxy.example.com:3128` means `http://proxy.example.com:3128`. */
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
 * NO_PROXY as Go reads it, and with it the Azure provider: `*`; `example.com` with everything below it; `*.example.com` without the
 * name itself; addresses; ranges in CIDR; each but the range with `:port`. The SDK has `.example.com` mean `example.com`, where Go has
 * it mean `*.example.com`: so does this, since what the SDK lets past a proxy is past it.
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

/** The query of a request. If a name occurs more than once, its first value counts. */
export type Query = ReadonlyMap<string, string>;

/** Target of a request, from its URL alone. */
export interface Route {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  /** Undefined for the collection. */
  readonly name: string | undefined;
  readonly subresource: string;
  readonly query: Query;
}

/** Parsed URLs: a worker requests the same few again and again. */
const known = new Map<string, Route | undefined>();
const MOST_KNOWN = 4_096;

/** Returns undefined if the path is not that of a resource. */
export function routeOf(url: string): Route | undefined {
  if (known.has(url)) return known.get(url);
  const route = parse(url);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(url, route);
  return route;
}

function parse(url: string): Route | undefined {
  const cut = url.indexOf("?");
  const path = cut === -1 ? url : url.slice(0, cut);
  const query: Query = cut === -1 ? new Map() : new Map([...new URLSearchParams(url.slice(cut + 1))].toReversed());
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const isCore = parts[0] === "api";
  if (!isCore && parts[0] !== "apis") return undefined;
  const [group, version, ...rest] = isCore ? ["", ...parts.slice(1)] : parts.slice(1);
  if (group === undefined || version === undefined || rest.length === 0) return undefined;
  return { group, version, query, ...placeOf(rest) };
}

function placeOf(parts: readonly string[]): Omit<Route, "group" | "version" | "query"> {
  const isNamespaced = parts[0] === "namespaces" && parts.length > 2 && parts[2] !== "status" && parts[2] !== "finalize";
  const [plural = "", name, ...below] = isNamespaced ? parts.slice(2) : parts;
  return { plural, namespace: isNamespaced ? parts[1] : undefined, name, subresource: below.join("/") };
}

/** The service's page size, also its maximum: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets */
const PAGE_SIZE = 25;

export interface Page<T> {
  readonly items: readonly T[];
  /** Absolute URL of the next page, or null on the last. */
  readonly nextLink: string | null;
}

export interface PageRequest {
  /** URL without query. */
  readonly url: string;
  readonly query: URLSearchParams;
}

/** `undefined` for a page size or a skip token the service would refuse. */
export function pageOf<T>(all: readonly T[], { url, query }: PageRequest): Page<T> | undefined {
  const size = Number(query.get("maxresults") ?? PAGE_SIZE);
  const skip = Number(Buffer.from(query.get("$skiptoken") ?? "", "base64url").toString("utf8") || "0");
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE || !Number.isInteger(skip) || skip < 0) return undefined;
  const items = all.slice(skip, skip + size);
  const end = skip + items.length;
  if (end >= all.length) return { items, nextLink: null };
  const next = new URLSearchParams({ "api-version": query.get("api-version") ?? "" });
  next.set("$skiptoken", Buffer.from(String(end)).toString("base64url"));
  next.set("maxresults", String(size));
  return { items, nextLink: `${url}?${next.toString()}` };
}

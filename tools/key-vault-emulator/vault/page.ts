/** Default and maximum page size of the service: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secrets/get-secrets */
export const PAGE_SIZE = 25;

export interface Page<T> {
  readonly items: readonly T[];
  /** Absolute URL of the next page, or null on the last page. */
  readonly nextLink: string | null;
}

export interface PageRequest {
  /** URL without query. */
  readonly url: string;
  readonly query: URLSearchParams;
}

/**
 * Returns one page of a list in which deleted objects keep their places. A page can have fewer items than places, and can be empty before
 * the last page. As recorded in https://github.com/Azure/azure-sdk-for-js (keyvault-secrets,
 * recording_can_list_deleted_secrets_by_page.json: `{"value":[],"nextLink":…}`). `undefined` for a page size or a skip token that the
 * service would reject.
 */
export function pageOf<T extends object>(all: readonly (T | undefined)[], { url, query }: PageRequest): Page<T> | undefined {
  const size = Number(query.get("maxresults") ?? PAGE_SIZE);
  const skip = Number(Buffer.from(query.get("$skiptoken") ?? "", "base64url").toString("utf8") || "0");
  if (!Number.isInteger(size) || size < 1 || size > PAGE_SIZE || !Number.isInteger(skip) || skip < 0) return undefined;
  const end = Math.min(skip + size, all.length);
  const items = all.slice(skip, end).filter((item) => item !== undefined);
  if (end >= all.length) return { items, nextLink: null };
  const next = new URLSearchParams({ "api-version": query.get("api-version") ?? "" });
  next.set("$skiptoken", Buffer.from(String(end)).toString("base64url"));
  next.set("maxresults", String(size));
  return { items, nextLink: `${url}?${next.toString()}` };
}

import { isJsonObject, type JsonObject, parsedJson } from "../domain/json-object.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../domain/kubernetes.ts";
import type { ListOptions } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import { type Attempt, foreignAnswer, refusedBy } from "./errors.ts";
import { collectionPath, withQuery } from "./paths.ts";
import type { Transport } from "./transport.ts";

/** Maximum number of objects per page; kubectl uses the same. */
export const PAGE_SIZE = 500;

/** Number of objects on the first page of a list, whose objects may have any size. */
const FIRST_PAGE = 20;

/** Wanted bytes per page: about five hundred objects of a few kilobytes, or two that are as large as they can be. */
const WANTED_BYTES = 2 * 1024 * 1024;

/**
 * Maximum bytes of a page. A user who may write in one namespace may write hundreds of objects of a megabyte each. A page of five hundred
 * of them, held as bytes, text and objects at once, ended the process each time it started. The client gives up a longer page and requests
 * it again with fewer objects. It reads a single object whatever its size.
 */
const MOST_BYTES = 2 * WANTED_BYTES;

/** Factor by which the next page may grow, before and after a page was too long. A page that is too long costs the API server work, too. */
const GROWTH = { before: 8, after: 2 } as const;
const SHRINKING = 8;

/** There is no fallback: an API server that cannot omit the values must reject the request (406). */
const METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** The same for one object, and for the objects of a watch. */
export const METADATA_OBJECT = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/** A continue token lives about five minutes. A list that expires this often is too slow to ever end. */
const RESTARTS = 3;

export interface Listing<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export interface PagedList<T> extends ListOptions {
  readonly resource: Resource;
  /** Maximum number of objects per page. */
  readonly pageSize: number;
  /**
   * Called for each object as its page arrives, so that the client never holds a whole large list if the caller wants only a part of each
   * object.
   */
  readonly keep: (object: KubeObject) => T;
  /** See `ListRequest`. */
  readonly metadataOnly?: boolean | undefined;
}

/** Lists every page of a collection as of one resourceVersion. Starts over if the API server no longer has that version. */
export async function listPages<T>(transport: Transport, list: PagedList<T>, signal: AbortSignal): Promise<Listing<T>> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await listOnce(transport, list, signal);
    } catch (error) {
      if (!(error instanceof KubeError && error.code === "Gone") || restarts >= RESTARTS) throw error;
    }
  }
}

async function listOnce<T>(transport: Transport, list: PagedList<T>, signal: AbortSignal): Promise<Listing<T>> {
  const items: T[] = [];
  let size = Math.min(FIRST_PAGE, list.pageSize);
  let growth: number = GROWTH.before;
  let next: string | undefined;
  for (;;) {
    const answer = await readPage(transport, { list, size, next }, signal);
    if (answer === undefined) {
      size = Math.max(1, Math.floor(size / SHRINKING));
      growth = GROWTH.after;
      continue;
    }
    const page = parsePage(attemptOf(list), answer);
    for (const item of page.items) items.push(list.keep(item));
    if (page.next === undefined) return { items, resourceVersion: page.resourceVersion };
    next = page.next;
    const wanted = Math.floor((page.items.length * WANTED_BYTES) / answer.length);
    size = Math.max(1, Math.min(wanted, size * growth, list.pageSize));
  }
}

interface Page {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  readonly next: string | undefined;
}

interface PageRequest {
  readonly list: Omit<PagedList<unknown>, "keep">;
  readonly size: number;
  readonly next: string | undefined;
}

/** Returns the text of a page, or undefined if it is too long. */
async function readPage(transport: Transport, { list, size, next }: PageRequest, signal: AbortSignal): Promise<string | undefined> {
  const { resource, namespace, labelSelector, fieldSelector, metadataOnly } = list;
  const path = withQuery(collectionPath(resource, namespace), { labelSelector, fieldSelector, limit: size, continue: next });
  const attempt = attemptOf(list);
  const accept = metadataOnly === true ? METADATA_LIST : undefined;
  const answer = await transport.call({ attempt, method: "GET", path, accept, mostBytes: size === 1 ? undefined : MOST_BYTES }, signal);
  if (answer.isTooLong === true) return undefined;
  if (answer.status !== 200) throw refusedBy(attempt, answer);
  return answer.body;
}

function attemptOf({ resource, namespace }: Pick<PagedList<unknown>, "resource" | "namespace">): Attempt {
  return { verb: "list", resource, ...(namespace === undefined ? {} : { ref: { namespace } }) };
}

function parsePage(attempt: Attempt, body: string): Page {
  const page = parseObject(body) as { metadata?: { resourceVersion?: unknown; continue?: unknown }; items?: unknown } | undefined; // The following lines check it.
  const resourceVersion = page?.metadata?.resourceVersion;
  if (page === undefined || typeof resourceVersion !== "string" || !(Array.isArray(page.items) || page.items === null)) {
    throw foreignAnswer(attempt, "the response is not a Kubernetes list");
  }
  const token = page.metadata?.continue;
  return {
    items: (page.items ?? []).map((item: unknown) => withKind(attempt.resource, item as KubeObject)), // Objects of the API server have metadata.
    resourceVersion,
    next: typeof token === "string" && token !== "" ? token : undefined,
  };
}

/** Adds apiVersion and kind: items of built-in lists have none, and a metadata-only item has a kind of its own. */
export function withKind(resource: Resource, item: KubeObject): KubeObject {
  const isUnnamed = item.kind === undefined || item.kind === "PartialObjectMetadata";
  return isUnnamed ? { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind } : item;
}

export function parseObject(text: string): JsonObject | undefined {
  const value = parsedJson(text);
  return isJsonObject(value) ? value : undefined;
}

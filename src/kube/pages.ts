import { apiVersionOf, type KubeObject, type Resource } from "../domain/kubernetes.ts";
import type { ListOptions } from "../domain/ports/kube-client.ts";
import { KubeError } from "../domain/ports/kube-error.ts";
import { type Attempt, noAnswer, refusal } from "./errors.ts";
import { collectionPath, withQuery } from "./paths.ts";
import type { Transport } from "./transport.ts";

/** Objects per page: what kubectl asks for. */
export const PAGE_SIZE = 500;

/** A continue token lives about five minutes; a list that expires this often is too slow to ever end. */
const RESTARTS = 3;

export interface Listing<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export interface PagedList<T> extends ListOptions {
  readonly resource: Resource;
  readonly pageSize: number;
  /** Called for each object as its page arrives, so that a large list is never held whole where only a part of each object is wanted. */
  readonly keep: (object: KubeObject) => T;
}

/** Every page of a collection as of one resourceVersion; starts over when the API server forgets it in between. */
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
  let next: string | undefined;
  for (;;) {
    const page = await readPage(transport, { list, next }, signal);
    for (const item of page.items) items.push(list.keep(item));
    if (page.next === undefined) return { items, resourceVersion: page.resourceVersion };
    next = page.next;
  }
}

interface Page {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  readonly next: string | undefined;
}

interface PageRequest {
  readonly list: Omit<PagedList<unknown>, "keep">;
  readonly next: string | undefined;
}

async function readPage(transport: Transport, { list, next }: PageRequest, signal: AbortSignal): Promise<Page> {
  const { resource, namespace, labelSelector, fieldSelector, pageSize } = list;
  const path = withQuery(collectionPath(resource, namespace), { labelSelector, fieldSelector, limit: pageSize, continue: next });
  const attempt: Attempt = { verb: "list", resource, ...(namespace === undefined ? {} : { ref: { namespace } }) };
  const answer = await transport.call({ attempt, method: "GET", path }, signal);
  if (answer.status !== 200) throw refusal(attempt, answer);
  return parsePage(attempt, answer.body);
}

function parsePage(attempt: Attempt, body: string): Page {
  const page = parseObject(body) as { metadata?: { resourceVersion?: unknown; continue?: unknown }; items?: unknown } | undefined; // Checked here.
  const resourceVersion = page?.metadata?.resourceVersion;
  if (page === undefined || typeof resourceVersion !== "string" || !(Array.isArray(page.items) || page.items === null)) {
    throw noAnswer(attempt, "the answer is not a Kubernetes list");
  }
  const token = page.metadata?.continue;
  return {
    items: (page.items ?? []).map((item: unknown) => withKind(attempt.resource, item as KubeObject)), // Objects of the API server have metadata.
    resourceVersion,
    next: typeof token === "string" && token !== "" ? token : undefined,
  };
}

/** Items of built-in lists come without their apiVersion and kind. */
function withKind(resource: Resource, item: KubeObject): KubeObject {
  return item.kind === undefined ? { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind } : item;
}

/** A JSON object, or undefined. A parser's error quotes the text, which may be a Secret: it goes no further. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined; // Just checked.
  } catch {
    return undefined;
  }
}

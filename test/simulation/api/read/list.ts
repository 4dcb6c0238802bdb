import type { JsonObject } from "../json.ts";
import type { Kind } from "../kind.ts";
import { badRequest, expired, tooLargeVersion } from "../refusal.ts";
import type { Query } from "../route.ts";
import type { Collection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";
import { keyOf, type Stored } from "../store/stored.ts";
import { parseFieldSelector } from "./field-selector.ts";
import { parseLabelSelector } from "./label-selector.ts";
import { itemText } from "./render.ts";

/** Objects that a list or a watch selects. */
export interface Selection {
  readonly namespace: string | undefined;
  readonly matches: (object: JsonObject) => boolean;
  readonly hasSelector: boolean;
  /** Key of the only object that can match. */
  readonly key: string | undefined;
}

export function selectionOf(kind: Kind, namespace: string | undefined, query: Query): Selection {
  const byLabel = parseLabelSelector(query.get("labelSelector") ?? "");
  const byField = parseFieldSelector(query.get("fieldSelector") ?? "", kind);
  const where = namespace ?? byField?.namespace;
  const key =
    byField?.name === undefined || (kind.namespaced && where === undefined)
      ? undefined
      : keyOf(kind.namespaced ? where : undefined, byField.name);
  return {
    namespace: where,
    hasSelector: byLabel !== undefined || byField !== undefined,
    key,
    matches: (object) => (byLabel?.(object) ?? true) && (byField?.matches(object) ?? true),
  };
}

export interface Listing {
  readonly kind: Kind;
  readonly collection: Collection;
  readonly store: Store;
  readonly namespace: string | undefined;
  readonly query: Query;
}

interface Token {
  readonly v: "meta.k8s.io/v1";
  readonly rv: number;
  readonly start: string;
}

const EXPIRED =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** Returns the body of a list, or of one page. */
export function listText(listing: Listing): string {
  const { kind, collection, store, query } = listing;
  const selection = selectionOf(kind, listing.namespace, query);
  const limit = Number(query.get("limit") ?? 0);
  const token = readToken(query.get("continue") ?? "");
  assertVersion(store, query);
  const version = token === undefined ? listedVersion(store, query) : continuedVersion(store, token);
  const all = version === store.version ? current(collection, selection) : collection.listAt(version, selection.namespace);
  const page = pageOf(all, { selection, limit, start: token?.start ?? "" });
  return pageText(kind, page, version);
}

function current(collection: Collection, { key, namespace }: Selection): readonly Stored[] {
  if (key === undefined) return collection.list(namespace);
  const found = collection.get(key);
  return found === undefined ? [] : [found];
}

interface Page {
  readonly items: readonly Stored[];
  /** Start of the next page. */
  readonly next: string | undefined;
  /** Undefined if there is a selector, because the number is unknown. */
  readonly remaining: number | undefined;
}

function pageOf(
  all: readonly Stored[],
  { selection, limit, start }: { readonly selection: Selection; readonly limit: number; readonly start: string },
): Page {
  const isWanted = (object: Stored): boolean => object.key >= start && (selection.key === undefined || object.key === selection.key);
  const wanted = start === "" && selection.key === undefined ? all : all.filter(isWanted);
  const items: Stored[] = [];
  for (const [index, object] of wanted.entries()) {
    if (selection.hasSelector && !selection.matches(object.object)) continue;
    items.push(object);
    if (limit > 0 && items.length === limit && index + 1 < wanted.length) {
      const remaining = selection.hasSelector ? undefined : wanted.length - index - 1;
      return { items, next: `${object.key}\u0000`, remaining };
    }
  }
  return { items, next: undefined, remaining: undefined };
}

function pageText(kind: Kind, { items, next, remaining }: Page, version: number): string {
  const metadata = {
    resourceVersion: String(version),
    ...(next === undefined
      ? kind.isCustom
        ? { continue: "" }
        : {}
      : { continue: writeToken({ v: "meta.k8s.io/v1", rv: version, start: next }) }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
  const texts = items.map(({ object }) => itemText(kind, kind.view(object)));
  const head = { kind: `${kind.kind}List`, apiVersion: kind.apiVersion, metadata };
  return `${JSON.stringify(head).slice(0, -1)},"items":[${texts.join(",")}]}`;
}

function writeToken(token: Token): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

function readToken(text: string): Token | undefined {
  if (text === "") return undefined;
  try {
    const token = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as Token; // Checked below.
    if (token.v === "meta.k8s.io/v1" && typeof token.rv === "number" && typeof token.start === "string") return token;
  } catch {
    // The error below covers this, too.
  }
  const at = Math.max(0, text.search(/[^\w-]/));
  throw badRequest(`invalid continue token: continue key is not valid: illegal base64 data at input byte ${at}`);
}

/** Returns the version of a list: the requested one if the list has a limit, otherwise the present one. */
function listedVersion(store: Store, query: Query): number {
  const wanted = Number(query.get("resourceVersion") ?? 0);
  if (wanted === 0 || !query.has("limit") || query.has("resourceVersionMatch")) return store.version;
  if (wanted < store.compacted) throw expired("The resourceVersion for the provided list is too old.");
  return wanted;
}

/** Returns the version of the earlier pages, or the present one if the server told the client to continue with that. */
function continuedVersion(store: Store, token: Token): number {
  if (token.rv === -1) return store.version;
  if (token.rv < store.compacted) throw expired(EXPIRED, writeToken({ ...token, rv: -1 }));
  return token.rv;
}

function assertVersion(store: Store, query: Query): void {
  const wanted = Number(query.get("resourceVersion") ?? 0);
  if (wanted > store.version) throw tooLargeVersion(wanted, store.version);
}

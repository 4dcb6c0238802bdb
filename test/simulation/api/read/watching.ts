import type { Kind } from "../kind.ts";
import type { Query } from "../route.ts";
import type { Collection } from "../store/collection.ts";
import type { Store } from "../store/store.ts";
import { selectionOf } from "./list.ts";
import { bookmarkText, expire, follow, WatchLines } from "./watch.ts";

export interface WatchRequest {
  readonly kind: Kind;
  readonly collection: Collection;
  readonly store: Store;
  readonly namespace: string | undefined;
  readonly query: Query;
  /** Of how the kind is served: older versions are not remembered. */
  readonly startVersion: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly later: (milliseconds: number, action: () => void) => () => void;
}

/** A bookmark comes about this often (milliseconds). */
const BOOKMARK_MS = 60_000;
/** A watch that says no time is ended after this, and up to twice as long (milliseconds). */
const LEAST_WATCH_MS = 1_800_000;

/** Opens a watch. It has ended already where its version is not remembered. */
export function openWatch(request: WatchRequest): WatchLines {
  const { kind, collection, store, query, startVersion, random, later } = request;
  const lines = new WatchLines();
  const selection = selectionOf(kind, request.namespace, query);
  const given = query.get("resourceVersion") ?? "";
  const from = given === "" || given === "0" ? undefined : Number(given);
  const oldest = Math.max(startVersion, store.compacted);
  if (from !== undefined && from < oldest) {
    expire(lines, from, oldest);
    return lines;
  }
  follow(lines, { kind, collection, selection, from });
  const seconds = Number(query.get("timeoutSeconds") ?? 0);
  const lasts = seconds > 0 ? seconds * 1_000 : LEAST_WATCH_MS * (1 + random());
  lines.whenClosed(later(lasts, () => lines.finish()));
  if (query.get("allowWatchBookmarks") === "true") bookmark(lines, request);
  return lines;
}

function bookmark(lines: WatchLines, request: WatchRequest): void {
  const { kind, store, random, later } = request;
  let cancel = later(BOOKMARK_MS * (0.9 + 0.2 * random()), report);
  lines.whenClosed(() => cancel());
  function report(): void {
    lines.write(bookmarkText(kind, store.version));
    cancel = later(BOOKMARK_MS * (0.9 + 0.2 * random()), report);
  }
}

import type { Watch } from "../interface.ts";
import type { JsonObject } from "../json.ts";
import type { Kind } from "../kind.ts";
import { expired, type StatusBody, statusObject } from "../refusal.ts";
import type { Change, Collection } from "../store/collection.ts";
import { atVersion, type Stored } from "../store/stored.ts";
import type { Selection } from "./list.ts";
import { objectText } from "./render.ts";

/** The lines of one watch. */
export class WatchLines implements Watch {
  #line: ((line: string) => void) | undefined;
  #end: (() => void) | undefined;
  #waiting: string[] = [];
  #hasEnded = false;
  readonly #onClose: (() => void)[] = [];

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  onLine(listener: (line: string) => void): void {
    this.#line = listener;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const line of waiting) listener(line);
  }

  onEnd(listener: () => void): void {
    this.#end = listener;
    if (this.#hasEnded) listener();
  }

  /** By the client: nobody is told. */
  close(): void {
    this.#end = undefined;
    this.finish();
  }

  write(line: string): void {
    if (this.#hasEnded) return;
    if (this.#line === undefined) this.#waiting.push(line);
    else this.#line(line);
  }

  /** By the server. */
  finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const action of this.#onClose) action();
    this.#end?.();
  }

  whenClosed(action: () => void): void {
    this.#onClose.push(action);
  }
}

export interface Watched {
  readonly kind: Kind;
  readonly collection: Collection;
  readonly selection: Selection;
  /** After which changes are told; undefined: the present state is told first. */
  readonly from: number | undefined;
}

/** Tells the lines every change of what is selected. */
export function follow(lines: WatchLines, watched: Watched): void {
  const { kind, collection, selection, from } = watched;
  const report = (change: Change): void => {
    // A version that the store has yet to reach: what comes before it counts as seen.
    if (from !== undefined && change.version <= from) return;
    const line = lineOf(kind, selection, change);
    if (line !== undefined) lines.write(line);
  };
  if (from === undefined) for (const object of selected(watched)) lines.write(eventText("ADDED", kind, object.object));
  else for (const change of collection.changesAfter(from)) report(change);
  lines.whenClosed(collection.onChange(report));
}

function selected({ collection, selection }: Watched): readonly Stored[] {
  return collection.list(selection.namespace).filter((object) => isSelected(selection, object));
}

function isSelected({ key, namespace, hasSelector, matches }: Selection, object: Stored | undefined): object is Stored {
  if (object === undefined) return false;
  if (namespace !== undefined && object.namespace !== namespace) return false;
  if (key !== undefined && object.key !== key) return false;
  return !hasSelector || matches(object.object);
}

/** What is no longer selected counts as deleted, as it was before. */
function lineOf(kind: Kind, selection: Selection, { before, after, version }: Change): string | undefined {
  const isNow = isSelected(selection, after);
  const wasBefore = isSelected(selection, before);
  if (isNow) return eventText(wasBefore ? "MODIFIED" : "ADDED", kind, after.object);
  return wasBefore ? eventText("DELETED", kind, atVersion(before.object, version)) : undefined;
}

function eventText(type: string, kind: Kind, object: JsonObject): string {
  return `{"type":"${type}","object":${objectText(kind, kind.view(object))}}`;
}

export function bookmarkText(kind: Kind, version: number): string {
  const metadata = { resourceVersion: String(version) };
  const object = kind.isCustom ? { kind: kind.kind, apiVersion: kind.apiVersion, metadata } : { ...kind.blank, metadata };
  return `{"type":"BOOKMARK","object":${JSON.stringify(object)}}`;
}

export function errorText(status: StatusBody): string {
  return `{"type":"ERROR","object":${JSON.stringify(statusObject(status))}}`;
}

/** Ends a watch whose version the server does not remember. */
export function expire(lines: WatchLines, wanted: number, oldest: number): void {
  lines.write(errorText(expired(`too old resource version: ${wanted} (${oldest})`).status));
  lines.finish();
}

import { isEqual, isObject, type JsonObject, listAt, objectAt, stringAt } from "../json.ts";
import type { Kind } from "../kind.ts";
import type { WatchLines } from "../read/watch.ts";
import type { Store } from "../store/store.ts";
import { customKinds } from "./custom-kind.ts";

export const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io";

/** How a kind is served from some moment on: of what came before, nothing is remembered. */
export interface Serving {
  readonly kinds: readonly Kind[];
  /** Watches from before this version are told that it is too old. */
  readonly startVersion: number;
  /** Lists and watches from memory are answered from then on (Unix milliseconds). */
  readonly readyAt: number;
  readonly watches: Set<WatchLines>;
  /** The CRD goes: nothing is created any more. */
  isTerminating: boolean;
}

interface Seen {
  readonly uid: string;
  readonly spec: JsonObject;
  readonly object: JsonObject;
}

/** After the CRD was changed, watches of its kind stay open for a while, and go on by the schema that they began with (milliseconds). */
const TEAR_DOWN_MS = 1_000;

/** What creates a custom resource so soon after its kind was established waits (milliseconds). */
const JUST_ESTABLISHED_MS = 2_000;

export interface ServingOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly later: (milliseconds: number, action: () => void) => unknown;
}

/** How long it takes at most to read all objects of a kind into memory (milliseconds). */
const INITIALIZING_MS = 100;

/** Serves custom resources by the CRDs as it last saw them, which is a moment after they were changed. */
export class CustomServing {
  readonly #store: Store;
  readonly #options: ServingOptions;
  readonly #seen = new Map<string, Seen>();
  readonly #servings = new Map<string, Serving>();

  constructor(store: Store, options: ServingOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Takes note of the CRD as it is now. */
  check(name: string): void {
    const stored = this.#store.collection(DEFINITIONS).get(name);
    const before = this.#seen.get(name);
    const now = stored === undefined ? undefined : { uid: stored.uid, spec: objectAt(stored.object, "spec"), object: stored.object };
    if (now === undefined) this.#seen.delete(name);
    else this.#seen.set(name, now);
    const isServedAsBefore = now !== undefined && before?.uid === now.uid && isEqual(servedBy(before), servedBy(now));
    if (!isServedAsBefore) this.#tearDown(name);
    const serving = this.#servings.get(name);
    if (serving !== undefined && now !== undefined) serving.isTerminating = isTrue(now.object, "Terminating");
  }

  /** The kind behind a path; undefined where there is no such route. */
  find(group: string, version: string, plural: string): { readonly kind: Kind; readonly serving: Serving } | undefined {
    const name = `${plural}.${group}`;
    const seen = this.#seen.get(name);
    if (seen === undefined || !(isTrue(seen.object, "NamesAccepted") || isTrue(seen.object, "Established"))) return undefined;
    const serving = this.#servings.get(name) ?? this.#serve(name, seen);
    const kind = serving.kinds.find((candidate) => candidate.version === version);
    return kind === undefined ? undefined : { kind, serving };
  }

  /** Milliseconds for which a creation is held back. */
  heldBack(group: string, plural: string, now: number): number {
    const seen = this.#seen.get(`${plural}.${group}`);
    const established = conditionOf(seen?.object ?? {}, "Established");
    const since = now - Date.parse(stringAt(established, "lastTransitionTime") ?? "");
    return since < JUST_ESTABLISHED_MS ? JUST_ESTABLISHED_MS : 0;
  }

  kindsOf(name: string): readonly Kind[] {
    const seen = this.#seen.get(name);
    return seen === undefined ? [] : (this.#servings.get(name) ?? this.#serve(name, seen)).kinds;
  }

  /** Kinds that are served at the moment, each in one version. */
  served(): readonly Kind[] {
    return [...this.#seen.keys()].flatMap((name) => this.kindsOf(name).slice(0, 1));
  }

  /** Forgets everything, as after a restart. */
  restart(): void {
    this.#seen.clear();
    this.#servings.clear();
    for (const { name } of this.#store.collection(DEFINITIONS).values()) this.check(name);
  }

  #serve(name: string, { object }: Seen): Serving {
    const { now, random } = this.#options;
    const serving: Serving = {
      kinds: customKinds(object),
      readyAt: now() + Math.floor(random() * random() * INITIALIZING_MS),
      startVersion: this.#store.version,
      watches: new Set(),
      isTerminating: isTrue(object, "Terminating"),
    };
    this.#servings.set(name, serving);
    return serving;
  }

  #tearDown(name: string): void {
    const serving = this.#servings.get(name);
    if (serving === undefined) return;
    this.#servings.delete(name);
    this.#options.later(TEAR_DOWN_MS, () => {
      for (const lines of serving.watches) lines.finish();
    });
  }
}

/** What of a CRD decides how its objects are served. */
function servedBy({ spec, object }: Seen): JsonObject {
  return { spec, names: objectAt(objectAt(object, "status"), "acceptedNames") };
}

export function conditionOf(crd: JsonObject, type: string): JsonObject | undefined {
  const found = listAt(objectAt(crd, "status"), "conditions").find((condition) => isObject(condition) && condition["type"] === type);
  return isObject(found) ? found : undefined;
}

export function isTrue(crd: JsonObject, type: string): boolean {
  return conditionOf(crd, type)?.["status"] === "True";
}

import { isObject, type Json, type JsonObject, objectAt, stringAt } from "../api/json.ts";
import type { Servers } from "./batch.ts";
import type { Correspondence } from "./correspondence.ts";
import { type Difference, differencesBetween } from "./difference.ts";
import { collectionPath, type Place } from "./operation.ts";
import type { RunningWatch } from "./subject.ts";

export interface WatchPlace {
  readonly place: Place;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** A version that no server remembers. */
  readonly isTooOld?: boolean;
}

interface Pair {
  readonly where: string;
  readonly real: RunningWatch;
  readonly simulated: RunningWatch;
}

/** How long the real server may take to tell what it has done (milliseconds). */
const PATIENCE_MS = 3_000;

/** The same watches on both servers. */
export class ComparedWatches {
  readonly #servers: Servers;
  readonly #pairs: Correspondence;
  readonly #watches: Pair[] = [];

  constructor(servers: Servers, pairs: Correspondence) {
    this.#servers = servers;
    this.#pairs = pairs;
  }

  async open(places: readonly WatchPlace[]): Promise<void> {
    for (const { place, namespace, labelSelector, fieldSelector, isTooOld } of places) {
      const path = collectionPath(place, namespace);
      const selectors = { ...(labelSelector === undefined ? {} : { labelSelector }), ...(fieldSelector === undefined ? {} : { fieldSelector }) };
      const url = (version: string): string =>
        `${path}?${new URLSearchParams({ ...selectors, watch: "true", allowWatchBookmarks: "true", resourceVersion: version }).toString()}`;
      const from = isTooOld === true ? { real: "1", simulated: "1" } : await this.#versions(path);
      const real = await this.#servers.real.watch(url(from.real));
      const simulated = await this.#servers.simulated.watch(url(from.simulated));
      this.#watches.push({ where: `watch ${path}?${new URLSearchParams(selectors).toString()}`, real, simulated });
    }
  }

  async #versions(path: string): Promise<{ readonly real: string; readonly simulated: string }> {
    const request = { method: "GET", url: path, contentType: "", body: undefined, user: undefined };
    const version = ({ body }: { readonly body: unknown }): string => stringAt(objectAt(body as JsonObject, "metadata"), "resourceVersion") ?? "0"; // A list's.
    return { real: version(await this.#servers.real.send(request)), simulated: version(await this.#servers.simulated.send(request)) };
  }

  async differences(): Promise<readonly Difference[]> {
    const deadline = Date.now() + PATIENCE_MS;
    while (Date.now() < deadline && this.#watches.some(({ real, simulated }) => events(real).length < events(simulated).length)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.#watches.flatMap((pair) => this.#differencesOf(pair));
  }

  #differencesOf({ where, real, simulated }: Pair): readonly Difference[] {
    if (real.refusal !== undefined || simulated.refusal !== undefined) {
      const [a, b] = [real.refusal?.status ?? 200, simulated.refusal?.status ?? 200];
      return a === b ? [] : [{ kind: "watch", path: `${where}: status`, real: a, simulated: b }];
    }
    const [told, expected] = [events(real), events(simulated)];
    const found: Difference[] = [];
    for (let index = 0; index < Math.max(told.length, expected.length) && found.length === 0; index++) {
      const [a, b] = [told[index], expected[index]];
      const inside = a?.["type"] === "ERROR" && b?.["type"] === "ERROR" ? errorDifferences(a, b) : differencesBetween(a, b, this.#pairs);
      found.push(...inside.map(({ path, real: is, simulated: was }) => ({ kind: "watch", path: `${where}[${index}]: ${path}`, real: is, simulated: was }) as const));
      if (a === undefined || b === undefined) found.push({ kind: "watch", path: `${where}[${index}]`, real: brief(a), simulated: brief(b) });
    }
    return found;
  }

  stop(): void {
    for (const { real, simulated } of this.#watches) {
      real.stop();
      simulated.stop();
    }
  }
}

/** Bookmarks come by the clock. */
function events({ lines }: RunningWatch): readonly JsonObject[] {
  const all = lines.map((line) => JSON.parse(line) as JsonObject); // As a watch writes them.
  return all.filter((event) => event["type"] !== "BOOKMARK");
}

/** Whose versions are compared by nobody. */
function errorDifferences(real: JsonObject, simulated: JsonObject): readonly Difference[] {
  const bare = (event: JsonObject): Json => {
    const { message: _message, ...status } = objectAt(event, "object");
    return JSON.stringify(status);
  };
  return bare(real) === bare(simulated) ? [] : [{ kind: "watch", path: "object", real: bare(real), simulated: bare(simulated) }];
}

function brief(event: JsonObject | undefined): Json {
  if (event === undefined) return "nothing";
  const object = event["object"];
  return `${String(event["type"])} ${isObject(object) ? stringAt(objectAt(object, "metadata"), "name") : ""}`;
}

import { setTimeout as delay } from "node:timers/promises";
import { isObject, type Json, type JsonObject, objectAt, stringAt, textOf } from "../api/json.ts";
import type { Correspondence } from "./correspondence.ts";
import { type Difference, differencesBetween } from "./difference.ts";
import { bodyOf, type Exchange, isInitializing, type Servers } from "./exchange.ts";
import { collectionPath, type Operation, type Place } from "./operation.ts";
import type { RunningWatch } from "./subject.ts";

export interface WatchPlace {
  readonly place: Place;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

interface Pair {
  readonly at: WatchPlace;
  readonly where: string;
  readonly real: RunningWatch;
  readonly simulated: RunningWatch;
}

/** Time limit in milliseconds for the real server to send its events. */
const PATIENCE_MS = 5_000;

/** Opens the same watches on both servers, and compares them. */
export class ComparedWatches {
  readonly #servers: Servers;
  readonly #exchange: Exchange;
  readonly #pairs: Correspondence;
  #watches: readonly Pair[] = [];

  constructor(servers: Servers, exchange: Exchange, pairs: Correspondence) {
    this.#servers = servers;
    this.#exchange = exchange;
    this.#pairs = pairs;
  }

  async open(places: readonly WatchPlace[]): Promise<void> {
    for (const place of places) this.#watches = [...this.#watches, await this.#fromNow(place)];
  }

  /** Opens a watch from the present state on. */
  async #fromNow(at: WatchPlace): Promise<Pair> {
    const { place, namespace, labelSelector, fieldSelector } = at;
    const path = collectionPath(place, namespace);
    const answers = await this.#exchange.ask({
      verb: "list",
      place,
      ...(namespace === undefined ? {} : { namespace }),
      query: { limit: "500" },
    });
    const selectors = {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
    const url = (body: JsonObject): string => {
      const resourceVersion = stringAt(objectAt(body, "metadata"), "resourceVersion") ?? "";
      return `${path}?${new URLSearchParams({ ...selectors, watch: "true", allowWatchBookmarks: "true", resourceVersion }).toString()}`;
    };
    const { real, simulated } = await this.#opened({ real: url(bodyOf(answers.real)), simulated: url(bodyOf(answers.simulated)) });
    return { at, where: `watch ${path}?${new URLSearchParams(selectors).toString()}`, real, simulated };
  }

  async #opened(urls: { readonly real: string; readonly simulated: string }): Promise<Pick<Pair, "real" | "simulated">> {
    const { real: realServer, simulated: simulatedServer } = this.#servers;
    let real = await realServer.watch(urls.real);
    while (real.refusal !== undefined && isInitializing(real.refusal)) real = await delay(20).then(() => realServer.watch(urls.real));
    let simulated = await simulatedServer.watch(urls.simulated);
    while (simulated.refusal !== undefined && isInitializing(simulated.refusal)) {
      simulatedServer.advanceTo(simulatedServer.now + 1_000);
      simulated = await simulatedServer.watch(urls.simulated);
    }
    return { real, simulated };
  }

  /** Runs one watch until the server ends it, and compares the result. */
  async once(operation: Operation): Promise<readonly Difference[]> {
    const urls = this.#exchange.urls(operation);
    const { real, simulated } = await this.#opened(urls);
    const deadline = performance.now() + PATIENCE_MS;
    while (!real.hasEnded && performance.now() < deadline) await delay(10);
    this.#servers.simulated.advanceTo(this.#servers.simulated.now + PATIENCE_MS);
    real.stop();
    simulated.stop();
    return this.#differencesOf({ at: operation, where: `watch ${urls.real}`, real, simulated });
  }

  /** Compares the watches that a server has ended, and opens them again. */
  async refresh(): Promise<readonly Difference[]> {
    await this.#until(({ real, simulated }) => real.hasEnded === simulated.hasEnded);
    const found: Difference[] = [];
    const open: Pair[] = [];
    for (const pair of this.#watches) {
      if (pair.real.hasEnded || pair.simulated.hasEnded) {
        found.push(...this.#differencesOf(pair));
        pair.real.stop();
        pair.simulated.stop();
        open.push(await this.#fromNow(pair.at));
      } else open.push(pair);
    }
    this.#watches = open;
    return found;
  }

  async differences(): Promise<readonly Difference[]> {
    await this.#until(({ real, simulated }) => events(real).length >= events(simulated).length && real.hasEnded === simulated.hasEnded);
    return this.#watches.flatMap((pair) => this.#differencesOf(pair));
  }

  async #until(isSame: (pair: Pair) => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.#watches.every(isSame) && performance.now() < deadline) await delay(10);
  }

  #differencesOf({ where, real, simulated }: Pair): readonly Difference[] {
    const [a, b] = [outcomeOf(real), outcomeOf(simulated)];
    if (a !== b) return [{ kind: "watch", path: `${where}: outcome`, real: a, simulated: b }];
    const [seen, expected] = [events(real), events(simulated)];
    for (let index = 0; index < Math.max(seen.length, expected.length); index++) {
      const found = this.#eventDifferences(`${where}[${index}]`, seen[index], expected[index]);
      if (found.length > 0) return found;
    }
    return [];
  }

  #eventDifferences(path: string, real: JsonObject | undefined, simulated: JsonObject | undefined): readonly Difference[] {
    if (real === undefined || simulated === undefined || real["type"] !== simulated["type"]) {
      return [{ kind: "watch", path, real: brief(real), simulated: brief(simulated) }];
    }
    const differences = differencesBetween(withoutVersions(real), withoutVersions(simulated), this.#pairs);
    return differences.map((difference) => ({ ...difference, kind: "watch", path: `${path}: ${difference.path}` }));
  }

  stop(): void {
    for (const { real, simulated } of this.#watches) {
      real.stop();
      simulated.stop();
    }
  }
}

function outcomeOf({ refusal, hasEnded }: RunningWatch): string {
  if (refusal !== undefined) return `refused with ${refusal.status}`;
  return hasEnded ? "ended by the server" : "open";
}

/** Returns all events except bookmarks, because these depend on the time. */
function events({ lines }: RunningWatch): readonly JsonObject[] {
  const all = lines.map((line) => JSON.parse(line) as JsonObject); // Each line of a watch is an object.
  return all.filter((event) => event["type"] !== "BOOKMARK");
}

/** Removes the versions from an error: they are versions of the whole server, not of an object. */
function withoutVersions(event: JsonObject): JsonObject {
  if (event["type"] !== "ERROR") return event;
  const status = objectAt(event, "object");
  return { ...event, object: { ...status, message: (stringAt(status, "message") ?? "").replaceAll(/\d+/g, "N") } };
}

function brief(event: JsonObject | undefined): Json {
  if (event === undefined) return "nothing";
  const object = event["object"];
  return `${textOf(event["type"])} ${isObject(object) ? (stringAt(objectAt(object, "metadata"), "name") ?? "") : ""}`;
}

import { setTimeout as delay } from "node:timers/promises";
import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../api/json.ts";
import type { Correspondence } from "./correspondence.ts";
import { type Difference, differencesBetween, differencesOfLists } from "./difference.ts";
import { Memory } from "./memory.ts";
import { isOfCollection, type Operation } from "./operation.ts";
import type { Dated, RealServer } from "./real.ts";
import { listKey, render } from "./render.ts";
import type { Answer, VirtualSubject } from "./subject.ts";

export interface Servers {
  readonly real: RealServer;
  readonly simulated: VirtualSubject;
}

export interface Answers {
  readonly real: Dated;
  readonly simulated: Answer;
}

/** Maximum number of requests for an awaited answer, and the pause between them in milliseconds. */
const MOST_REQUESTS = 600;
const REPEAT_MS = 50;

/** Sends the same requests to both servers, with the values that each server returned before. */
export class Exchange {
  readonly #servers: Servers;
  readonly #pairs: Correspondence;
  readonly #real = new Memory();
  readonly #simulated = new Memory();

  constructor(servers: Servers, pairs: Correspondence) {
    this.#servers = servers;
    this.#pairs = pairs;
  }

  /** Asks the real server first, because its answer sets the clock of the simulated one. */
  async ask(operation: Operation, simulatedOne: Operation = operation): Promise<Answers> {
    const { real: realServer, simulated: simulatedServer } = this.#servers;
    if (operation.afterCompaction === true) simulatedServer.compact();
    let real = await realServer.send(render(operation, this.#real));
    // A server that has just begun to serve a kind reads all its objects, and answers 429 until then.
    while (isInitializing(real)) real = await delay(20).then(() => realServer.send(render(operation, this.#real)));
    for (let left = MOST_REQUESTS; left > 0 && !saysAwaited(real, operation); left--)
      real = await delay(REPEAT_MS).then(() => realServer.send(render(operation, this.#real)));
    simulatedServer.setClock(clockOf(real));
    let simulated = await simulatedServer.send(render(simulatedOne, this.#simulated));
    while (isInitializing(simulated)) {
      simulatedServer.advanceTo(simulatedServer.now + 1_000);
      simulated = await simulatedServer.send(render(simulatedOne, this.#simulated));
    }
    if (isOfCollection(operation)) {
      this.#real.noteList(listKey(operation), bodyOf(real));
      this.#simulated.noteList(listKey(operation), bodyOf(simulated));
    }
    return { real, simulated };
  }

  /** Returns the paths of a watch on both servers. */
  urls(operation: Operation): { readonly real: string; readonly simulated: string } {
    return { real: render(operation, this.#real).url, simulated: render(operation, this.#simulated).url };
  }

  /** Remembers the object as each server showed it. */
  note(key: string, { real, simulated }: Answers): void {
    noteIn(this.#real, key, real);
    noteIn(this.#simulated, key, simulated);
  }

  differences({ verb }: Pick<Operation, "verb">, { real, simulated }: Answers): readonly Difference[] {
    if (real.status !== simulated.status) return [{ kind: "status", path: "status", real: real.status, simulated: simulated.status }];
    const compare = isOfCollection({ verb }) ? differencesOfLists : differencesBetween;
    return compare(jsonOf(real), jsonOf(simulated), this.#pairs);
  }
}

function saysAwaited({ body }: Answer, { awaits }: Operation): boolean {
  return awaits === undefined || JSON.stringify(body).includes(awaits);
}

export function isInitializing({ status, body }: Answer): boolean {
  return status === 429 && JSON.stringify(body).includes("storage is (re)initializing");
}

function noteIn(memory: Memory, key: string, answer: Answer): void {
  if (answer.status === 200) memory.note(key, bodyOf(answer));
  else memory.forget(key);
}

function jsonOf({ body }: Answer): Json {
  return body as Json; // Parsed JSON, or a text.
}

export function bodyOf(answer: Answer): JsonObject {
  const body = jsonOf(answer);
  return isObject(body) ? body : {};
}

/** Returns the time at which the server handled the request, in whole seconds. Times in the object are more exact than the `Date` header. */
function clockOf(answer: Dated): number {
  const { date } = answer;
  const metadata = objectAt(bodyOf(answer), "metadata");
  const entries = listAt(metadata, "managedFields").map((entry) => (isObject(entry) ? stringAt(entry, "time") : undefined));
  const deleted = Date.parse(stringAt(metadata, "deletionTimestamp") ?? "") - Number(metadata["deletionGracePeriodSeconds"] ?? 0) * 1_000;
  const times = [stringAt(metadata, "creationTimestamp"), ...entries].map((time) => Date.parse(time ?? ""));
  const recent = [deleted, ...times].filter((time) => time <= date && time >= date - 2_000);
  return recent.length === 0 ? date : Math.max(...recent);
}

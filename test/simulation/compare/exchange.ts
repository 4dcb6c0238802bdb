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

/** So often a request is sent until it is answered as it will be, and how long apart (milliseconds). */
const MOST_REQUESTS = 600;
const REPEAT_MS = 50;

/** The same requests to both servers, each in terms of what that server has answered before. */
export class Exchange {
  readonly #servers: Servers;
  readonly #pairs: Correspondence;
  readonly #real = new Memory();
  readonly #simulated = new Memory();

  constructor(servers: Servers, pairs: Correspondence) {
    this.#servers = servers;
    this.#pairs = pairs;
  }

  /** The real server first: by its clock the simulated one answers. */
  async ask(operation: Operation, simulatedOne: Operation = operation): Promise<Answers> {
    const { real: realServer, simulated: simulatedServer } = this.#servers;
    if (operation.afterCompaction === true) simulatedServer.compact();
    let real = await realServer.send(render(operation, this.#real));
    // The server reads all objects of a kind that it has just begun to serve: it asks for patience.
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

  /** The paths of a watch. */
  urls(operation: Operation): { readonly real: string; readonly simulated: string } {
    return { real: render(operation, this.#real).url, simulated: render(operation, this.#simulated).url };
  }

  /** Remembers the object as both servers have shown it. */
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

/** When the server did what it answers, to the second. What it writes into objects is more exact than the head of its answer. */
function clockOf(answer: Dated): number {
  const { date } = answer;
  const metadata = objectAt(bodyOf(answer), "metadata");
  const entries = listAt(metadata, "managedFields").map((entry) => (isObject(entry) ? stringAt(entry, "time") : undefined));
  const deleted = Date.parse(stringAt(metadata, "deletionTimestamp") ?? "") - Number(metadata["deletionGracePeriodSeconds"] ?? 0) * 1_000;
  const times = [stringAt(metadata, "creationTimestamp"), ...entries].map((time) => Date.parse(time ?? ""));
  const recent = [deleted, ...times].filter((time) => time <= date && time >= date - 2_000);
  return recent.length === 0 ? date : Math.max(...recent);
}

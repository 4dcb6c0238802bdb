import { isObject, type Json, type JsonObject, listAt, objectAt, stringAt } from "../api/json.ts";
import { Correspondence } from "./correspondence.ts";
import { type Difference, differencesBetween, differencesOfLists } from "./difference.ts";
import { collectionPath, keyOf, Memory, type Operation, pageKey, type Place, type Rendered, render } from "./operation.ts";
import type { Dated, RealServer } from "./real.ts";
import type { SimulatedServer } from "./simulated.ts";
import type { Answer } from "./subject.ts";
import { ComparedWatches, type WatchPlace } from "./watches.ts";

export interface Servers {
  readonly real: RealServer;
  readonly simulated: SimulatedServer;
}

export interface Found extends Difference {
  /** Index of the operation; undefined for the end of the batch. */
  readonly at: number | undefined;
  readonly operation: Operation | undefined;
  readonly realAnswer?: Answer;
  readonly simulatedAnswer?: Answer;
}

export interface Batch {
  /** Run before the watches are opened, and compared as all others. */
  readonly setup: readonly Operation[];
  readonly operations: readonly Operation[];
  readonly watches: readonly WatchPlace[];
  /** Collections whose state is compared at the end. */
  readonly states: readonly { readonly place: Place; readonly namespace?: string; readonly labelSelector?: string }[];
}

export interface BatchResult {
  readonly compared: number;
  readonly found: readonly Found[];
}

/** Whether a difference is listed. */
export type IsListed = (difference: Difference, operation: Operation | undefined) => boolean;

/** Runs operations on both servers, one after the other, until their answers differ in what is not listed. */
export class BatchRun {
  readonly #servers: Servers;
  readonly #isListed: IsListed;
  readonly #pairs = new Correspondence();
  readonly #real = new Memory();
  readonly #simulated = new Memory();
  #compared = 0;

  constructor(servers: Servers, isListed: IsListed) {
    this.#servers = servers;
    this.#isListed = isListed;
  }

  async run({ setup, operations, watches, states }: Batch): Promise<BatchResult> {
    const watching = new ComparedWatches(this.#servers, this.#pairs);
    try {
      for (const [index, operation] of setup.entries()) {
        const found = await this.#step(operation, index);
        if (found.length > 0) return { compared: this.#compared, found };
      }
      await watching.open(watches);
      for (const [index, operation] of operations.entries()) {
        const found = await this.#step(operation, setup.length + index);
        if (found.length > 0) return { compared: this.#compared, found };
      }
      const found = [...(await this.#stateDifferences(states)), ...(await watching.differences())];
      return { compared: this.#compared, found: this.#unlisted(found, undefined) };
    } finally {
      watching.stop();
    }
  }

  #unlisted(differences: readonly Difference[], operation: Operation | undefined, at?: number, answers?: Answers): readonly Found[] {
    return differences
      .filter((difference) => !this.#isListed(difference, operation))
      .map((difference) => ({ ...difference, at, operation, ...(answers === undefined ? {} : { realAnswer: answers.real, simulatedAnswer: answers.simulated }) }));
  }

  async #step(operation: Operation, at: number): Promise<readonly Found[]> {
    this.#compared++;
    if (operation.settles === true) this.#pairs.nextEpoch();
    const answers = await this.#ask(render(operation, this.#real), render(operation, this.#simulated));
    const found = this.#unlisted(this.#answerDifferences(operation, answers), operation, at, answers);
    this.#noteToken(operation, answers);
    if (found.length > 0 || operation.verb === "list" || operation.verb === "page") return found;
    if (operation.settles === true) await this.#settle(operation);
    return this.#look(operation, at, answers);
  }

  /** The real one first: by its clock the simulated one answers. */
  async #ask(real: Rendered, simulated: Rendered): Promise<Answers> {
    const answer = await this.#servers.real.send(real);
    this.#servers.simulated.setClock(clockOf(answer));
    return { real: answer, simulated: await this.#servers.simulated.send(simulated) };
  }

  #answerDifferences({ verb }: Operation, { real, simulated }: Answers): readonly Difference[] {
    if (real.status !== simulated.status) return [{ kind: "status", path: "status", real: real.status, simulated: simulated.status }];
    const compare = verb === "list" || verb === "page" ? differencesOfLists : differencesBetween;
    return compare(real.body as Json, simulated.body as Json, this.#pairs); // Parsed JSON, or a text.
  }

  #noteToken(operation: Operation, { real, simulated }: Answers): void {
    if (operation.verb !== "page") return;
    const token = ({ body }: Answer): string | undefined => stringAt(objectAt(body as JsonObject, "metadata"), "continue"); // As above.
    this.#real.noteToken(pageKey(operation), token(real));
    this.#simulated.noteToken(pageKey(operation), token(simulated));
  }

  /** The object that the operation was about, as both have it now. */
  async #look(operation: Operation, at: number, { real, simulated }: Answers): Promise<readonly Found[]> {
    const nameIn = ({ body }: Answer): string | undefined => (isObject(body as Json) ? stringAt(objectAt(body as JsonObject, "metadata"), "name") : undefined); // As above.
    const isGenerated = operation.verb === "create" && real.status === 201;
    const wanted = (answer: Answer): Operation => {
      const { place, namespace } = operation;
      const name = (isGenerated ? nameIn(answer) : operation.name) ?? "";
      return { verb: "get", place, ...(namespace === undefined ? {} : { namespace }), name };
    };
    const looks = { real: wanted(real), simulated: wanted(simulated) };
    if (looks.real.name === "") return [];
    const answers = await this.#ask(render(looks.real, this.#real), render(looks.simulated, this.#simulated));
    const found = this.#unlisted(this.#answerDifferences(looks.real, answers), operation, at, answers);
    note(this.#real, keyOf(looks.real), answers.real);
    note(this.#simulated, keyOf(looks.simulated), answers.simulated);
    return found;
  }

  /** Until what is asked of the real server is what the simulated one says. */
  async #settle(operation: Operation): Promise<void> {
    const { simulated, real } = this.#servers;
    simulated.advanceTo(simulated.now + 30_000);
    const request: Operation = { ...operation, verb: "get", body: null };
    const { body: _body, subresource: _subresource, query: _query, ...look } = request;
    const deadline = Date.now() + 20_000;
    for (;;) {
      const [a, b] = [await real.send(render(look, this.#real)), await simulated.send(render(look, this.#simulated))];
      const isSettled = a.status === b.status && conditionsOf(a) === conditionsOf(b);
      if (isSettled || Date.now() > deadline) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // What serves the kind hears of it a moment later.
    await new Promise((resolve) => setTimeout(resolve, 250));
    this.#pairs.nextEpoch();
  }

  async #stateDifferences(states: Batch["states"]): Promise<readonly Difference[]> {
    const found: Difference[] = [];
    for (const { place, namespace, labelSelector } of states) {
      const query = labelSelector === undefined ? {} : { query: { labelSelector } };
      const list: Operation = { verb: "list", place, ...(namespace === undefined ? {} : { namespace }), ...query };
      const answers = await this.#ask(render(list, this.#real), render(list, this.#simulated));
      found.push(...this.#answerDifferences(list, answers).map((difference) => ({ ...difference, path: `${collectionPath(place, namespace)}: ${difference.path}` })));
    }
    return found;
  }
}

interface Answers {
  readonly real: Dated;
  readonly simulated: Answer;
}

function note(memory: Memory, key: string, { status, body }: Answer): void {
  if (status === 200) memory.note(key, body as JsonObject); // A single object's.
  else memory.forget(key);
}

function conditionsOf({ body }: Answer): string {
  const conditions = isObject(body as Json) ? listAt(objectAt(body as JsonObject, "status"), "conditions") : []; // As above.
  return JSON.stringify(conditions.map((condition) => (isObject(condition) ? [condition["type"] ?? "", condition["status"] ?? ""] : [])));
}

/** When the server did what it answers, to the second. What it writes into objects is more exact than the head of its answer. */
function clockOf({ body, date }: Dated): number {
  const metadata = isObject(body as Json) ? objectAt(body as JsonObject, "metadata") : {}; // As above.
  const entries = listAt(metadata, "managedFields").map((entry) => (isObject(entry) ? stringAt(entry, "time") : undefined));
  const deleted = Date.parse(stringAt(metadata, "deletionTimestamp") ?? "") - Number(metadata["deletionGracePeriodSeconds"] ?? 0) * 1_000;
  const times = [stringAt(metadata, "creationTimestamp"), ...entries].map((time) => Date.parse(time ?? ""));
  const recent = [deleted, ...times].filter((time) => time <= date && time >= date - 2_000);
  return recent.length === 0 ? date : Math.max(...recent);
}

import { objectAt, stringAt } from "../api/json.ts";
import type { Correspondence } from "./correspondence.ts";
import type { Difference } from "./difference.ts";
import { type Answers, bodyOf, Exchange, type Servers } from "./exchange.ts";
import { type CollectionAddress, collectionPath, isOfCollection, keyOf, type Operation } from "./operation.ts";
import { Settling } from "./settling.ts";
import type { Answer } from "./subject.ts";
import { ComparedWatches, type WatchPlace } from "./watches.ts";

export interface Batch {
  /** Prefix of all names and namespaces of the batch. The batch can run again under another serial. */
  readonly serial: string;
  /** Operations that run before the watches open. Their answers are compared, too. */
  readonly setup: readonly Operation[];
  readonly operations: readonly Operation[];
  readonly watches: readonly WatchPlace[];
  /** Collections to compare at the end. */
  readonly states: readonly CollectionAddress[];
  /** Collections that controllers act on after each operation. */
  readonly controlled?: readonly CollectionAddress[];
  /** Whether the batch can run again under another serial. Default: true. */
  readonly isRepeatable?: boolean;
}

export interface Found extends Difference {
  /** Undefined for a difference at the end of the batch. */
  readonly operation: Operation | undefined;
  readonly answers: Answers | undefined;
}

export interface BatchResult {
  readonly compared: number;
  readonly listed: number;
  readonly found: readonly Found[];
}

/** Whether the list of accepted differences explains a difference. */
export type IsListed = (difference: Difference, at: Pick<Found, "operation" | "answers">) => boolean;

/** Runs operations on both servers, one after the other, until the answers differ in something that is not listed. */
export class BatchRun {
  readonly #isListed: IsListed;
  readonly #pairs: Correspondence;
  readonly #exchange: Exchange;
  readonly #settling: Settling;
  readonly #watches: ComparedWatches;
  #compared = 0;
  #listed = 0;

  /** `pairs`: shared by all batches on the same servers. */
  constructor(servers: Servers, pairs: Correspondence, isListed: IsListed) {
    this.#isListed = isListed;
    this.#pairs = pairs;
    this.#exchange = new Exchange(servers, this.#pairs);
    this.#settling = new Settling(this.#exchange, servers.simulated);
    this.#watches = new ComparedWatches(servers, this.#exchange, this.#pairs);
  }

  async run(batch: Batch): Promise<BatchResult> {
    try {
      const found = (await this.#steps(batch, batch.setup)) ?? (await this.#watched(batch));
      return { compared: this.#compared, listed: this.#listed, found };
    } finally {
      this.#watches.stop();
    }
  }

  async #watched(batch: Batch): Promise<readonly Found[]> {
    await this.#watches.open(batch.watches);
    const found = await this.#steps(batch, batch.operations);
    if (found !== undefined) return found;
    const atEnd = [...(await this.#stateDifferences(batch.states)), ...(await this.#watches.differences())];
    return this.#unlisted(atEnd, undefined);
  }

  /** Returns undefined if there is no unlisted difference. */
  async #steps(batch: Batch, operations: readonly Operation[]): Promise<readonly Found[] | undefined> {
    for (const operation of operations) {
      this.#compared++;
      const found = await this.#step(batch, operation);
      if (found.length > 0) return found;
    }
    return undefined;
  }

  async #step({ controlled = [] }: Batch, operation: Operation): Promise<readonly Found[]> {
    const { settles } = operation;
    const isControlled = settles !== undefined || controlled.length > 0;
    if (isControlled) this.#pairs.nextEpoch();
    if (operation.verb === "watch") return this.#unlisted(await this.#watches.once(operation), operation);
    const answers = await this.#exchange.ask(operation);
    const found = this.#unlisted(this.#exchange.differences(operation, answers), operation, answers);
    if (found.length > 0 || isOfCollection(operation)) return found;
    if (settles !== undefined) await this.#settling.ofObject(settles);
    if (controlled.length > 0) await this.#settling.ofCollections(controlled);
    if (isControlled) this.#pairs.nextEpoch();
    const after = await this.#compareObject(operation, answers);
    if (after.length > 0 || settles === undefined) return after;
    return this.#unlisted(await this.#watches.refresh(), operation);
  }

  /** Compares the object of the operation as both servers have it now. */
  async #compareObject(operation: Operation, written: Answers): Promise<readonly Found[]> {
    const { verb, place, namespace, subresource } = operation;
    const isNew = verb === "create" && written.real.status === 201 && subresource === undefined;
    const name = isNew ? nameIn(written.real) : operation.name;
    if (name === undefined) return [];
    const where = { verb: "get", place, ...(namespace === undefined ? {} : { namespace }) } as const;
    // Each server generates its own names.
    const simulatedName = isNew ? nameIn(written.simulated) : name;
    const answers = await this.#exchange.ask({ ...where, name }, { ...where, name: simulatedName ?? name });
    this.#exchange.note(keyOf({ ...where, name }), answers);
    return this.#unlisted(this.#exchange.differences(where, answers), operation, answers);
  }

  async #stateDifferences(states: readonly CollectionAddress[]): Promise<readonly Difference[]> {
    const found: Difference[] = [];
    for (const { place, namespace } of states) {
      const list: Operation = { verb: "list", place, ...(namespace === undefined ? {} : { namespace }) };
      const answers = await this.#exchange.ask(list);
      const differences = this.#exchange.differences(list, answers);
      found.push(...differences.map((difference) => ({ ...difference, path: `${collectionPath(place, namespace)}: ${difference.path}` })));
    }
    return found;
  }

  #unlisted(differences: readonly Difference[], operation: Operation | undefined, answers?: Answers): readonly Found[] {
    const unlisted = differences.filter((difference) => !this.#isListed(difference, { operation, answers }));
    this.#listed += differences.length - unlisted.length;
    return unlisted.map((difference) => ({ ...difference, operation, answers }));
  }
}

function nameIn(answer: Answer): string | undefined {
  return stringAt(objectAt(bodyOf(answer), "metadata"), "name");
}

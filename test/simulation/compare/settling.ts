import { setTimeout as delay } from "node:timers/promises";
import { isObject, type JsonObject, listAt, objectAt, stringAt } from "../api/json.ts";
import { type Answers, bodyOf, type Exchange } from "./exchange.ts";
import type { Address, CollectionAddress, Operation } from "./operation.ts";
import type { Answer, VirtualSubject } from "./subject.ts";

/** Time limit in milliseconds for the real server's controllers. */
const PATIENCE_MS = 30_000;
/** Longer than any controller of the simulated server waits, in its own time (milliseconds). */
const SIMULATED_MS = 30_000;
/** Time in milliseconds until the API server notices a change of a CRD. */
const PROPAGATION_MS = 250;

/** Waits until the controllers of both servers have no more work. */
export class Settling {
  readonly #exchange: Exchange;
  readonly #simulated: VirtualSubject;

  constructor(exchange: Exchange, simulated: VirtualSubject) {
    this.#exchange = exchange;
    this.#simulated = simulated;
  }

  /** Waits until the real server shows the object as the simulated one does. */
  async ofObject({ place, namespace, name }: Address): Promise<void> {
    this.#rest();
    const check: Operation = { verb: "get", place, name, ...(namespace === undefined ? {} : { namespace }) };
    await this.#until(async () => {
      const { real, simulated } = await this.#exchange.ask(check);
      return real.status === simulated.status && summaryOf(bodyOf(real)) === summaryOf(bodyOf(simulated));
    });
    await delay(PROPAGATION_MS);
  }

  /** Waits until both servers have the same objects there. */
  async ofCollections(places: readonly CollectionAddress[]): Promise<void> {
    this.#rest();
    for (const { place, namespace } of places) {
      const list: Operation = { verb: "list", place, ...(namespace === undefined ? {} : { namespace }) };
      await this.#until(async () => isSameList(await this.#exchange.ask(list)));
    }
  }

  #rest(): void {
    this.#simulated.advanceTo(this.#simulated.now + SIMULATED_MS);
  }

  async #until(isSettled: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await isSettled()) && performance.now() < deadline) await delay(20);
  }
}

function isSameList({ real, simulated }: Answers): boolean {
  const summaries = (answer: Answer): readonly string[] =>
    listAt(bodyOf(answer), "items").map((item) => (isObject(item) ? summaryOf(item) : ""));
  return JSON.stringify(summaries(real)) === JSON.stringify(summaries(simulated));
}

/** Summarizes the parts of an object that controllers change. */
function summaryOf(object: JsonObject): string {
  const metadata = objectAt(object, "metadata");
  const owners = listAt(metadata, "ownerReferences").map((owner) => (isObject(owner) ? stringAt(owner, "name") : ""));
  const conditions = listAt(objectAt(object, "status"), "conditions").map((condition) =>
    isObject(condition) ? [condition["type"], condition["status"], condition["reason"]] : [],
  );
  const isGoing = metadata["deletionTimestamp"] !== undefined;
  return JSON.stringify([metadata["name"], isGoing, metadata["finalizers"], owners, conditions]);
}

import { setTimeout as delay } from "node:timers/promises";
import { isObject, type JsonObject, listAt, objectAt, stringAt } from "../api/json.ts";
import { type Answers, bodyOf, type Exchange } from "./exchange.ts";
import type { Address, CollectionAddress, Operation } from "./operation.ts";
import type { Answer, VirtualSubject } from "./subject.ts";

/** How long the real server's controllers may take (milliseconds). */
const PATIENCE_MS = 30_000;
/** In the simulated server's time: longer than any of its controllers waits (milliseconds). */
const SIMULATED_MS = 30_000;
/** What serves a kind hears of a change of its CRD a moment later (milliseconds). */
const PROPAGATION_MS = 250;

/** Lets the controllers of both servers come to rest. */
export class Settling {
  readonly #exchange: Exchange;
  readonly #simulated: VirtualSubject;

  constructor(exchange: Exchange, simulated: VirtualSubject) {
    this.#exchange = exchange;
    this.#simulated = simulated;
  }

  /** Until the real server shows the object as the simulated one does. */
  async ofObject({ place, namespace, name }: Address): Promise<void> {
    this.#rest();
    const check: Operation = { verb: "get", place, name, ...(namespace === undefined ? {} : { namespace }) };
    await this.#until(async () => {
      const { real, simulated } = await this.#exchange.ask(check);
      return real.status === simulated.status && summaryOf(bodyOf(real)) === summaryOf(bodyOf(simulated));
    });
    await delay(PROPAGATION_MS);
  }

  /** Until the real server has the same objects there. */
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
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await isSettled()) && Date.now() < deadline) await delay(20);
  }
}

function isSameList({ real, simulated }: Answers): boolean {
  const summaries = (answer: Answer): readonly string[] =>
    listAt(bodyOf(answer), "items").map((item) => (isObject(item) ? summaryOf(item) : ""));
  return JSON.stringify(summaries(real)) === JSON.stringify(summaries(simulated));
}

/** What controllers change of an object. */
function summaryOf(object: JsonObject): string {
  const metadata = objectAt(object, "metadata");
  const owners = listAt(metadata, "ownerReferences").map((owner) => (isObject(owner) ? stringAt(owner, "name") : ""));
  const conditions = listAt(objectAt(object, "status"), "conditions").map((condition) =>
    isObject(condition) ? [condition["type"], condition["status"], condition["reason"]] : [],
  );
  const isGoing = metadata["deletionTimestamp"] !== undefined;
  return JSON.stringify([metadata["name"], isGoing, metadata["finalizers"], owners, conditions]);
}

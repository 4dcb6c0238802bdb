import { setTimeout as pause } from "node:timers/promises";
import { eventOf } from "../../../tools/key-vault-emulator/queues/event-form.ts";
import type { Ground } from "./ground.ts";
import { NOISE } from "./noise.ts";
import type { PhasePlan, Step } from "./plan.ts";
import type { EventWorld } from "./world.ts";

/** Interval between attempts in milliseconds. Event Grid retries for a day, this class until an unavailable queue works again. */
const RETRY_MS = 500;
const DELIVERED_WITHIN_MS = 300_000;

/** Changes in the vault, and their events as Event Grid delivers them: at least once, and in no order. */
export class Traffic {
  readonly #world: EventWorld;
  readonly #ground: Ground;
  readonly #underWay = new Set<Promise<void>>();
  #problem: unknown;
  delivered = 0;

  constructor(world: EventWorld, ground: Ground) {
    this.#world = world;
    this.#ground = ground;
  }

  /**
   * Runs the phase's steps at their times. `first` is the number of its first object. Its last messages may arrive after this has resolved.
   */
  async run({ steps }: Pick<PhasePlan, "steps">, first: number): Promise<void> {
    const started = performance.now();
    for (const step of steps) {
      const wait = started + step.at - performance.now();
      if (wait > 0) await pause(wait);
      await this.#make(step, first);
      if (this.#problem !== undefined) throw this.#problem;
    }
  }

  /** Resolves when every message is in the queue. */
  async delivery(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    if (this.#problem !== undefined) throw this.#problem;
  }

  async #make(step: Step, first: number): Promise<void> {
    const { vault } = this.#world;
    const { named, deleted } = this.#ground;
    if (step.kind === "noise") {
      const noise = NOISE[step.serial % NOISE.length];
      if (noise !== undefined) this.#send(noise({ vault, named, deleted }), 0);
      return;
    }
    const version = await this.#ground.rotate(first + step.object);
    const event = eventOf({ name: vault, url: `https://${vault}.vault.azure.net/` }, version, step.schema);
    const message = Buffer.from(JSON.stringify(event)).toString("base64");
    for (const delay of step.deliveries) this.#send(message, delay);
  }

  #send(message: string, delayMs: number): void {
    const sending = this.#deliver(message, delayMs).catch((error: unknown) => {
      this.#problem = error;
    });
    this.#underWay.add(sending);
    void sending.then(() => this.#underWay.delete(sending));
  }

  async #deliver(message: string, delayMs: number): Promise<void> {
    await pause(delayMs);
    const deadline = performance.now() + DELIVERED_WITHIN_MS;
    for (;;) {
      try {
        await this.#world.put(message);
        this.delivered += 1;
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await pause(RETRY_MS);
      }
    }
  }
}

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Clock } from "../../src/domain/ports/clock.ts";
import { createSteadyClock } from "../../src/runtime/steady-clock.ts";

const START = 1_700_000_000_000;
const HOUR_MS = 3_600_000;

/** A machine whose clock can be set. */
class Machine {
  #real = 0;
  #offset = START;
  readonly clock: Clock = createSteadyClock({ wall: () => this.wall, monotonic: () => this.#real });

  get wall(): number {
    return this.#real + this.#offset;
  }

  pass(milliseconds: number): void {
    this.#real += milliseconds;
  }

  set(by: number): void {
    this.#offset += by;
  }

  /** Returns the milliseconds that this clock measures while real time passes. Reads the clock every second. */
  measured(milliseconds: number): number {
    const before = this.clock.now();
    for (let passed = 0; passed < milliseconds; passed += 1_000) {
      this.pass(1_000);
      this.clock.now();
    }
    return this.clock.now() - before;
  }
}

describe("the steady clock", () => {
  test("goes with the machine's clock while nobody sets that", () => {
    const machine = new Machine();

    assert.equal(machine.clock.now(), START);
    assert.equal(machine.measured(HOUR_MS), HOUR_MS);
    assert.equal(machine.clock.now(), machine.wall);
  });

  test("does not stand still where the machine's clock is set back by an hour, and loses a tenth of the time until it agrees again", () => {
    const machine = new Machine();
    machine.set(-HOUR_MS);

    assert.equal(machine.clock.now(), START);
    assert.equal(machine.measured(100_000), 90_000);
    machine.measured(10 * HOUR_MS);
    assert.equal(machine.clock.now(), machine.wall);
  });

  test("does not let everything fall due where the machine's clock is set ahead by an hour, and goes twice as fast until it agrees again", () => {
    const machine = new Machine();
    machine.set(HOUR_MS);

    assert.equal(machine.clock.now(), START);
    assert.equal(machine.measured(100_000), 200_000);
    machine.measured(HOUR_MS);
    assert.equal(machine.clock.now(), machine.wall);
  });

  test("never goes back, whatever is done to the machine's clock between two looks", () => {
    const machine = new Machine();
    let last = machine.clock.now();
    for (const step of [5_000, -HOUR_MS, HOUR_MS, -3, -86_400_000, 7, 2 * HOUR_MS]) {
      machine.set(step);
      machine.pass(250);
      const now = machine.clock.now();
      assert.ok(now >= last + 225, `${now - last} ms after a step of ${step} ms`);
      last = now;
    }
  });
});

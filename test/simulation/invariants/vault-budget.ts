/** Number of requests to a vault: docs/reference/vault-budget.md. */
import type { Message } from "../network/fabric.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

const WINDOW_MS = 10_000;

/**
 * Requests that the budget admitted before the window, but that the worker sends within it after a slow sign-in: 64 workers with four
 * objects each.
 */
const IN_HAND = 64 * 4;

/** Requests that the worker repeats on a fresh connection: at most 64 at once, and 4 a second. */
const SENT_AGAIN = 64 + 4 * 10;

/** Less than the 4,000 transactions that a vault allows. */
const MOST = 3_500 + IN_HAND + SENT_AGAIN;
/** The part of them for keys: 40 at once, and 20 a second. */
const MOST_KEYS = 40 + 20 * 10 + IN_HAND + SENT_AGAIN;

/** A vault answers a request without a token with a challenge, and does not count it. */
function isTransaction({ host, headers }: Message): boolean {
  return host.includes(".vault.azure.net") && headers["authorization"] !== undefined;
}

/** A list of keys counts as an ordinary transaction. */
function isKeyRead({ path }: Message): boolean {
  return /^\/keys\/[^/?]+/.test(path) && !path.includes("/versions");
}

/** Requests of the last ten seconds. */
class Window {
  /** Time of each request, oldest first. The window begins at `#first`. */
  readonly #times: number[] = [];
  #first = 0;

  /** Adds a request, and returns the number of requests in the window. */
  add(now: number): number {
    this.#times.push(now);
    while ((this.#times[this.#first] ?? now) <= now - WINDOW_MS) this.#first += 1;
    if (this.#first > MOST) this.#times.splice(0, this.#first);
    if (this.#first > MOST) this.#first = 0;
    return this.#times.length - this.#first;
  }
}

export const vaultBudget: Invariant = {
  name: "no vault is asked for more than its budget",
  watch: (world: World, violated) => {
    const windows = new Map<string, Window>();
    const count = (line: string): number => {
      const window = windows.get(line) ?? new Window();
      windows.set(line, window);
      return window.add(world.scheduler.now);
    };
    world.onSend((message) => {
      if (message.machine === undefined || !isTransaction(message)) return;
      const [vault = ""] = message.host.split(".");
      // Reports each overfull window once, and not for each of its requests.
      if (count(vault) === MOST + 1) violated(`${vault} is asked for more than ${MOST} transactions in 10 s`);
      if (isKeyRead(message) && count(`keys of ${vault}`) === MOST_KEYS + 1)
        violated(`${vault} is asked for more than ${MOST_KEYS} keys in 10 s`);
    });
  },
};

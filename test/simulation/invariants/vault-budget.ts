/** How much a vault is asked for: docs/reference/vault-budget.md. */
import type { Message } from "../network/fabric.ts";
import type { World } from "../world/world.ts";
import type { Invariant } from "./invariant.ts";

const WINDOW_MS = 10_000;

/** Let through before the window and sent within it, since a sign-in took its time: what 64 workers have in hand, four objects each. */
const IN_HAND = 64 * 4;

/** Sent once more on a fresh connection: 64 at once and 4 a second. */
const SENT_AGAIN = 64 + 4 * 10;

/** Less than the 4,000 that a vault takes. */
const MOST = 3_500 + IN_HAND + SENT_AGAIN;
/** Of those, keys: 40 at once and 20 a second. */
const MOST_KEYS = 40 + 20 * 10 + IN_HAND + SENT_AGAIN;

/** A request without a token is a vault's challenge, which it does not count. */
function isTransaction({ host, headers }: Message): boolean {
  return host.includes(".vault.azure.net") && headers["authorization"] !== undefined;
}

/** A list of keys counts like any other. */
function isKeyRead({ path }: Message): boolean {
  return /^\/keys\/[^/?]+/.test(path) && !path.includes("/versions");
}

/** Requests of the last ten seconds. */
class Window {
  /** Of each that is counted; oldest first, from `#first` on. */
  readonly #times: number[] = [];
  #first = 0;

  /** How many there are with this one. */
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
      // Told once for each window that is too full, not for each request in it.
      if (count(vault) === MOST + 1) violated(`${vault} is asked for more than ${MOST} transactions in 10 s`);
      if (isKeyRead(message) && count(`keys of ${vault}`) === MOST_KEYS + 1)
        violated(`${vault} is asked for more than ${MOST_KEYS} keys in 10 s`);
    });
  },
};

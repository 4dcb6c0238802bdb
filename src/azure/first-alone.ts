import { VaultError } from "../domain/ports/vault-error.ts";
import { unlessAborted } from "../runtime/lifecycle.ts";

/**
 * Lets one call go first, and the others once it has come through. A client of the SDK learns from its first answer whose token a vault
 * takes; calls that begin before would each be sent, and challenged, without one. Where the first fails, the next one is the first. Who
 * waits does so until its signal aborts.
 */
export function firstAlone(): <T>(call: () => Promise<T>, signal: AbortSignal) => Promise<T> {
  let hasCome = false;
  let first: Promise<void> | undefined;
  const awaited = (): Promise<void> | undefined => (hasCome ? undefined : first);
  return async (call, signal) => {
    for (let before = awaited(); before !== undefined; before = awaited()) {
      await unlessAborted(before, signal);
      signal.throwIfAborted();
    }
    const running = call();
    if (!hasCome) first = ended(running);
    return running;
  };

  /** Those that wait are told of its end, not of its failure. */
  async function ended(running: Promise<unknown>): Promise<void> {
    try {
      await running;
      hasCome = true;
    } catch (error) {
      // A refusal of the vault is an answer too.
      hasCome = error instanceof VaultError && error.origin === "vault" && error.code !== "Unreachable";
      first = undefined;
    }
  }
}

import { VaultError } from "../domain/ports/vault-error.ts";
import { unlessAborted } from "../runtime/lifecycle.ts";

/**
 * Lets one call go first, and the others after it got a response. A client of the SDK learns from its first response whose token a vault
 * takes. Without this, each call that starts earlier would be sent without a token and challenged. If the first call fails, the next one
 * becomes the first. A call waits until its signal aborts.
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

  /** Resolves when the first call ends. The waiting calls do not get its failure. */
  async function ended(running: Promise<unknown>): Promise<void> {
    try {
      await running;
      hasCome = true;
    } catch (error) {
      // A refusal by the vault is also a response.
      hasCome = error instanceof VaultError && error.origin === "vault" && error.code !== "Unreachable";
      first = undefined;
    }
  }
}

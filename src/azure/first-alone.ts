import { VaultError } from "../domain/ports/vault-error.ts";

/**
 * Lets one call go first, and the others once it has come through. A client of the SDK learns from its first answer whose token a vault
 * takes; calls that begin before would each be sent, and challenged, without one.
 */
export function firstAlone(): <T>(call: () => Promise<T>) => Promise<T> {
  let hasCome = false;
  let first: Promise<void> | undefined;
  return async (call) => {
    if (hasCome) return call();
    if (first !== undefined) {
      await first;
      return call();
    }
    const running = call();
    first = ended(running);
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

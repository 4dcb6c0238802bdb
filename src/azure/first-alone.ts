import { VaultError } from "../domain/ports/vault-error.ts";
import { unlessAborted, within } from "../runtime/lifecycle.ts";

interface Wait {
  readonly signal: AbortSignal;
  readonly milliseconds: number;
  /** Error of a call whose turn does not come in time. */
  readonly tooLate: () => Error;
}

/**
 * Lets one call go first, and the others after it got a response. A client of the SDK learns from its first response whose token a vault
 * takes. Without this, each call that starts earlier would be sent without a token and challenged. If the first call fails, the next one
 * becomes the first. A call waits until its signal aborts or the time of the wait is over. This time is not part of the call's own.
 */
export function firstAlone(): <T>(call: () => Promise<T>, wait: Wait) => Promise<T> {
  let hasCome = false;
  let first: Promise<void> | undefined;
  const awaited = (): Promise<void> | undefined => (hasCome ? undefined : first);

  /** Marks the call as the first one in the same moment in which it begins. */
  function begin<T>(call: () => Promise<T>): { readonly running: Promise<T> } {
    const running = call();
    if (!hasCome) first = ended(running);
    return { running };
  }

  return async (call, { signal, milliseconds, tooLate }) => {
    if (awaited() === undefined) return begin(call).running;
    // In an object, because the time of the wait ends with the begin of the call.
    const { running } = await within({ milliseconds, outer: signal, tooLate }, async (bounded) => {
      for (let before = awaited(); before !== undefined; before = awaited()) {
        await unlessAborted(before, bounded);
        bounded.throwIfAborted();
      }
      return begin(call);
    });
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

import type { VaultClient, VaultClients } from "../../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../../src/domain/ports/vault-error.ts";
import type { SimulatedWorld } from "./world.ts";

/** The world's vaults, which do not answer list requests while `isSilent` returns true. */
export function silencing(world: SimulatedWorld, isSilent: () => boolean): VaultClients {
  const changed = new WeakMap<VaultClient, VaultClient>();
  return {
    clientFor: (address, identity, namespace) => {
      const client = world.vaults.clientFor(address, identity, namespace);
      const listObjects: VaultClient["listObjects"] = (kind, signal) => (isSilent() ? silence(signal) : client.listObjects(kind, signal));
      const known = changed.get(client) ?? { ...client, listObjects };
      changed.set(client, known);
      return known;
    },
  };
}

/** Makes the vault silent for this time. After that, the request fails. */
export function answerAfter(world: SimulatedWorld, afterMs: number): void {
  const error = new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" });
  world.vaults.signIn = () => ({ error, afterMs });
}

// oxlint-disable-next-line eslint/require-yield -- a list that never comes.
async function* silence(signal: AbortSignal): AsyncGenerator<never> {
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}

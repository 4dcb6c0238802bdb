import type { ServicePrincipal } from "../entra/directory.ts";
import { EmulatorInputError } from "../input-error.ts";

export const IDENTITY_KINDS = ["system", "user"] as const;

export type IdentityKind = (typeof IDENTITY_KINDS)[number];

export interface ManagedIdentity {
  readonly kind: IdentityKind;
  readonly principal: ServicePrincipal;
  /** The Azure resource id of the identity, or of the machine for a system-assigned identity. */
  readonly resourceId: string;
}

/** The ids by which a request can name a user-assigned identity. */
export interface IdentityChoice {
  readonly clientId: string | undefined;
  readonly objectId: string | undefined;
  readonly resourceId: string | undefined;
}

/** Identities that are assigned to the one virtual machine whose metadata service the emulator provides. */
export class Machine {
  readonly #identities = new Map<string, ManagedIdentity>();

  assign(identity: ManagedIdentity): void {
    const isTaken = identity.kind === "system" && [...this.#identities.values()].some(({ kind }) => kind === "system");
    if (isTaken) throw new EmulatorInputError("kind: the machine has a system-assigned identity; remove it first");
    this.#identities.set(identity.principal.appId, identity);
  }

  /** The application stays in the directory, because tokens issued earlier stay valid. */
  remove(appId: string): void {
    if (!this.#identities.delete(appId.toLowerCase())) {
      throw new EmulatorInputError(`appId: no managed identity ${appId} is assigned to the machine`);
    }
  }

  /**
   * Without a choice, returns the system-assigned identity, otherwise the only user-assigned one. See "Which identity" in
   * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq
   */
  pick({ clientId, objectId, resourceId }: IdentityChoice): ManagedIdentity | "none" | "several" {
    const all = [...this.#identities.values()];
    if (clientId !== undefined) return this.#identities.get(clientId.toLowerCase()) ?? "none";
    if (objectId !== undefined) return all.find(({ principal }) => principal.objectId === objectId.toLowerCase()) ?? "none";
    if (resourceId !== undefined) return all.find((one) => one.resourceId.toLowerCase() === resourceId.toLowerCase()) ?? "none";
    const system = all.find(({ kind }) => kind === "system");
    if (system !== undefined) return system;
    const [only] = all;
    if (only === undefined) return "none";
    return all.length === 1 ? only : "several";
  }
}

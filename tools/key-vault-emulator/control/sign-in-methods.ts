import { randomUUID } from "node:crypto";

import type { ServicePrincipal } from "../entra/directory.ts";
import { issuerKeyFromPem, issuerKeysFromJwks } from "../entra/federation.ts";
import type { IdentityKind } from "../imds/machine.ts";
import { EmulatorInputError } from "../input-error.ts";
import type { World } from "../world.ts";
import { fetchKeySet } from "./fetch-key-set.ts";
import { type Input, inputs, parseInput } from "./inputs.ts";

/** An identity of the machine. */
export interface ManagedIdentityFacts extends Omit<ServicePrincipal, "clientSecret"> {
  readonly kind: IdentityKind;
  readonly resourceId: string;
}

export interface SignInMethods {
  /** Makes the emulator verify tokens of this issuer. Without it, Entra could not reach the issuer. */
  trustIssuer(input: Input<"trustIssuer">): Promise<void>;
  /** Makes the token endpoint also accept the tenant's domain. */
  addTenantDomain(input: Input<"addTenantDomain">): Promise<void>;
  /** Adds a credential to an application or a managed identity. */
  addFederatedCredential(input: Input<"addFederatedCredential">): Promise<void>;
  removeFederatedCredentials(input: Input<"application">): Promise<void>;
  /** Creates an identity and assigns it to the machine. Grant access to its `appId`. */
  createManagedIdentity(input: Input<"createManagedIdentity">): Promise<ManagedIdentityFacts>;
  /** Removes the identity's assignment to the machine. */
  removeManagedIdentity(input: Input<"application">): Promise<void>;
}

export function signInMethods({ directory, federation, machine }: World): SignInMethods {
  return {
    trustIssuer: async (input) => {
      const { issuer, ...source } = parseInput(inputs.trustIssuer, input);
      federation.trust(issuer, await keysOf(source));
    },
    addTenantDomain: async (input) => {
      const { tenantId, domain } = parseInput(inputs.addTenantDomain, input);
      directory.addDomain(tenantId, domain);
    },
    addFederatedCredential: async (input) => {
      const { appId, ...credential } = parseInput(inputs.addFederatedCredential, input);
      federation.add(directory.requirePrincipal(appId).appId, credential);
    },
    removeFederatedCredentials: async (input) => {
      federation.removeAll(directory.requirePrincipal(parseInput(inputs.application, input).appId).appId);
    },
    createManagedIdentity: async (input) => {
      const { kind, resourceId, ...application } = parseInput(inputs.createManagedIdentity, input);
      const principal = directory.createServicePrincipal(application);
      const identity = { kind, principal, resourceId: resourceId ?? madeUpResourceId(kind, principal) };
      machine.assign(identity);
      const { clientSecret: _, ...facts } = principal;
      return { ...facts, kind, resourceId: identity.resourceId };
    },
    removeManagedIdentity: async (input) => machine.remove(parseInput(inputs.application, input).appId),
  };
}

type KeySource = Omit<ReturnType<(typeof inputs)["trustIssuer"]["parse"]>, "issuer">;

async function keysOf({ publicKeyPem, jwks, jwksUri, ...access }: KeySource): ReturnType<typeof asKeys> {
  const given = [publicKeyPem, jwks, jwksUri].filter((source) => source !== undefined);
  if (given.length !== 1) throw new EmulatorInputError("publicKeyPem: give one of publicKeyPem, jwks and jwksUri");
  if (publicKeyPem !== undefined) return [issuerKeyFromPem(publicKeyPem)];
  return asKeys(jwksUri === undefined ? jwks : await fetchKeySet(jwksUri, access));
}

async function asKeys(jwks: unknown): Promise<ReturnType<typeof issuerKeysFromJwks>> {
  return issuerKeysFromJwks(jwks);
}

function madeUpResourceId(kind: IdentityKind, { appId }: ServicePrincipal): string {
  const group = `/subscriptions/${randomUUID()}/resourceGroups/emulator/providers`;
  return kind === "system"
    ? `${group}/Microsoft.Compute/virtualMachines/emulator`
    : `${group}/Microsoft.ManagedIdentity/userAssignedIdentities/${appId}`;
}

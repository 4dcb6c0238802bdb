import type { KeyObject } from "node:crypto";
import { Directory } from "./entra/directory.ts";
import { answerEntra } from "./entra/endpoints.ts";
import { entraError, transientFailure } from "./entra/errors.ts";
import { Federation } from "./entra/federation.ts";
import { TokenIssuer } from "./entra/token-issuer.ts";
import { answerImds, IMDS_HOST } from "./imds/endpoint.ts";
import { Machine } from "./imds/machine.ts";
import { type Endpoint, endpointOf } from "./network/clouds.ts";
import type { Answer, Exchange } from "./network/exchange.ts";
import { FaultPlan } from "./network/fault-plan.ts";
import { RequestLog } from "./network/request-log.ts";
import type { Serving } from "./network/request-serving.ts";
import { Authorities } from "./pki/authority.ts";
import { EventDelivery } from "./queues/event-delivery.ts";
import { answerQueue, queueFailure, StorageAccounts } from "./queues/storage-accounts.ts";
import { answerVault } from "./vault/data-plane.ts";
import { serviceFailure } from "./vault/errors.ts";
import { type Vault, VaultStore } from "./vault/vault-store.ts";

/** The whole state of the emulator. */
export interface World {
  readonly directory: Directory;
  readonly federation: Federation;
  readonly machine: Machine;
  readonly tokens: TokenIssuer;
  readonly vaults: VaultStore;
  readonly accounts: StorageAccounts;
  readonly events: EventDelivery;
  readonly authorities: Authorities;
  readonly faults: FaultPlan;
  readonly log: RequestLog;
}

/** `tokenKey` is an RSA key for tokens. Without it, creates a new one. */
export async function createWorld(tokenLifetimeSeconds: number, tokenKey?: KeyObject): Promise<World> {
  const now = (): number => Math.floor(Date.now() / 1000);
  const directory = new Directory();
  const tokens = await TokenIssuer.create(now, tokenLifetimeSeconds, tokenKey);
  const accounts = new StorageAccounts();
  const events = new EventDelivery({ accounts, tokens, directory });
  return {
    directory,
    federation: new Federation(),
    machine: new Machine(),
    tokens,
    vaults: new VaultStore(directory, now, (vault, version) => events.announce(vault, version)),
    accounts,
    events,
    authorities: new Authorities(),
    faults: new FaultPlan(),
    log: new RequestLog(),
  };
}

/** The HTTPS listener, which serves vaults, Entra and queues by host name. */
export function cloudServing(world: World): Serving {
  const { log, faults } = world;
  return {
    log,
    faults,
    hostOf: ({ host }) => host,
    answer: (exchange) => {
      const endpoint = endpointOf(exchange.host);
      return endpoint === undefined ? undefined : answerAt(world, exchange, endpoint);
    },
    forward: (exchange) => {
      const endpoint = endpointOf(exchange.host);
      return endpoint?.kind === "queue" ? answerQueue(exchange, endpoint, world) : undefined;
    },
    failure: (exchange, status) => {
      const kind = endpointOf(exchange.host)?.kind;
      if (kind === "queue") return queueFailure(status);
      return kind === "entra" ? { ...entraError(exchange, transientFailure()), status } : serviceFailure(status);
    },
  };
}

/** The metadata service of the machine. It ignores the host name. */
export function imdsServing(world: World): Serving {
  const { log, faults } = world;
  return {
    log,
    faults,
    hostOf: () => IMDS_HOST,
    answer: (exchange) => answerImds(exchange, world),
    // https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling ("unknown")
    failure: (_, status) => ({ status, body: { error: "unknown", error_description: "Failed to retrieve token from the directory." } }),
  };
}

function answerAt(world: World, exchange: Exchange, endpoint: Endpoint): Answer | undefined {
  if (endpoint.kind === "entra") return answerEntra(exchange, endpoint.cloud, world);
  if (endpoint.kind === "queue") return undefined;
  const vault = vaultAt(world, endpoint);
  return vault === undefined ? undefined : answerVault(exchange, vault, world.tokens);
}

/** Whether a host name resolves. */
export function exists(world: World, endpoint: Endpoint): boolean {
  if (endpoint.kind === "queue") return world.accounts.find(endpoint.account) !== undefined;
  return endpoint.kind === "entra" || vaultAt(world, endpoint) !== undefined;
}

/** A vault answers only under the names of its own cloud. */
function vaultAt(world: World, endpoint: Extract<Endpoint, { kind: "vault" }>): Vault | undefined {
  const vault = world.vaults.find(endpoint.vaultName);
  return vault?.cloud === endpoint.cloud.name ? vault : undefined;
}

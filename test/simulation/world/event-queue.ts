/** The queue that the worker of some worlds reads: an account of storage, who may use it, and what comes into it. */
import { createHash, createPublicKey, sign } from "node:crypto";
import type { World as EmulatedClouds } from "../../../tools/key-vault-emulator/world.ts";
import type { JsonObject } from "../api/json.ts";
import { DEFAULT_AUDIENCE } from "../api/write/reviews.ts";
import type { Fate, Message, Party } from "../network/fabric.ts";
import type { CloudClock } from "../parties/clouds.ts";
import { TOKEN_KEY } from "../parties/token-key.ts";
import { EventGrid } from "../queues/event-grid.ts";
import { QueueService } from "../queues/queue-service.ts";
import { EPOCH } from "../time/context.ts";
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Cluster } from "./cluster.ts";

export const QUEUE_HOST = "simevents.queue.core.windows.net";
const QUEUE = "vault-events";
const INSTALL = "keyvault-injector";
const ACCOUNT = "event-reader";
const GRANT = "grants.keyvault-injector.dev/service-accounts";
const SUBJECT = `system:serviceaccount:${INSTALL}:${ACCOUNT}`;
const FEDERATED = "api://AzureADTokenExchange";

/** Requests to an empty queue take so long to arrive where the world is to be fast: two of three events would be those (milliseconds). */
const SLOW_LOOK_MS = [2_000, 8_000] as const;

/** Worlds in which looks come as often as the product makes them. */
const OWN_PACE = 0.15;

export interface EventQueueOptions {
  readonly cluster: Cluster;
  readonly clouds: EmulatedClouds;
  readonly cloudClock: CloudClock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly tenantId: string;
  readonly hasOwnPace: boolean;
}

export class EventQueue {
  readonly service: QueueService;
  readonly grid: EventGrid;
  /** Of the identity that the worker is there. */
  readonly appId: string;
  /** Item of `--event-queues`. */
  readonly setting: string;
  /** Whether the identity has its role. */
  isAssigned = true;
  readonly #cluster: Cluster;
  readonly #isSlow: boolean;
  readonly #random: Random;

  constructor({ cluster, clouds, cloudClock, scheduler, random, tenantId, hasOwnPace }: EventQueueOptions) {
    this.#cluster = cluster;
    this.#random = random.fork("looks");
    this.#isSlow = !hasOwnPace && !random.fork("pace").chance(OWN_PACE);
    this.appId = clouds.directory.createServicePrincipal({ cloud: "public", tenantId }).appId;
    this.setting = `https://${QUEUE_HOST}/${QUEUE};identity=workload;clientID=${this.appId};tenantID=${tenantId};serviceAccount=${ACCOUNT}`;
    this.service = new QueueService({
      now: () => Math.floor(EPOCH + scheduler.now),
      random: random.fork("service"),
      tokens: clouds.tokens,
      mayUse: (appId) => this.isAssigned && appId === this.appId,
      skewMs: () => cloudClock.skewMs,
    });
    this.service.create(QUEUE);
    this.grid = new EventGrid({ scheduler, random: random.fork("grid"), queue: () => this.service.queue(QUEUE) });
    trustCluster(clouds, this.appId);
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT } };
    cluster.request("POST", `/api/v1/namespaces/${INSTALL}/serviceaccounts`, account);
    this.setGrant(ACCOUNT);
  }

  get party(): (host: string) => Party | undefined {
    return (host) => (host === QUEUE_HOST ? (message) => this.service.answer(message) : undefined);
  }

  /** What nobody has decided otherwise: looks at an empty queue take their time. */
  check(message: Message): Fate | undefined {
    if (!this.#isSlow || message.host !== QUEUE_HOST || message.method !== "GET") return undefined;
    if (this.service.queue(QUEUE)?.hasVisible === true) return undefined;
    return { kind: "passed", there: this.#random.between(...SLOW_LOOK_MS), back: this.#random.delay(2) };
  }

  /** What the Namespace of the install lends to the worker; null: nothing. */
  setGrant(account: string | null): void {
    const body = { metadata: { annotations: { [GRANT]: account } } };
    this.#cluster.request("PATCH", `/api/v1/namespaces/${INSTALL}`, body, { contentType: "application/merge-patch+json" });
  }

  /** Without the grant the worker asks neither for a token nor for messages: no answer tells that it could not. */
  get isGranted(): boolean {
    const { metadata } = this.#cluster.server.object("namespaces", INSTALL) ?? {};
    return (metadata as { annotations?: Readonly<Record<string, string>> } | undefined)?.annotations?.[GRANT] === ACCOUNT;
  }

  withdrawGrant(): () => void {
    this.setGrant(null);
    return () => this.setGrant(ACCOUNT);
  }

  /** With all that is in it, until it is made again. */
  remove(): () => void {
    this.grid.loseAll(this.service.queue(QUEUE)?.all() ?? []);
    this.service.remove(QUEUE);
    return () => void this.service.create(QUEUE);
  }

  /** Messages, hidden ones included. */
  get size(): number {
    return this.service.queue(QUEUE)?.size ?? 0;
  }
}

/** Entra takes the cluster's tokens of the account for those of the application. */
function trustCluster({ federation }: EmulatedClouds, appId: string): void {
  const key = createPublicKey(TOKEN_KEY);
  federation.trust(DEFAULT_AUDIENCE, [{ kid: KEY_ID, key }]);
  federation.add(appId, { issuer: DEFAULT_AUDIENCE, subject: SUBJECT, audience: FEDERATED });
}

const KEY_ID = createHash("sha256").update("the simulated cluster's").digest("base64url");

/** As the API server signs a ServiceAccount's token. */
export function signClusterToken(claims: JsonObject): string {
  const signed = [{ alg: "RS256", kid: KEY_ID }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), TOKEN_KEY).toString("base64url")}`;
}

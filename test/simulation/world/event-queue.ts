/** The event queue that the worker reads in some worlds: its storage account, the access to it, and the messages that arrive. */
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

/** Delay of requests to an empty queue in worlds that are to run fast (milliseconds). Otherwise, they would be two of three events. */
const SLOW_LOOK_MS = [2_000, 8_000] as const;

/** Share of the worlds in which the worker reads the queue at the product's own pace. */
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
  /** Application id of the identity with which the worker reads the queue. */
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

  /** Delays requests to an empty queue, if no fault has decided about them. */
  check(message: Message): Fate | undefined {
    if (!this.#isSlow || message.host !== QUEUE_HOST || message.method !== "GET") return undefined;
    if (this.service.queue(QUEUE)?.hasVisible === true) return undefined;
    return { kind: "passed", there: this.#random.between(...SLOW_LOOK_MS), back: this.#random.delay(2) };
  }

  /** Sets the ServiceAccount that the Namespace of the install grants to the worker; null: none. */
  setGrant(account: string | null): void {
    const body = { metadata: { annotations: { [GRANT]: account } } };
    this.#cluster.request("PATCH", `/api/v1/namespaces/${INSTALL}`, body, { contentType: "application/merge-patch+json" });
  }

  /**
   * Whether the Namespace grants the account. Without the grant, the worker requests neither tokens nor messages, so that no answer shows
   * the problem.
   */
  get isGranted(): boolean {
    const { metadata } = this.#cluster.server.object("namespaces", INSTALL) ?? {};
    return (metadata as { annotations?: Readonly<Record<string, string>> } | undefined)?.annotations?.[GRANT] === ACCOUNT;
  }

  withdrawGrant(): () => void {
    this.setGrant(null);
    return () => this.setGrant(ACCOUNT);
  }

  /** Deletes the queue and its messages. The returned function recreates the queue. */
  remove(): () => void {
    this.grid.loseAll(this.service.queue(QUEUE)?.all() ?? []);
    this.service.remove(QUEUE);
    return () => void this.service.create(QUEUE);
  }

  /** Number of messages, including hidden ones. */
  get size(): number {
    return this.service.queue(QUEUE)?.size ?? 0;
  }
}

/** Makes Entra accept the cluster's tokens for the ServiceAccount as those of the application. */
function trustCluster({ federation }: EmulatedClouds, appId: string): void {
  const key = createPublicKey(TOKEN_KEY);
  federation.trust(DEFAULT_AUDIENCE, [{ kid: KEY_ID, key }]);
  federation.add(appId, { issuer: DEFAULT_AUDIENCE, subject: SUBJECT, audience: FEDERATED });
}

const KEY_ID = createHash("sha256").update("the simulated cluster's").digest("base64url");

/** Signs the token of a ServiceAccount as the API server does. */
export function signClusterToken(claims: JsonObject): string {
  const signed = [{ alg: "RS256", kid: KEY_ID }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), TOKEN_KEY).toString("base64url")}`;
}

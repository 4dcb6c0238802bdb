import type { Retry } from "./retry.ts";
import type { VaultIdentity } from "./vault-identity.ts";

/** Where a queue is, and who the worker signs in as there. */
export interface QueueSetting {
  /** `https://account.queue.core.windows.net/name`, in which a place for the number of the shard may stand. */
  readonly url: string;
  readonly identity: QueueIdentity;
  /** `https://login.microsoftonline.com/` */
  readonly authorityHost: string;
  /** Scope of a token for the queue. */
  readonly scope: string;
  /** Nothing but the setting vouches for the authority. */
  readonly isCustomCloud: boolean;
}

export type QueueIdentity =
  /** Of the worker's node; without `clientId` its system-assigned one. */
  | { readonly kind: "managed"; readonly clientId: string | undefined }
  /** By a token of a ServiceAccount, whose Namespace grants it; without `namespace` in that of the install. */
  | {
      readonly kind: "workload";
      readonly clientId: string;
      readonly tenantId: string;
      readonly account: { readonly namespace: string | undefined; readonly name: string };
    }
  /** By a client secret: `secretName` is a Secret in the install's namespace, with clientid and clientsecret. */
  | { readonly kind: "servicePrincipal"; readonly tenantId: string; readonly secretName: string };

/** A message that nobody else gets before its time-out has passed. */
export interface QueueMessage {
  readonly id: string;
  /** What a deletion has to name: it is another one after each receipt. */
  readonly receipt: string;
  readonly text: string;
  /** How often the message was received, this time included. */
  readonly receipts: number;
}

export interface ReceiveOptions {
  /** 1 to 32. */
  readonly most: number;
  /** Milliseconds until the messages can be received again, unless they are deleted. */
  readonly hiddenMs: number;
}

/** One queue as one identity sees it. Each call is one request, and throws {@link QueueError}. */
export interface EventQueue {
  receive(options: ReceiveOptions, signal: AbortSignal): Promise<readonly QueueMessage[]>;
  /** False where the message is there no more, or was received by somebody since. */
  delete(message: Pick<QueueMessage, "id" | "receipt">, signal: AbortSignal): Promise<boolean>;
  /** Looks at messages, up to 32, without taking them. */
  peek(most: number, signal: AbortSignal): Promise<readonly PeekedMessage[]>;
}

export interface PeekedMessage {
  readonly text: string;
  /** Unix milliseconds, by the queue's clock. */
  readonly insertedAt: number;
}

export interface EventQueues {
  open(setting: QueueSetting, identity: VaultIdentity): EventQueue;
}

export type QueueErrorCode =
  /** There is no such account or queue. */
  | "NotFound"
  | "Forbidden"
  | "NetworkForbidden"
  | "Unauthorized"
  | "IdentityUnavailable"
  | "Throttled"
  | "Unreachable"
  /** More than the messages that were asked for can have. */
  | "TooLarge"
  | "Invalid";

/** What was tried, on which queue, and what to do; never a token, a header or a message. */
export class QueueError extends Error {
  override readonly name = "QueueError";
  readonly code: QueueErrorCode;
  readonly retry: Retry;

  constructor(code: QueueErrorCode, message: string, retry: Retry) {
    super(message);
    this.code = code;
    this.retry = retry;
  }
}

/** Reads, and receives with deletion: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage#storage-queue-data-message-processor */
export const QUEUE_ROLE = "Storage Queue Data Message Processor";

import type { Retry } from "./retry.ts";
import type { VaultIdentity } from "./vault-identity.ts";

/** Address of a queue, and the identity with which the worker signs in there. */
export interface QueueSetting {
  /** `https://account.queue.core.windows.net/name`, optionally with a placeholder for the number of the shard. */
  readonly url: string;
  readonly identity: QueueIdentity;
  /** `https://login.microsoftonline.com/` */
  readonly authorityHost: string;
  /** Scope of a token for the queue. */
  readonly scope: string;
  /** Whether only the setting vouches for the authority. */
  readonly isCustomCloud: boolean;
}

export type QueueIdentity =
  /** Identity of the worker's node; without `clientId`, its system-assigned one. */
  | { readonly kind: "managed"; readonly clientId: string | undefined }
  /**
   * Signs in with a token of a ServiceAccount, which needs a grant of its Namespace. Without `namespace`, the account is in the install's
   * namespace.
   */
  | {
      readonly kind: "workload";
      readonly clientId: string;
      readonly tenantId: string;
      readonly account: { readonly namespace: string | undefined; readonly name: string };
    }
  /** Signs in with a client secret. `secretName`: Secret in the install's namespace, with clientid and clientsecret. */
  | { readonly kind: "servicePrincipal"; readonly tenantId: string; readonly secretName: string };

/** A message that no one else receives before its time-out has passed. */
export interface QueueMessage {
  readonly id: string;
  /** Receipt that a deletion has to name. It changes with each receive. */
  readonly receipt: string;
  readonly text: string;
  /** Number of times that the message was received, including this one. */
  readonly receipts: number;
}

export interface ReceiveOptions {
  /** 1 to 32. */
  readonly most: number;
  /** Milliseconds until the messages can be received again, unless they are deleted. */
  readonly hiddenMs: number;
}

/** One queue, accessed with one identity. Each call is one request, and throws {@link QueueError}. */
export interface EventQueue {
  receive(options: ReceiveOptions, signal: AbortSignal): Promise<readonly QueueMessage[]>;
  /** Returns false if the message no longer exists, or someone else has received it since. */
  delete(message: Pick<QueueMessage, "id" | "receipt">, signal: AbortSignal): Promise<boolean>;
  /** Reads up to 32 messages without receiving them. */
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
  /** The account or queue does not exist. */
  | "NotFound"
  | "Forbidden"
  | "NetworkForbidden"
  | "Unauthorized"
  | "IdentityUnavailable"
  | "Throttled"
  | "Unreachable"
  /** The service responds with an error of its own. */
  | "Faulty"
  /** Larger than the requested messages can be. */
  | "TooLarge"
  | "Invalid";

/** Describes the attempt, the queue, and the remedy; never contains a token, a header or a message. */
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

/**
 * Can read messages, and receive and delete them:
 * https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage#storage-queue-data-message-processor
 */
export const QUEUE_ROLE = "Storage Queue Data Message Processor";

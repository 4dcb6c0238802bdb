import { type DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import type { EventQueue, EventQueues, QueueIdentity, QueueSetting } from "../domain/ports/event-queue.ts";
import type { VaultAddress } from "../domain/ports/vault-client.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import type { OutboundProxy } from "../runtime/outbound-proxy.ts";
import { answerSizePolicy } from "./answer-size.ts";
import { boundedCall } from "./bounded-call.ts";
import type { Credential } from "./credential.ts";
import { QUEUE_ANSWER_BYTES, queueAnswerPolicy } from "./queue-answer.ts";
import { NotTheService, type QueueRequest, storageAnswer, translateQueueError } from "./queue-errors.ts";
import { requestBoundPolicy } from "./request-bound.ts";
import { silenceSdkLog } from "./sdk-logging.ts";
import { type SdkNetwork, sdkNetwork } from "./sdk-network.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";

/** Of one request, with room for a slow proxy; a queue answers in well under a second. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Of a sign-in that a request waits for, and the request. */
const CALL_TIMEOUT_MS = 40_000;

/** The service's ids have 36 characters, its receipts some dozens. */
const ID_CHARACTERS = 512;

/** The SDK repeats no request: the reader waits between its own, with the queue's failures in view. */
const NO_RETRIES = { maxTries: 1 } as const;

export interface EventQueuesOptions {
  /** Absent: as the SDK reads the environment. */
  readonly proxy?: OutboundProxy | undefined;
  /** Bound of one request (milliseconds). */
  readonly timeoutMs?: number;
}

/** Queues of Azure Storage, by the same sign-in, proxies and bounds as vaults. */
export function createEventQueues({ proxy, timeoutMs = REQUEST_TIMEOUT_MS }: EventQueuesOptions = {}): EventQueues {
  silenceSdkLog();
  const network = sdkNetwork(proxy);
  return {
    open: (setting, identity) =>
      createEventQueue(setting, identity, { network, timeoutMs, signIn: createSignIn(signInAddress(setting), identity, { network }) }),
  };
}

export interface EventQueueOptions {
  readonly network: SdkNetwork;
  readonly signIn: SignIn;
  /** Bound of one request (milliseconds). */
  readonly timeoutMs: number;
}

export function createEventQueue(
  setting: QueueSetting,
  identity: VaultIdentity,
  { network, signIn, timeoutMs }: EventQueueOptions,
): EventQueue {
  const client = sdkClient(setting, signIn, { network, timeoutMs });
  const ask = <T>(action: QueueRequest["action"], call: (abortSignal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> =>
    boundedAsk({ request: { action, url: setting.url, identity }, signIn }, call, signal);
  return {
    receive: ({ most, hiddenMs }, signal) =>
      ask(
        "receive",
        async (abortSignal) => {
          const given = { numberOfMessages: most, visibilityTimeout: Math.ceil(hiddenMs / 1_000), abortSignal };
          // Those beyond come again: whoever gives more than it was asked for is not to say how many are in hand.
          return ofService(await client.receiveMessages(given))
            .receivedMessageItems.slice(0, most)
            .map(toMessage);
        },
        signal,
      ),
    delete: (message, signal) =>
      ask("delete", (abortSignal) => isDeleted(client.deleteMessage(message.id, message.receipt, { abortSignal })), signal),
    peek: (most, signal) =>
      ask(
        "peek",
        async (abortSignal) => {
          const { peekedMessageItems } = ofService(await client.peekMessages({ numberOfMessages: most, abortSignal }));
          return peekedMessageItems
            .slice(0, most)
            .map(({ messageText, insertedOn }) => ({ text: messageText, insertedAt: insertedOn.getTime() }));
        },
        signal,
      ),
  };
}

/** The SDK reads any page of HTML as a queue without messages. The service says which version of its API has answered. */
function ofService<T extends { readonly version?: string }>(answer: T): T {
  if (answer.version === undefined) throw new NotTheService();
  return answer;
}

/** A message is known by both until it is deleted. */
function toMessage({ messageId, popReceipt, messageText, dequeueCount }: DequeuedMessageItem) {
  if (messageId.length > ID_CHARACTERS || popReceipt.length > ID_CHARACTERS) throw new NotTheService();
  return { id: messageId, receipt: popReceipt, text: messageText, receipts: dequeueCount };
}

/** What a vault's address says is all that a sign-in goes by. */
function signInAddress({ url, authorityHost, scope, isCustomCloud, identity }: QueueSetting): VaultAddress {
  return { vaultUrl: `${url}/`, authorityHost, tenantId: tenantOf(identity), ...(isCustomCloud ? { customScope: scope } : {}) };
}

/** A managed identity's is the machine's own, and nobody asks for it. */
function tenantOf(identity: QueueIdentity): string {
  return identity.kind === "managed" ? "" : identity.tenantId;
}

function sdkClient(
  { url, scope }: QueueSetting,
  { credential }: SignIn,
  { network, timeoutMs }: Omit<EventQueueOptions, "signIn">,
): QueueClient {
  const additionalPolicies = [
    ...network.additionalPolicies,
    requestBoundPolicy(timeoutMs),
    queueAnswerPolicy,
    answerSizePolicy(QUEUE_ANSWER_BYTES),
    network.freshConnection,
  ];
  const options = { ...network, retryOptions: NO_RETRIES, audience: scope, additionalPolicies };
  return new QueueClient(url, ofScope(scope, credential), options);
}

/** Whatever a queue's challenge asks for, the token is for the storage of the setting's own cloud, and of its own tenant. */
function ofScope(scope: string, credential: Credential): Credential {
  return { getToken: (_, { abortSignal } = {}) => credential.getToken(scope, abortSignal === undefined ? {} : { abortSignal }) };
}

/** False where the message is gone, or its receipt is not the last one. */
async function isDeleted(deletion: Promise<unknown>): Promise<boolean> {
  try {
    await deletion;
    return true;
  } catch (error) {
    const { status, code = "" } = storageAnswer(error) ?? {};
    if ((status === 404 || status === 400) && ["MessageNotFound", "PopReceiptMismatch"].includes(code)) return false;
    throw error;
  }
}

/** One call of the SDK. Rejects with the signal's reason when that aborts, with a `QueueError` otherwise. */
async function boundedAsk<T>(
  { request, signIn }: { readonly request: QueueRequest; readonly signIn: Pick<SignIn, "forget"> },
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await boundedCall(call, CALL_TIMEOUT_MS, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const told = translateQueueError(error, request);
    if (told.code === "Unauthorized") signIn.forget();
    throw told;
  }
}

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

/** Time limit of one request in milliseconds, with room for a slow proxy. A queue responds in well under a second. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Time limit in milliseconds of a request together with the sign-in that it waits for. */
const CALL_TIMEOUT_MS = 40_000;

/** The service's ids have 36 characters, its receipts a few dozen. */
const ID_CHARACTERS = 512;

/** The SDK does not retry requests. The reader waits between its own attempts, because it knows the queue's failures. */
const NO_RETRIES = { maxTries: 1 } as const;

export interface EventQueuesOptions {
  /** If absent, the SDK reads the environment. */
  readonly proxy?: OutboundProxy | undefined;
  /** Time limit of one request in milliseconds. */
  readonly timeoutMs?: number;
}

/** Creates clients for queues of Azure Storage, with the same sign-in, proxies, and limits as for vaults. */
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
  /** Time limit of one request in milliseconds. */
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
          // The queue returns the rest again later. A service that sends more messages than requested must not decide how many the worker
          // holds.
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

/** Throws if the response does not contain the version of the service's API. The SDK reads any page of HTML as a queue without messages. */
function ofService<T extends { readonly version?: string }>(answer: T): T {
  if (answer.version === undefined) throw new NotTheService();
  return answer;
}

/** Checks the id and the receipt, which identify a message until it is deleted. */
function toMessage({ messageId, popReceipt, messageText, dequeueCount }: DequeuedMessageItem) {
  if (messageId.length > ID_CHARACTERS || popReceipt.length > ID_CHARACTERS) throw new NotTheService();
  return { id: messageId, receipt: popReceipt, text: messageText, receipts: dequeueCount };
}

/** Returns the queue's settings as a vault address, which contains all that a sign-in needs. */
function signInAddress({ url, authorityHost, scope, isCustomCloud, identity }: QueueSetting): VaultAddress {
  return { vaultUrl: `${url}/`, authorityHost, tenantId: tenantOf(identity), ...(isCustomCloud ? { customScope: scope } : {}) };
}

/** Returns the tenant. A managed identity uses the machine's tenant, so it needs none here. */
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

/** Ignores the scope that a queue's challenge requests: the token is for the storage of the setting's own cloud, and of its own tenant. */
function ofScope(scope: string, credential: Credential): Credential {
  return { getToken: (_, { abortSignal } = {}) => credential.getToken(scope, abortSignal === undefined ? {} : { abortSignal }) };
}

/** Returns false if the message is gone, or if its receipt is not the latest. */
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

/** Runs one call of the SDK. Rejects with the signal's reason if the signal aborts, otherwise with a `QueueError`. */
async function boundedAsk<T>(
  { request, signIn }: { readonly request: QueueRequest; readonly signIn: Pick<SignIn, "forget"> },
  call: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  try {
    return await boundedCall(call, CALL_TIMEOUT_MS, signal);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reported = translateQueueError(error, request);
    if (reported.code === "Unauthorized") signIn.forget();
    throw reported;
  }
}

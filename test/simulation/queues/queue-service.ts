/**
 * Simulates one account of Azure Queue Storage at the level of HTTP requests. Supports only a part of the API.
 * https://learn.microsoft.com/rest/api/storageservices/operations-on-messages
 */

import type { TokenIssuer } from "../../../tools/key-vault-emulator/entra/token-issuer.ts";
import { escaped } from "../../../tools/markup.ts";
import type { Message, Reply } from "../network/fabric.ts";
import type { Random } from "../time/random.ts";
import { MessageQueue, type QueuedMessage, uuidOf } from "./messages.ts";

export interface QueueServiceOptions {
  /** Current time in Unix milliseconds, used to hide and expire messages. */
  readonly now: () => number;
  readonly random: Random;
  readonly tokens: Pick<TokenIssuer, "verify">;
  /** Whether the application has a role in the account. */
  readonly mayUse: (appId: string) => boolean;
  /** Difference of the `Date` header from the current time. */
  readonly skewMs: () => number;
}

type Answer = Extract<Reply, { kind: "answer" }>;

interface Asked {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

const AUDIENCE = "https://storage.azure.com";
const VERSION = "2025-11-05";

/** Limits of one request and of one message. */
const MOST_MESSAGES = 32;
const MOST_BYTES = 65_536;
const LONGEST_HIDDEN_S = 7 * 24 * 3_600;

/** Defaults of missing query parameters. */
const USUAL = { messages: 1, hiddenS: 30 };

export class QueueService {
  readonly #options: QueueServiceOptions;
  readonly #queues = new Map<string, MessageQueue>();

  constructor(options: QueueServiceOptions) {
    this.#options = options;
  }

  /** Creates the queue if it does not exist. */
  create(name: string): MessageQueue {
    const queue = this.#queues.get(name) ?? new MessageQueue(this.#options.now, this.#options.random);
    this.#queues.set(name, queue);
    return queue;
  }

  /** Deletes the queue and all its messages. */
  remove(name: string): void {
    this.#queues.delete(name);
  }

  queue(name: string): MessageQueue | undefined {
    return this.#queues.get(name);
  }

  answer({ method, path, headers, body }: Pick<Message, "method" | "path" | "headers" | "body">): Answer {
    const refusal = this.#refusal(headers["authorization"]);
    if (refusal !== undefined) return refusal;
    const [plain = "", query = ""] = path.split("?");
    const [name = "", messages, id, ...more] = plain.split("/").slice(1).map(decodeURIComponent);
    const asked: Asked = { method, query: new URLSearchParams(query), body };
    if (messages === undefined) return this.#answerQueue(name, asked);
    if (messages !== "messages" || more.length > 0) return this.#failure(400, "InvalidUri");
    const queue = this.#queues.get(name);
    if (queue === undefined) return this.#failure(404, "QueueNotFound");
    return id === undefined ? this.#answerMessages(queue, asked) : this.#answerMessage(queue, id, asked);
  }

  #refusal(authorization: string | undefined): Answer | undefined {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? "") ?? [];
    if (token === undefined)
      return this.#failure(401, "NoAuthenticationInformation", { "www-authenticate": `Bearer resource_id=${AUDIENCE}` });
    const verified = this.#options.tokens.verify(token);
    if (verified.kind !== "valid" || verified.claims.aud !== AUDIENCE) return this.#failure(401, "InvalidAuthenticationInfo");
    return this.#options.mayUse(verified.claims.appid) ? undefined : this.#failure(403, "AuthorizationPermissionMismatch");
  }

  #answerQueue(name: string, { method, query }: Asked): Answer {
    const isThere = this.#queues.has(name);
    if (method === "PUT" && query.size === 0) {
      this.create(name);
      return this.#done(isThere ? 204 : 201);
    }
    if (!isThere) return this.#failure(404, "QueueNotFound");
    if (method === "DELETE") {
      this.remove(name);
      return this.#done(204);
    }
    if (method !== "GET" || query.get("comp") !== "metadata") return this.#failure(405, "UnsupportedHttpVerb");
    return this.#done(200, undefined, { "x-ms-approximate-messages-count": `${this.create(name).size}` });
  }

  #answerMessages(queue: MessageQueue, { method, query, body }: Asked): Answer {
    switch (method) {
      case "GET":
        return this.#read(queue, query);
      case "POST":
        return this.#put(queue, body);
      case "DELETE":
        queue.clear();
        return this.#done(204);
      default:
        return this.#failure(405, "UnsupportedHttpVerb");
    }
  }

  #read(queue: MessageQueue, query: URLSearchParams): Answer {
    const most = numberIn(query, "numofmessages", USUAL.messages);
    if (most < 1 || most > MOST_MESSAGES) return this.#failure(400, "OutOfRangeQueryParameterValue");
    if (query.get("peekonly") === "true") return this.#done(200, listOf(queue.peek(most), false));
    const hiddenS = numberIn(query, "visibilitytimeout", USUAL.hiddenS);
    if (hiddenS < 1 || hiddenS > LONGEST_HIDDEN_S) return this.#failure(400, "OutOfRangeQueryParameterValue");
    return this.#done(200, listOf(queue.receive(most, hiddenS * 1_000), true));
  }

  #put(queue: MessageQueue, body: string): Answer {
    const [, text] =
      /^\s*(?:<\?xml[^>]*\?>)?\s*<QueueMessage>\s*<MessageText>([^<]*)<\/MessageText>\s*<\/QueueMessage>\s*$/.exec(body) ?? [];
    if (text === undefined) return this.#failure(400, "InvalidXmlDocument");
    const plain = unescaped(text);
    if (Buffer.byteLength(plain) > MOST_BYTES) return this.#failure(413, "RequestBodyTooLarge");
    const { id, insertedAt, expiresAt, receipt, visibleAt } = queue.put(plain);
    return this.#done(
      201,
      listText([element(id, { insertedAt, expiresAt }), `${receiptOf({ receipt, visibleAt })}</QueueMessage>`].join("")),
    );
  }

  #answerMessage(queue: MessageQueue, id: string, { method, query }: Asked): Answer {
    if (method !== "DELETE") return this.#failure(405, "UnsupportedHttpVerb");
    const receipt = query.get("popreceipt");
    if (receipt === null) return this.#failure(400, "MissingRequiredQueryParameter");
    const outcome = queue.delete(id, receipt);
    if (outcome === "deleted") return this.#done(204);
    return outcome === "not there" ? this.#failure(404, "MessageNotFound") : this.#failure(400, "PopReceiptMismatch");
  }

  #done(status: number, xml?: string, headers: Readonly<Record<string, string>> = {}): Answer {
    const content = xml === undefined ? {} : { "content-type": "application/xml" };
    return { kind: "answer", status, headers: { ...this.#headers(), ...content, ...headers }, body: xml ?? "" };
  }

  #failure(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Answer {
    const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
    return this.#done(status, xml, { "x-ms-error-code": code, ...headers });
  }

  #headers(): Readonly<Record<string, string>> {
    const { now, random, skewMs } = this.#options;
    return {
      date: new Date(now() + skewMs()).toUTCString(),
      server: "Windows-Azure-Queue/1.0 Microsoft-HTTPAPI/2.0",
      "x-ms-request-id": uuidOf(random),
      "x-ms-version": VERSION,
    };
  }
}

/** Returns NaN if the parameter is not a number. */
function numberIn(query: URLSearchParams, name: string, usual: number): number {
  const text = query.get(name);
  return text === null ? usual : Number(text);
}

function listText(messages: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><QueueMessagesList>${messages}</QueueMessagesList>`;
}

function listOf(messages: readonly QueuedMessage[], isReceived: boolean): string {
  const texts = messages.map((message) => {
    const receipt = isReceived ? receiptOf(message) : "";
    const rest = `<DequeueCount>${message.receipts}</DequeueCount><MessageText>${escaped(message.text)}</MessageText></QueueMessage>`;
    return `${element(message.id, message)}${receipt}${rest}`;
  });
  return listText(texts.join(""));
}

/** Returns an element without its end. The caller appends the rest. */
function element(id: string, { insertedAt, expiresAt }: Pick<QueuedMessage, "insertedAt" | "expiresAt">): string {
  const [inserted, expires] = [insertedAt, expiresAt].map((time) => new Date(time).toUTCString());
  return `<QueueMessage><MessageId>${id}</MessageId><InsertionTime>${inserted}</InsertionTime><ExpirationTime>${expires}</ExpirationTime>`;
}

function receiptOf({ receipt, visibleAt }: Pick<QueuedMessage, "receipt" | "visibleAt">): string {
  return `<PopReceipt>${receipt}</PopReceipt><TimeNextVisible>${new Date(visibleAt).toUTCString()}</TimeNextVisible>`;
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&amp;", "&");
}

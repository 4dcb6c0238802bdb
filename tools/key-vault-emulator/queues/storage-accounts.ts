import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import type { TokenIssuer } from "../entra/token-issuer.ts";
import type { Endpoint } from "../network/clouds.ts";
import type { Answer, Exchange } from "../network/exchange.ts";
import { LOOPBACK } from "../network/loopback-server.ts";

/** A storage account. Another emulator, behind TLS on loopback, keeps its queues. */
export interface StorageAccount {
  readonly name: string;
  readonly port: number;
  /** Applications with a role in the account. Undefined means every application of the emulator. */
  readonly users: ReadonlySet<string> | undefined;
}

/** The accounts, and the issuer that verifies the callers' tokens. */
export interface QueueServices {
  readonly accounts: StorageAccounts;
  readonly tokens: TokenIssuer;
}

const TIMEOUT_MS = 30_000;

/** Storage accounts by name, which is unique over all clouds. */
export class StorageAccounts {
  readonly #byName = new Map<string, StorageAccount>();
  readonly #agent = new Agent({ keepAlive: true });
  /** PEM of the CA that signed the certificates of those emulators. */
  caPem = "";

  add(account: StorageAccount): void {
    this.#byName.set(account.name, account);
  }

  find(name: string): StorageAccount | undefined {
    return this.#byName.get(name);
  }

  /** Forwards a request unchanged to the account's emulator. */
  async forward({ port }: StorageAccount, exchange: Exchange): Promise<Answer> {
    const query = exchange.query.size === 0 ? "" : `?${exchange.query.toString()}`;
    const sent = request({
      host: LOOPBACK,
      port,
      servername: exchange.host,
      ca: this.caPem,
      method: exchange.method,
      path: `${exchange.path}${query}`,
      headers: exchange.headers,
      agent: this.#agent,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    sent.end(exchange.body);
    const [response]: readonly IncomingMessage[] = await once(sent, "response");
    if (response === undefined) throw new Error("no response");
    return { status: response.statusCode ?? 0, headers: keptHeaders(response.headers), text: await text(response), body: undefined };
  }
}

const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "content-length"]);

function keptHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    HOP_BY_HOP.has(name) || value === undefined ? [] : [[name, String(value)] as const],
  );
  return Object.fromEntries(kept);
}

/** Undefined if the account does not exist or its emulator does not answer. The connection is then closed. */
export async function answerQueue(
  exchange: Exchange,
  { account: name }: Extract<Endpoint, { readonly kind: "queue" }>,
  { accounts, tokens }: QueueServices,
): Promise<Answer | undefined> {
  const account = accounts.find(name);
  if (account === undefined) return undefined;
  const [, token = ""] = /^Bearer +(\S+)$/i.exec(exchange.headers.authorization ?? "") ?? [];
  const verification = tokens.verify(token);
  if (verification.kind !== "valid") return queueFailure(401);
  const identity = verification.claims.appid;
  if (account.users?.has(identity) === false) return { ...queueFailure(403), identity };
  try {
    return { ...(await accounts.forward(account, exchange)), identity };
  } catch {
    return undefined;
  }
}

/** https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes */
const CODES: Readonly<Record<number, string>> = {
  401: "InvalidAuthenticationInfo",
  403: "AuthorizationPermissionMismatch",
  404: "QueueNotFound",
  429: "TooManyRequests",
  503: "ServerBusy",
};

export function queueFailure(status: number): Answer {
  const code = CODES[status] ?? "InternalError";
  const xml = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>The emulator refuses.</Message></Error>`;
  return { status, headers: { "Content-Type": "application/xml", "x-ms-error-code": code }, text: xml, body: undefined };
}

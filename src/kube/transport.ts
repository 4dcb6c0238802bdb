import { RequestContext } from "@kubernetes/client-node";
import { type Dispatcher, request as send } from "undici";
import { KubeError, notLeading, outdated } from "../domain/ports/kube-error.ts";
import { unlessAborted, within } from "../runtime/lifecycle.ts";
import type { PooledKubeConfig, Purpose } from "./config.ts";
import type { ApiContact } from "./contact.ts";
import { CredentialPluginFailure } from "./credential-plugin.ts";
import { type Attempt, describeAttempt, noAnswer, withoutCredentials } from "./errors.ts";
import { fenceFor } from "./fence.ts";
import { impersonationHeaders } from "./impersonation.ts";
import type { ServerClock } from "./server-clock.ts";
import { TokenFileFailure } from "./token-file.ts";

export interface Call {
  readonly attempt: Attempt;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, from the API server's root. */
  readonly path: string;
  readonly content?: { readonly body: string; readonly type: string };
  /** Whether the API server answers a `POST` and stores nothing, as for a token. Default: false. */
  readonly storesNothing?: boolean;
  /** Default: `application/json`. */
  readonly accept?: string | undefined;
  /** Maximum bytes of the body. The transport gives up a longer body as soon as it knows, and sets `isTooLong`. Default: no limit. */
  readonly mostBytes?: number | undefined;
  /** Called when a write leaves the process. If false, the write is not sent and throws `Conflict`. Default: always true. */
  readonly isStillDue?: (() => boolean) | undefined;
}

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
  /** Whether the body is empty because it is longer than the call allows. */
  readonly isTooLong?: boolean;
}

/** A response whose body is still arriving. Ends or throws when the signal given to `open` aborts. */
export interface Stream {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
  text(): Promise<string>;
}

/**
 * Sends bytes to the API server and receives bytes from it, authenticated, over the pooled connections. If there is no response, throws
 * `Unavailable`.
 */
export interface Transport {
  /** Sends one request within the time limit. If `signal` aborts, rejects with its reason. */
  call(call: Call, signal: AbortSignal): Promise<Answer>;
  /** Opens a watch. Only the signal ends it. */
  open(call: Call, signal: AbortSignal): Promise<Stream>;
}

export interface TransportOptions {
  /** `<product>/<version> (<process>)`, by which the API server's audit log distinguishes our processes. */
  readonly userAgent: string;
  /** Time limit in milliseconds for a whole request, including the wait for a connection; default 15,000. */
  readonly requestTimeoutMs?: number;
  /** Time limit in milliseconds for getting our credentials before that; default 120,000. */
  readonly credentialsTimeoutMs?: number;
  /** Called when a write leaves the process. If false, the write is not sent and throws `NotLeading`. Default: always true. */
  readonly mayWrite?: () => boolean;
  /** Whether to use separate connections, so that these calls never wait behind other requests. */
  readonly isUrgent?: boolean;
  /** Receives every response, and every request without one. */
  readonly contact?: ApiContact;
  /** Receives the date of every response. */
  readonly serverClock?: ServerClock;
}

const REQUEST_TIMEOUT_MS = 15_000;

/** A plugin of the kubeconfig may have a user sign in with a browser. */
const CREDENTIALS_TIMEOUT_MS = 120_000;

export function createTransport(config: PooledKubeConfig, options: TransportOptions): Transport {
  // client-node accepts only a URL in its normal form, such as one that does not begin with HTTPS://.
  const server = (URL.parse(config.getCurrentCluster()?.server ?? "")?.href ?? "").replace(/\/+$/, "");
  const limit = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const credentialsLimit = options.credentialsTimeoutMs ?? CREDENTIALS_TIMEOUT_MS;

  async function authenticated(call: Call, purpose: Purpose, signal: AbortSignal): Promise<RequestContext> {
    const context = new RequestContext(server + call.path, call.method);
    context.setHeaderParam("Accept", call.accept ?? "application/json");
    context.setHeaderParam("User-Agent", options.userAgent);
    if (call.content !== undefined) context.setHeaderParam("Content-Type", call.content.type);
    const { attempt } = call;
    await within({ milliseconds: credentialsLimit, outer: signal, tooLate }, async (bounded) => {
      const why = (): KubeError => credentialsMissing(attempt, `nothing within ${credentialsLimit} ms`);
      await unlessAborted(authenticate(config, { context, purpose, attempt }), bounded, why);
    });
    return context;
  }

  async function dispatch(call: Call, context: RequestContext, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const pool = context.getDispatcher();
    const isFenced = call.method !== "GET" && (options.mayWrite !== undefined || call.isStillDue !== undefined);
    const dispatcher = isFenced ? pool?.compose(fenceFor(() => refusalOf(call))) : pool;
    const response = await send(context.getUrl(), {
      method: call.method,
      headers: { ...context.getHeaders(), ...impersonationHeaders(config) },
      body: call.content?.body ?? null,
      signal,
      headersTimeout: limit,
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
    options.contact?.noteAnswer(response.statusCode);
    options.serverClock?.noteDate(response.headers["date"]);
    if (response.statusCode === 401) config.reject(context);
    return response;
  }

  function refusalOf({ attempt, isStillDue }: Call): KubeError | undefined {
    if (options.mayWrite?.() === false) return notLeading(describeAttempt(attempt));
    return isStillDue?.() === false ? outdated(describeAttempt(attempt)) : undefined;
  }

  /** Reports silence of the server. A write that our own fence held back says nothing about the server. */
  function failed(error: KubeError): KubeError {
    if (error.code === "Unavailable") options.contact?.noteSilence();
    return error;
  }

  return {
    call: async (call, signal) => {
      signal.throwIfAborted();
      const context = await authenticated(call, options.isUrgent === true ? "urgent" : "requests", signal).catch((error: unknown) => {
        signal.throwIfAborted();
        throw failed(asKubeError(call.attempt, error));
      });
      return within({ milliseconds: limit, outer: signal, tooLate }, async (bounded) => {
        try {
          const response = await dispatch(call, context, bounded);
          const body = await bodyOf(response, call.mostBytes);
          const answer = { status: response.statusCode, retryAfter: retryAfterOf(response), body: body ?? "" };
          return body === undefined ? { ...answer, isTooLong: true } : answer;
        } catch (error) {
          signal.throwIfAborted();
          throw failed(bounded.aborted ? noAnswer(call.attempt, `no answer within ${limit} ms`) : asKubeError(call.attempt, error));
        }
      });
    },
    open: async (call, signal) => {
      try {
        const response = await dispatch(call, await authenticated(call, "watches", signal), signal);
        return {
          status: response.statusCode,
          retryAfter: retryAfterOf(response),
          chunks: response.body,
          text: () => response.body.text(),
        };
      } catch (error) {
        signal.throwIfAborted();
        throw failed(asKubeError(call.attempt, error));
      }
    },
  };
}

/** Translates a failure below HTTP. */
export function asKubeError(attempt: Attempt, error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown }; // Printed only if they are strings.
  const why = typeof code === "string" ? code : typeof message === "string" ? message : "unknown failure";
  return noAnswer(attempt, `no answer from the API server (${why})`, error);
}

interface Authentication {
  readonly context: RequestContext;
  readonly purpose: Purpose;
  readonly attempt: Attempt;
}

/** Keeps only the code and path of a system error: client-node's message about a file or a response may contain tokens. */
async function authenticate(config: PooledKubeConfig, { context, purpose, attempt }: Authentication): Promise<void> {
  try {
    await config.authenticate(context, purpose);
  } catch (error) {
    if (error instanceof CredentialPluginFailure) throw withoutCredentials(attempt, error.message);
    if (error instanceof TokenFileFailure) throw credentialsMissing(attempt, error.message);
    const { code, path } = error as { code?: unknown; path?: unknown }; // Printed only if they are strings.
    const detail = [code, path].filter((part) => typeof part === "string").join(" ");
    throw credentialsMissing(attempt, detail);
  }
}

function credentialsMissing(attempt: Attempt, detail: string): KubeError {
  const what = `no credentials for the API server${detail === "" ? "" : ` (${detail})`}`;
  return withoutCredentials(attempt, `${what}; check the kubeconfig's user`);
}

/** Returns undefined if the body is longer than `mostBytes`. The rest is not read, which costs the connection. */
async function bodyOf({ body }: Dispatcher.ResponseData, mostBytes: number | undefined): Promise<string | undefined> {
  if (mostBytes === undefined) return body.text();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function retryAfterOf(response: Dispatcher.ResponseData): string | undefined {
  const value = response.headers["retry-after"];
  return typeof value === "string" ? value : value?.[0];
}

const tooLate = (): Error => new Error("timeout");

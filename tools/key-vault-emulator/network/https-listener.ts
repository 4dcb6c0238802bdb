import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";

import type { ServingCertificate } from "./certificates.ts";
import { type Endpoint, endpointOf } from "./clouds.ts";
import { type Answer, type Exchange, readExchange, writeAnswer } from "./exchange.ts";
import type { RequestLog } from "./request-log.ts";

/** `undefined`: nobody lives at this host; the connection is cut, as no server would answer there. */
export type Handler = (exchange: Exchange, endpoint: Endpoint) => Answer | undefined;

export interface HttpsListenerOptions {
  readonly certificate: ServingCertificate;
  readonly handle: Handler;
  readonly log: RequestLog;
}

/** One TLS listener for all names: routing is by Host header, as every emulated name resolves to it. */
export function createHttpsListener({ certificate, handle, log }: HttpsListenerOptions): Server {
  return createServer({ key: certificate.keyPem, cert: certificate.certificatePem, minVersion: "TLSv1.2" }, (request, response) => {
    serve(request, response, { handle, log }).catch(() => response.destroy());
  });
}

interface Serving {
  readonly handle: Handler;
  readonly log: RequestLog;
}

async function serve(request: IncomingMessage, response: ServerResponse, { handle, log }: Serving): Promise<void> {
  const exchange = await readExchange(request);
  if (exchange === undefined) {
    writeAnswer(response, { status: 413, body: { error: { code: "RequestEntityTooLarge", message: "The request body is too large." } } });
    return;
  }
  const endpoint = endpointOf(exchange.host);
  const answer = endpoint === undefined ? undefined : handle(exchange, endpoint);
  if (answer === undefined) {
    response.destroy();
    return;
  }
  const apiVersion = loggableApiVersion(exchange.query.get("api-version"));
  log.add({
    host: exchange.host,
    method: exchange.method,
    path: exchange.path,
    status: answer.status,
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(answer.identity === undefined ? {} : { identity: answer.identity }),
  });
  writeAnswer(response, answer);
}

/** A version is short and dotted or dated; whatever else a client sends there stays out of the log. */
function loggableApiVersion(text: string | null): string | undefined {
  return text !== null && /^\d[\d.-]{0,14}(-preview(\.\d)?)?$/.test(text) ? text : undefined;
}

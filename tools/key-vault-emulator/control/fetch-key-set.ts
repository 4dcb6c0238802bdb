import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";

import { EmulatorInputError } from "../input-error.ts";

const TIMEOUT_MS = 5_000;

export interface KeySetAccess {
  readonly caPem?: string | undefined;
  readonly bearerToken?: string | undefined;
}

/** Sends one GET with node:http or node:https, which ignore proxy variables, because the API server is on this machine. */
export async function fetchKeySet(uri: string, { caPem, bearerToken }: KeySetAccess): Promise<unknown> {
  const options = {
    headers: bearerToken === undefined ? {} : { Authorization: `Bearer ${bearerToken}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    agent: false,
  };
  const sent = uri.startsWith("https:") ? httpsRequest(uri, { ...options, ca: caPem }) : httpRequest(uri, options);
  sent.end();
  try {
    // `once` rejects with the request's "error" event.
    const [response]: IncomingMessage[] = await once(sent, "response");
    const body = response === undefined ? "" : await text(response);
    if (response?.statusCode !== 200) throw new Error(`status ${response?.statusCode}`);
    return JSON.parse(body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown reason";
    throw new EmulatorInputError(`jwksUri: no key set from ${uri} (${why}); check the address, caPem and bearerToken, or give jwks`, {
      cause,
    });
  }
}

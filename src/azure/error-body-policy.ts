import { parsedJson } from "../domain/json-object.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";

/** Bodies by request, since an error of the SDK refers to its request. */
const bodies = new WeakMap<object, object>();

/**
 * Returns the JSON body of the response with which a request failed. The SDK keeps it in the errors of single calls, but drops it if a list
 * fails.
 */
export function errorBodyOf(request: object | undefined): object | undefined {
  return request === undefined ? undefined : bodies.get(request);
}

/**
 * Keeps the JSON bodies of failed responses, and gives an empty body to responses without one. Proxies and load balancers send such
 * responses. The SDK reads the body first, and would fail with a TypeError that hides the status and `Retry-After`.
 */
export const errorBodyPolicy: AdditionalPolicy = {
  position: "perCall",
  policy: {
    name: "errorBodyPolicy",
    async sendRequest(request, next) {
      const response = await next(request);
      if (response.status < 400) return response;
      const body = parsedJson(response.bodyAsText ?? "");
      if (typeof body === "object" && body !== null) bodies.set(request, body);
      else response.bodyAsText = "{}";
      return response;
    },
  },
};

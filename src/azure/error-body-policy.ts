import { parsedJson } from "../domain/json-object.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";

/** By request: what an error of the SDK leads back to. */
const bodies = new WeakMap<object, object>();

/** The JSON body that a request failed with. The SDK keeps it in the errors of single calls, and drops it where a list fails. */
export function errorBodyOf(request: object | undefined): object | undefined {
  return request === undefined ? undefined : bodies.get(request);
}

/**
 * Keeps the JSON bodies of failed answers, and gives those without one an empty one. Proxies and load balancers send such answers;
 * the SDK reads the body before it looks at anything else, and would fail with a TypeError that hides status and `Retry-After`.
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

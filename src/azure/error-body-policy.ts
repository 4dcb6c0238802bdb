import type { SecretClientOptions } from "@azure/keyvault-secrets";

type AdditionalPolicy = NonNullable<SecretClientOptions["additionalPolicies"]>[number];

function isJsonObject(text: string | null | undefined): boolean {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null;
  } catch {
    return false;
  }
}

/**
 * Gives failed answers without a JSON body an empty one. Proxies and load balancers send such answers; the SDK reads the
 * body before it looks at anything else, and would fail with a TypeError that hides status and `Retry-After`.
 */
export const errorBodyPolicy: AdditionalPolicy = {
  position: "perCall",
  policy: {
    name: "errorBodyPolicy",
    async sendRequest(request, next) {
      const response = await next(request);
      if (response.status >= 400 && !isJsonObject(response.bodyAsText)) response.bodyAsText = "{}";
      return response;
    },
  },
};

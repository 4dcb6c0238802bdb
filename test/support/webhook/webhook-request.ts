import { type RequestOptions, request } from "node:https";
import type { ControlPlane } from "../cluster/control-plane.ts";

export interface WebhookAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

export interface WebhookTarget {
  readonly port: number;
  /** PEM: whom to trust. */
  readonly ca: string;
}

/** Where the API server would send a review, and whom it trusts there. */
export async function webhookTarget(plane: ControlPlane, port: number): Promise<WebhookTarget> {
  const path = "jsonpath={.webhooks[0].clientConfig.caBundle}";
  const bundle = await plane.kubectl(["get", "mutatingwebhookconfiguration", "keyvault-injector", "-o", path]);
  return { port, ca: Buffer.from(bundle, "base64").toString("utf8") };
}

/** One POST of a review over a connection of its own, verified as the API server does it. */
export function postToWebhook({ port, ca }: WebhookTarget, body: string | Buffer, options: RequestOptions = {}): Promise<WebhookAnswer> {
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const servername = "keyvault-injector-webhook.keyvault-injector.svc";
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, ca, servername, path: "/mutate/pods", method: "POST", agent: false, headers, ...options },
      (incoming) => {
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => (text += chunk));
        incoming.on("error", reject);
        incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text) }));
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

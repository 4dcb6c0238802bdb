import { type RequestOptions, request } from "node:https";
import type { ControlPlane } from "../cluster/control-plane.ts";

export interface WebhookAnswer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

export interface WebhookTarget {
  readonly port: number;
  /** PEM of the trusted CAs. */
  readonly ca: string;
}

/** Port for reviews, and the CAs that the API server trusts for it. */
export async function webhookTarget(plane: ControlPlane, port: number): Promise<WebhookTarget> {
  const path = "jsonpath={.webhooks[0].clientConfig.caBundle}";
  const bundle = await plane.kubectl(["get", "mutatingwebhookconfiguration", "keyvault-injector", "-o", path]);
  return { port, ca: Buffer.from(bundle, "base64").toString("utf8") };
}

/** Sends one POST with a review on a new connection, and verifies the certificate like the API server. */
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

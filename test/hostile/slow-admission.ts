import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { apiRequest } from "../support/cluster/api-request.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

export interface SlowAdmissionOptions {
  /** Delay in milliseconds before each answer. */
  readonly delayMs: number;
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly apiGroups: readonly string[];
  /** Label selector for the namespaces. */
  readonly namespaceSelector?: object;
  readonly allowed?: boolean;
  /** Seconds after which the API server gives up. */
  readonly timeoutSeconds?: number;
}

/** Another user's validating webhook, which answers slowly. */
export interface SlowAdmission {
  readonly calls: number;
  stop(): Promise<void>;
}

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
let serial = 0;

export async function startSlowAdmission(plane: ControlPlane, options: SlowAdmissionOptions): Promise<SlowAdmission> {
  const { delayMs, resources, operations, apiGroups, namespaceSelector = {}, allowed = true, timeoutSeconds = 10 } = options;
  const certificate = selfSignedCertificate();
  let calls = 0;
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", () => void answer());
    const answer = async (): Promise<void> => {
      calls += 1;
      const { request: asked }: { request: { uid: string } } = JSON.parse(text);
      await pause(delayMs);
      response.setHeader("content-type", "application/json");
      const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: asked.uid, allowed } };
      response.end(JSON.stringify(review));
    };
  });
  server.listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // A listening TCP server.
  const name = `slow-${++serial}`;
  const webhook = {
    name: `${name}.example.com`,
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    timeoutSeconds,
    failurePolicy: "Fail",
    namespaceSelector,
    rules: [{ apiGroups, apiVersions: ["*"], operations, resources }],
    clientConfig: { url: `https://localhost:${port}/`, caBundle: Buffer.from(certificate.cert).toString("base64") },
  };
  const body = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name },
    webhooks: [webhook],
  };
  await apiRequest(plane, { method: "POST", path: CONFIGURATIONS, body });
  return {
    get calls() {
      return calls;
    },
    stop: async () => {
      await apiRequest(plane, { method: "DELETE", path: `${CONFIGURATIONS}/${name}` });
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

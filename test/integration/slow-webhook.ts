import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { apiRequest } from "../support/cluster/api-request.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const NAME = "slow.example.com";

/** Starts a foreign admission webhook that delays each creation of a Secret in one namespace. */
export async function startSlowWebhook(
  plane: ControlPlane,
  { namespace, milliseconds }: { readonly namespace: string; readonly milliseconds: number },
): Promise<{ stop(): Promise<void> }> {
  const certificate = selfSignedCertificate();
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      const { request: review } = JSON.parse(text) as { request: { uid: string } }; // An AdmissionReview.
      const answer = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: review.uid, allowed: true } };
      setTimeout(() => response.setHeader("content-type", "application/json").end(JSON.stringify(answer)), milliseconds);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo; // A listening TCP server has an address.
  const clientConfig = { url: `https://localhost:${port}/`, caBundle: Buffer.from(certificate.cert).toString("base64") };
  const webhook = {
    name: NAME,
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Ignore",
    timeoutSeconds: 30,
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["secrets"] }],
    clientConfig,
  };
  const body = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks: [webhook],
  };
  await apiRequest(plane, { method: "POST", path: CONFIGURATIONS, body });
  return {
    stop: async () => {
      await apiRequest(plane, { method: "DELETE", path: `${CONFIGURATIONS}/${NAME}` });
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

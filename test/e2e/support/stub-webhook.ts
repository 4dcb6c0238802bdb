import { NODE_RUNTIME_IMAGE } from "./node-images.ts";
import type { NodePki } from "./node-pki.ts";

export const STUB_LABEL = "stub-webhook";
export const STUB_NAME = "stub-webhook";

/** Runs in a pod: answers each review with a patch that sets one label. */
const PROGRAM = `
const { createServer } = require("node:https");
const { readFileSync } = require("node:fs");
const tls = { cert: readFileSync("/stub/tls.crt"), key: readFileSync("/stub/tls.key") };
createServer(tls, async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const { uid } = JSON.parse(body).request;
  const patch = [{ op: "add", path: "/metadata/labels/${STUB_LABEL}", value: "seen" }];
  const answer = { uid, allowed: true, patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
}).listen(8443);
`;

/** A webhook as small as can be, behind a Service: what shows that the API server reaches pods by `clientConfig.service`. */
export function stubWebhook(pki: NodePki, authority: string): unknown {
  const { certificate, key } = pki.serving([`${STUB_NAME}.default.svc`]);
  const labels = { app: STUB_NAME };
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: STUB_NAME },
        data: { "tls.crt": certificate, "tls.key": key, "main.js": PROGRAM },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: STUB_NAME },
        spec: { selector: labels, ports: [{ port: 443, targetPort: 8443 }] },
      },
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: STUB_NAME },
        spec: { selector: { matchLabels: labels }, template: podTemplate(labels) },
      },
      configuration(authority),
    ],
  };
}

function podTemplate(labels: Readonly<Record<string, string>>): unknown {
  return {
    metadata: { labels },
    spec: {
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "stub",
          image: NODE_RUNTIME_IMAGE,
          args: ["/stub/main.js"],
          readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
          volumeMounts: [{ name: "stub", mountPath: "/stub" }],
        },
      ],
      volumes: [{ name: "stub", configMap: { name: STUB_NAME } }],
    },
  };
}

function configuration(authority: string): unknown {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: STUB_NAME },
    webhooks: [
      {
        name: "stub-webhook.example.test",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Fail",
        timeoutSeconds: 2,
        clientConfig: {
          service: { name: STUB_NAME, namespace: "default", path: "/", port: 443 },
          caBundle: Buffer.from(authority).toString("base64"),
        },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"], scope: "Namespaced" }],
        objectSelector: { matchLabels: { [STUB_LABEL]: "wanted" } },
      },
    ],
  };
}

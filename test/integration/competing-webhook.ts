import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { apiRequest } from "../support/cluster/api-request.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { at } from "../support/cluster/shipped-manifests.ts";
import { selfSignedCertificate } from "../support/fixtures/serving-certificate.ts";

type Json = Readonly<Record<string, unknown>>;

/** Change that a third party's mutating webhook makes to a pod's spec. Undefined if it changes nothing. */
export type Mutation = (spec: Json) => Json | undefined;

export interface CompetitorOptions {
  /** Name of its configuration. The API server calls webhooks in the order of these names. */
  readonly name: string;
  readonly mutate: Mutation;
  /** Annotations that it adds to each pod. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Whether the API server calls the webhook again after a later webhook changed the pod. */
  readonly reinvocationPolicy?: "Never" | "IfNeeded";
}

export interface Competitor {
  readonly calls: () => number;
  /** Deletes its configuration. */
  stop(): Promise<void>;
}

const CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/** Starts the pod webhook of another product, over HTTPS. It returns the whole spec, like webhooks that decode and encode pods. */
export async function startCompetitor(plane: ControlPlane, options: CompetitorOptions) {
  const { name, reinvocationPolicy = "Never" } = options;
  let calls = 0;
  const certificate = selfSignedCertificate();
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      calls += 1;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(answerTo(JSON.parse(text), options)));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "localhost", resolve));
  const { port } = server.address() as AddressInfo; // A listening TCP server.
  await apiRequest(plane, {
    method: "POST",
    path: CONFIGURATIONS,
    body: configurationOf({ name, reinvocationPolicy, port, certificate: certificate.cert }),
  });
  const competitor: Competitor = {
    calls: () => calls,
    stop: async () => {
      await apiRequest(plane, { method: "DELETE", path: `${CONFIGURATIONS}/${name}` });
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  return competitor;
}

function answerTo(review: unknown, { mutate, annotations }: CompetitorOptions): unknown {
  const pod = at(review, "request", "object");
  const spec = mutate(at(pod, "spec") as Json); // A PodSpec.
  const annotated = { ...Object(at(pod, "metadata", "annotations")), ...annotations };
  const patch = [
    ...(spec === undefined ? [] : [{ op: "replace", path: "/spec", value: spec }]),
    ...(annotations === undefined ? [] : [{ op: "add", path: "/metadata/annotations", value: annotated }]),
  ];
  const response = {
    uid: at(review, "request", "uid"),
    allowed: true,
    ...(patch.length === 0 ? {} : { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") }),
  };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}

interface Registration {
  readonly name: string;
  readonly reinvocationPolicy: string;
  readonly port: number;
  readonly certificate: string;
}

function configurationOf({ name, reinvocationPolicy, port, certificate }: Registration): unknown {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.com`,
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Fail",
        reinvocationPolicy,
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
        clientConfig: { url: `https://localhost:${port}/`, caBundle: Buffer.from(certificate).toString("base64") },
      },
    ],
  };
}

import type { Batch } from "../batch.ts";
import { PLACES, typeOf } from "../generate/places.ts";
import { policyOperation, WORKER } from "../generate/policy-operations.ts";
import type { Operation } from "../operation.ts";
import { Choices } from "../random.ts";
import { readObjects } from "./documents.ts";
import { groundOf, namespace, namespaceSetup } from "./ground.ts";

const OWN = "keyvault-injector";

/** Our policies about the worker and the webhook, and writes of those accounts that are and are not allowed. */
export function policyBatch(seed: number, { length }: { readonly length: number }): Batch {
  const choices = new Choices(seed);
  const serial = `policy${seed}`;
  const [asking, silent] = groundOf(serial, "").namespaces;
  const accounts = namespaceSetup({ namespaces: [asking, silent] }).filter(({ place }) => place === PLACES.serviceAccounts);
  const places = [PLACES.secrets, PLACES.controllerRevisions, PLACES.deployments, PLACES.daemonSets];
  return {
    serial,
    setup: [
      namespace(OWN),
      namespace(asking, { "keyvault-injector.dev/restart-on-rotation": "true" }),
      namespace(silent),
      ...accounts,
      ...policies(),
      ...probes(asking),
    ],
    operations: Array.from({ length }, () => policyOperation(choices, { serial, namespaces: [asking, silent, OWN, "kube-system"] })),
    watches: [],
    states: [asking, silent].flatMap((name) => places.map((place) => ({ place, namespace: name }))),
  };
}

/** Those that the simulated server has as functions. */
function policies(): readonly Operation[] {
  const files = ["sync-secrets", "sync-snapshots", "sync-tokens", "sync-workloads", "webhook-configuration"];
  return files.flatMap((file) =>
    readObjects(`policies/${file}.yaml`).map(
      ({ place, name, body }): Operation => ({ verb: "apply", place, name, query: { fieldManager: "kubectl", force: "true" }, body }),
    ),
  );
}

/** The server hears of its policies a moment later. */
function probes(name: string): readonly Operation[] {
  const as = { user: WORKER, awaitsStatus: 403, query: { dryRun: "All" } } as const;
  const in_ = (
    place: (typeof PLACES)["secrets" | "controllerRevisions" | "deployments"],
  ): Pick<Operation, "verb" | "place" | "namespace" | "name"> => ({
    verb: "create",
    place,
    namespace: name,
    name: "probe",
  });
  const metadata = { name: "probe" };
  const pod = { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "a", image: "a" }] } };
  return [
    { ...in_(PLACES.secrets), ...as, body: { ...typeOf(PLACES.secrets), metadata } },
    { ...in_(PLACES.controllerRevisions), ...as, body: { ...typeOf(PLACES.controllerRevisions), metadata, revision: 1, data: {} } },
    {
      ...in_(PLACES.deployments),
      ...as,
      body: { ...typeOf(PLACES.deployments), metadata, spec: { selector: { matchLabels: { app: "a" } }, template: pod } },
    },
    {
      verb: "create",
      place: PLACES.serviceAccounts,
      namespace: name,
      name: "default",
      subresource: "token",
      ...as,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
    },
  ];
}

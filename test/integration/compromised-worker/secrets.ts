import { COPY_ANNOTATIONS, COPY_LABEL, MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import { DRIVER_MANAGED_LABEL } from "../../../src/domain/sync/take-over.ts";
import { APPLY_PATCH, JSON_PATCH, MERGE_PATCH } from "../../support/cluster/api-request.ts";
import { type Attempt, isDone, isDoneOrRead, isRead, PLANTED } from "./attempt.ts";

export interface ForeignSecret {
  readonly namespace: string;
  readonly name: string;
}

/** Secrets of the kinds that the API server treats in a special way. */
export const FOREIGN: Readonly<Record<string, object>> = {
  plain: { data: { password: PLANTED } },
  immutable: { data: { password: PLANTED }, immutable: true },
  held: { data: { password: PLANTED } },
  tls: { type: "kubernetes.io/tls", data: { "tls.crt": PLANTED, "tls.key": PLANTED } },
};

const FORGED = { [MANAGED_LABEL]: "true" };
const COPIED = { [COPY_LABEL]: "true" };
const COPIED_FROM = { [COPY_ANNOTATIONS.copiedFrom]: "forged/forged" };
const OWNED = { [SECRET_ANNOTATIONS.class]: "forged" };

const body = (name: string, metadata: object, rest: object = {}): object => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, ...metadata },
  ...rest,
});

/** Attempts with labels and annotations that would make the Secret look like the worker's, the driver's or an adoptable one. */
function forgeries({ namespace, name }: ForeignSecret): readonly Attempt[] {
  const forged: Readonly<Record<string, object>> = {
    "our label": { labels: FORGED },
    "our label and its class": { labels: FORGED, annotations: OWNED },
    "the label of a copy, and a class": { labels: COPIED, annotations: COPIED_FROM },
    "the driver's label": { labels: { [DRIVER_MANAGED_LABEL]: "true" } },
    "the word of its owner": { annotations: { [SECRET_ANNOTATIONS.adoptableBy]: "forged" } },
    "the mark of an adoption": { labels: FORGED, annotations: { ...OWNED, [SECRET_ANNOTATIONS.adopted]: "true" } },
  };
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  return Object.entries(forged).flatMap(([what, metadata]): readonly Attempt[] => [
    {
      what: `${what}, merged into Secret ${namespace}/${name}`,
      call: { method: "PATCH", path, contentType: MERGE_PATCH, body: { metadata } },
      succeeded: isDoneOrRead,
    },
    {
      what: `${what}, applied to Secret ${namespace}/${name}`,
      call: {
        method: "PATCH",
        path: `${path}?fieldManager=keyvault-injector-sync&force=true`,
        contentType: APPLY_PATCH,
        body: body(name, metadata),
      },
      succeeded: isDoneOrRead,
    },
    {
      what: `${what}, put over Secret ${namespace}/${name}`,
      call: { method: "PUT", path, body: body(name, metadata, { data: { password: "eA==" } }) },
      succeeded: isDoneOrRead,
    },
  ]);
}

function writesOf({ namespace, name }: ForeignSecret): readonly Attempt[] {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const on = (what: string, call: Omit<Attempt["call"], "path"> & { readonly query?: string }): Attempt => {
    const { query = "", ...rest } = call;
    return { what: `${what} Secret ${namespace}/${name}`, call: { ...rest, path: `${path}${query}` }, succeeded: isDoneOrRead };
  };
  return [
    on("an empty merge patch of", { method: "PATCH", contentType: MERGE_PATCH, body: {} }),
    on("an empty dry-run merge patch of", { method: "PATCH", contentType: MERGE_PATCH, body: {}, query: "?dryRun=All" }),
    on("an empty JSON patch of", { method: "PATCH", contentType: JSON_PATCH, body: [] }),
    on("an empty strategic patch of", { method: "PATCH", contentType: "application/strategic-merge-patch+json", body: {} }),
    on("other data for", { method: "PATCH", contentType: MERGE_PATCH, body: { data: { password: "eA==" } } }),
    on("a move of the data of", {
      method: "PATCH",
      contentType: JSON_PATCH,
      body: [{ op: "copy", from: "/data/password", path: "/metadata/annotations" }],
    }),
    on("a dry-run deletion of", { method: "DELETE", query: "?dryRun=All" }),
    on("a deletion in the foreground of", {
      method: "DELETE",
      body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground" },
    }),
    on("a deletion of", { method: "DELETE" }),
  ];
}

/** `canList`: whether the worker has the right to watch Secrets. If so, an answer that contains the old content tells it nothing new. */
export function secretAttempts(foreign: readonly ForeignSecret[], { canList }: { readonly canList: boolean }): readonly Attempt[] {
  const read = (what: string, path: string): Attempt => ({ what, call: { method: "GET", path }, succeeded: isRead });
  const lists = [...new Set(foreign.map(({ namespace }) => `/api/v1/namespaces/${namespace}/secrets`)), "/api/v1/secrets"].flatMap(
    (path): readonly Attempt[] => [
      read(`a list of ${path}`, path),
      read(`a list by our label of ${path}`, `${path}?labelSelector=${MANAGED_LABEL}%3Dtrue`),
      read(`a list from the cache of ${path}`, `${path}?resourceVersion=0&limit=1`),
      read(`a watch of ${path}`, `${path}?watch=true&timeoutSeconds=1`),
    ],
  );
  const reads = foreign.flatMap(({ namespace, name }): readonly Attempt[] => {
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    return [read(`Secret ${namespace}/${name}`, path), read(`Secret ${namespace}/${name} from the cache`, `${path}?resourceVersion=0`)];
  });
  const writes = foreign.flatMap((secret) => [...forgeries(secret), ...writesOf(secret)]);
  return canList ? [...reads, ...writes.map((write) => ({ ...write, succeeded: isDone }))] : [...lists, ...reads, ...writes];
}

/** Metadata that would turn one of the worker's Secrets into someone else's, or would let others delete or keep it. */
const FREEING: Readonly<Record<string, object>> = {
  "the mark of an adoption": { labels: FORGED, annotations: { [SECRET_ANNOTATIONS.adopted]: "true" } },
  "the word of an owner": { labels: FORGED, annotations: { [SECRET_ANNOTATIONS.adoptableBy]: "forged" } },
  "the driver's label": { labels: { ...FORGED, [DRIVER_MANAGED_LABEL]: "true" } },
  "an owner": { labels: FORGED, ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name: "gone", uid: "1" }] },
  "a finalizer": { labels: FORGED, finalizers: ["example.com/held"] },
};

/** Attempts to create Secrets that have an effect in the cluster: one is a token of an account, one lets nodes join. */
export function mintingSecrets(accounts: readonly ForeignSecret[]): readonly Attempt[] {
  const make = (what: string, namespace: string, sent: object): Attempt => ({
    what,
    call: { method: "POST", path: `/api/v1/namespaces/${namespace}/secrets`, body: sent },
    succeeded: isDone,
  });
  return [
    ...accounts.map(({ namespace, name }) => {
      const annotations = { "kubernetes.io/service-account.name": name };
      const type = "kubernetes.io/service-account-token";
      return make(
        `a Secret with a token of ${namespace}/${name}`,
        namespace,
        body(`token-of-${name}`, { labels: FORGED, annotations }, { type }),
      );
    }),
    make("a token for nodes", "kube-system", body("bootstrap-token-abcdef", { labels: FORGED }, { type: "bootstrap.kubernetes.io/token" })),
    make("a Helm release", "default", body("sh.helm.release.v1.x.v1", { labels: FORGED }, { type: "helm.sh/release.v1" })),
    make("a Helm release of another type", "default", body("sh.helm.release.v1.x.v2", { labels: FORGED })),
    make("a Helm release by its label", "default", body("x", { labels: { ...FORGED, owner: "helm" } })),
    make("a Secret without our label", "default", body("unmarked", {})),
    ...Object.entries(FREEING).map(([what, metadata]) => make(`a Secret with ${what}`, "default", body("freed", metadata))),
    make("a copy where none is taken", "default", body("copied", { labels: COPIED, annotations: COPIED_FROM })),
  ];
}

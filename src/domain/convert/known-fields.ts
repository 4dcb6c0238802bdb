/**
 * Fields of the objects that the converter reads, by kind. Every other field of an object gets a warning, because the class does not
 * have its effect.
 */
import { FEDERATION_AUDIENCE } from "../federation.ts";

/** A field that the converter knows. */
export type KnownField =
  /** A reader of this folder takes the field, or the class keeps it. */
  | { readonly kind: "read" }
  /** The field has no meaning for the Secrets, for example because a server or a controller wrote it. */
  | { readonly kind: "meaningless" }
  /** The field has a meaning that a class cannot have. */
  | { readonly kind: "lost"; readonly why: string }
  | { readonly kind: "object"; readonly fields: KnownFields; readonly keepsOthers: boolean }
  | { readonly kind: "list"; readonly item: KnownField };

export type KnownFields = Readonly<Record<string, KnownField>>;

const READ: KnownField = { kind: "read" };
const MEANINGLESS: KnownField = { kind: "meaningless" };

function lost(why: string): KnownField {
  return { kind: "lost", why };
}

/** An object of which the class has only the known fields. */
function object(fields: KnownFields): KnownField {
  return { kind: "object", fields, keepsOthers: false };
}

function list(item: KnownField): KnownField {
  return { kind: "list", item };
}

/** Lists several fields that are known in the same way. */
function all(known: KnownField, ...names: readonly string[]): KnownFields {
  return Object.fromEntries(names.map((name) => [name, known]));
}

/** Fields of the metadata that the API server writes. */
const SERVERS = all(
  MEANINGLESS,
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "managedFields",
  "selfLink",
  "generateName",
  "deletionGracePeriodSeconds",
);

/** The metadata of an object that a class replaces. Its controller writes the finalizers. */
const OF_PEER = {
  ...SERVERS,
  ...all(MEANINGLESS, "name", "namespace", "labels", "annotations", "finalizers"),
  ownerReferences: lost("the class has no owner, so nothing deletes it together with the owner"),
  deletionTimestamp: lost("this object is being deleted, but the class is not"),
};

/** Adds the fields that every object has. */
function kindOf(metadata: KnownField, spec: KnownFields): KnownField {
  return object({ ...all(MEANINGLESS, "apiVersion", "kind", "status"), metadata, spec: object(spec) });
}

const STORE_REF = object(all(READ, "name", "kind"));

const EXTERNAL_SECRET = kindOf(object({ ...OF_PEER, ...all(READ, "labels", "annotations") }), {
  ...all(READ, "refreshInterval", "refreshPolicy"),
  syncWindows: lost("a class is fetched at any time; to limit when pods restart, use the annotation restart-window"),
  secretStoreRef: STORE_REF,
  target: object({
    ...all(READ, "name", "creationPolicy", "deletionPolicy", "immutable", "manifest"),
    template: object({
      ...all(READ, "type", "engineVersion", "mergePolicy", "data", "templateFrom"),
      metadata: object({ ...all(READ, "labels", "annotations"), finalizers: lost("a class writes no finalizers on its Secret") }),
    }),
  }),
  data: list(
    object({
      secretKey: READ,
      remoteRef: object({
        ...all(READ, "key", "property", "version", "metadataPolicy", "decodingStrategy", "nullBytePolicy"),
        // The operator converts only the keys of dataFrom.
        conversionStrategy: MEANINGLESS,
      }),
      sourceRef: object({ storeRef: STORE_REF }),
    }),
  ),
  // Every entry is an error.
  dataFrom: READ,
});

const SECRET_KEY = object(all(READ, "name", "key", "namespace"));

const SECRET_STORE = kindOf(MEANINGLESS, {
  // They select the instance of the operator, and set how often it checks the store.
  ...all(MEANINGLESS, "controller", "refreshInterval", "retrySettings"),
  conditions: list(object(all(READ, "namespaces", "namespaceRegexes", "namespaceSelector"))),
  provider: object({
    azurekv: object({
      ...all(READ, "authType", "vaultUrl", "tenantId", "environmentType", "customCloudConfig", "identityId"),
      // It selects the library of the operator.
      useAzureSDK: MEANINGLESS,
      authSecretRef: object({ clientCertificate: READ, clientId: SECRET_KEY, clientSecret: SECRET_KEY }),
      serviceAccountRef: object({
        ...all(READ, "name", "namespace"),
        audiences: lost(`a class uses only the audience ${FEDERATION_AUDIENCE}; write that audience in the federated credential`),
      }),
    }),
  }),
});

const KEY_VAULT_SECRET = kindOf(object({ ...OF_PEER, ...all(READ, "labels", "annotations") }), {
  vault: object({
    name: READ,
    // akv2k8s reads contentType only for a type that the converter refuses.
    object: object({ ...all(READ, "name", "version", "type"), contentType: MEANINGLESS }),
  }),
  output: object({
    configMap: READ,
    transform: list(READ),
    secret: object(all(READ, "name", "type", "dataKey", "chainOrder")),
  }),
});

const SECRET_SYNC = kindOf(object(OF_PEER), {
  ...all(READ, "secretProviderClassName", "serviceAccountName", "forceSynchronization"),
  secretObject: object({
    ...all(READ, "type", "labels", "annotations"),
    data: list(object(all(READ, "sourcePath", "targetKey"))),
  }),
});

const VAULT_OBJECT = all(READ, "secretInAKV", "certInAKV");

const AKV_SYNC = kindOf(object(OF_PEER), {
  ...all(READ, "keyvaultName", "clientID", "tenantID", "serviceAccountName"),
  objects: list(
    object({
      ...VAULT_OBJECT,
      ...all(READ, "kubernetesSecretName", "kubernetesSecretType", "versionHistory", "labels", "annotations"),
      mapping: list(object({ ...VAULT_OBJECT, ...all(READ, "dataKey", "version") })),
    }),
  ),
});

/** The converter prints the class with every field of its own, except for most of the metadata and the status. */
const PROVIDER_CLASS: KnownField = {
  kind: "object",
  keepsOthers: true,
  fields: {
    metadata: object({
      ...SERVERS,
      ...all(READ, "name", "namespace", "labels", "annotations", "ownerReferences", "deletionTimestamp"),
      finalizers: MEANINGLESS,
    }),
  },
};

/** By group and kind. ServiceAccounts and Namespaces are not included, because a class does not replace them. */
export const KNOWN_FIELDS: ReadonlyMap<string, KnownField> = new Map([
  ["external-secrets.io ExternalSecret", EXTERNAL_SECRET],
  ["external-secrets.io SecretStore", SECRET_STORE],
  ["external-secrets.io ClusterSecretStore", SECRET_STORE],
  ["spv.no AzureKeyVaultSecret", KEY_VAULT_SECRET],
  ["secret-sync.x-k8s.io SecretSync", SECRET_SYNC],
  ["secret-sync.x-k8s.io AKVSync", AKV_SYNC],
  ["secrets-store.csi.x-k8s.io SecretProviderClass", PROVIDER_CLASS],
]);

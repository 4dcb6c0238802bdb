import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { readManifests } from "../../src/cli/manifest/documents.ts";
import { itemsOf } from "../../src/cli/manifest/items.ts";
import { convertObjects } from "../../src/domain/convert/convert.ts";
import { KNOWN_FIELDS, type KnownField } from "../../src/domain/convert/known-fields.ts";
import { type FieldPath, fieldText, type PeerObject } from "../../src/domain/convert/peer-object.ts";
import { isJsonObject, type JsonObject } from "../../src/domain/json-object.ts";
import { runOffline } from "../support/cli/cli.ts";

const TENANT = "0b0b0b0b-1111-2222-3333-444444444444";
const SERVERS = { uid: "1", resourceVersion: "2", generation: 3, creationTimestamp: "2026-01-01T00:00:00Z", managedFields: [{}] };
const META = { ...SERVERS, name: "app", namespace: "shop", labels: { app: "shop" }, finalizers: ["example.com/controller"] };

const SPC: JsonObject = {
  apiVersion: "secrets-store.csi.x-k8s.io/v1",
  kind: "SecretProviderClass",
  metadata: { ...SERVERS, name: "app", namespace: "shop", labels: { app: "shop" } },
  status: {},
  spec: {
    provider: "azure",
    parameters: { keyvaultName: "shopvault", tenantID: TENANT, objects: "array:\n  - |\n    objectName: db\n    objectType: secret\n" },
  },
};

const STORE: JsonObject = {
  apiVersion: "external-secrets.io/v1",
  kind: "SecretStore",
  metadata: { ...META, name: "azure" },
  status: { conditions: [] },
  spec: {
    controller: "dev",
    refreshInterval: 60,
    retrySettings: { maxRetries: 5, retryInterval: "10s" },
    provider: {
      azurekv: {
        authType: "ServicePrincipal",
        vaultUrl: "https://shopvault.vault.azure.net",
        tenantId: TENANT,
        useAzureSDK: true,
        authSecretRef: {
          clientId: { name: "secrets-store-creds", key: "clientid" },
          clientSecret: { name: "secrets-store-creds", key: "clientsecret" },
        },
      },
    },
    conditions: [{ namespaces: ["shop"] }],
  },
};

const EXTERNAL: JsonObject = {
  apiVersion: "external-secrets.io/v1",
  kind: "ExternalSecret",
  metadata: META,
  status: { refreshTime: "2026-01-01T00:00:00Z" },
  spec: {
    refreshInterval: "1h",
    refreshPolicy: "Periodic",
    secretStoreRef: { name: "azure", kind: "SecretStore" },
    target: {
      name: "app",
      creationPolicy: "Owner",
      deletionPolicy: "Retain",
      template: { engineVersion: "v2", mergePolicy: "Replace", metadata: { labels: { a: "b" } }, data: { password: "{{ .password }}" } },
    },
    data: [
      {
        secretKey: "password",
        remoteRef: { key: "db", conversionStrategy: "Default", decodingStrategy: "None", metadataPolicy: "None", nullBytePolicy: "Ignore" },
        sourceRef: { storeRef: { name: "azure", kind: "SecretStore" } },
      },
    ],
  },
};

const KEY_VAULT_SECRET: JsonObject = {
  apiVersion: "spv.no/v2beta1",
  kind: "AzureKeyVaultSecret",
  metadata: META,
  status: { secretName: "app" },
  spec: {
    vault: { name: "shopvault", object: { name: "db", type: "secret", contentType: "application/x-json", version: "1" } },
    output: { transform: ["trim"], secret: { name: "app", dataKey: "password", type: "Opaque" } },
  },
};

const SYNC: JsonObject = {
  apiVersion: "secret-sync.x-k8s.io/v1alpha1",
  kind: "SecretSync",
  metadata: META,
  status: { conditions: [] },
  spec: {
    secretProviderClassName: "app",
    serviceAccountName: "app",
    forceSynchronization: "1",
    secretObject: { type: "Opaque", labels: { a: "b" }, data: [{ sourcePath: "db", targetKey: "password" }] },
  },
};

const AKV_SYNC: JsonObject = {
  apiVersion: "secret-sync.x-k8s.io/v1alpha1",
  kind: "AKVSync",
  metadata: META,
  status: {},
  spec: {
    keyvaultName: "shopvault",
    clientID: TENANT,
    tenantID: TENANT,
    serviceAccountName: "app",
    objects: [
      { secretInAKV: "db", kubernetesSecretName: "plain", labels: { a: "b" } },
      { kubernetesSecretName: "app", kubernetesSecretType: "Opaque", mapping: [{ secretInAKV: "db", dataKey: "password", version: 0 }] },
    ],
  },
};

interface Kind {
  readonly object: JsonObject;
  /** Objects that the conversion also needs. */
  readonly beside: readonly JsonObject[];
  /** Objects and list items that get an invented field. */
  readonly places: readonly FieldPath[];
}

const KINDS: readonly Kind[] = [
  {
    object: EXTERNAL,
    beside: [STORE],
    places: [
      [],
      ["metadata"],
      ["spec"],
      ["spec", "secretStoreRef"],
      ["spec", "target"],
      ["spec", "target", "template"],
      ["spec", "target", "template", "metadata"],
      ["spec", "data", 0],
      ["spec", "data", 0, "remoteRef"],
      ["spec", "data", 0, "sourceRef"],
      ["spec", "data", 0, "sourceRef", "storeRef"],
    ],
  },
  {
    object: STORE,
    beside: [EXTERNAL],
    places: [
      [],
      ["spec"],
      ["spec", "provider"],
      ["spec", "provider", "azurekv"],
      ["spec", "provider", "azurekv", "authSecretRef"],
      ["spec", "provider", "azurekv", "authSecretRef", "clientId"],
      ["spec", "conditions", 0],
    ],
  },
  {
    object: KEY_VAULT_SECRET,
    beside: [],
    places: [[], ["metadata"], ["spec"], ["spec", "vault"], ["spec", "vault", "object"], ["spec", "output"], ["spec", "output", "secret"]],
  },
  {
    object: SYNC,
    beside: [SPC],
    places: [[], ["metadata"], ["spec"], ["spec", "secretObject"], ["spec", "secretObject", "data", 0]],
  },
  {
    object: AKV_SYNC,
    beside: [],
    places: [[], ["metadata"], ["spec"], ["spec", "objects", 0], ["spec", "objects", 1], ["spec", "objects", 1, "mapping", 0]],
  },
  // The class keeps its other fields.
  { object: SPC, beside: [], places: [["metadata"]] },
];

function peer(object: JsonObject): PeerObject {
  const { metadata, kind } = object;
  return { object, kind: String(kind), name: isJsonObject(metadata) ? String(metadata["name"]) : "", namespace: "shop" };
}

function withField(value: unknown, [step, ...rest]: FieldPath, field: JsonObject): unknown {
  if (step === undefined) return { ...(value as JsonObject), ...field };
  if (Array.isArray(value)) return value.map((inner: unknown, index) => (index === step ? withField(inner, rest, field) : inner));
  const members = value as JsonObject;
  return { ...members, [step]: withField(members[String(step)], rest, field) };
}

const OPTIONS = {
  tenantId: TENANT,
  clientId: undefined,
  serviceAccount: undefined,
  identityId: undefined,
  isPartial: false,
  isAdopting: false,
};

const FOLDER = path.resolve(import.meta.dirname, "../fixtures/convert");
const FILES: readonly (readonly PeerObject[])[] = globSync("*/*.yaml", { cwd: FOLDER }).map((file) =>
  readManifests(file, readFileSync(path.join(FOLDER, file), "utf8")).documents.flatMap(itemsOf),
);

type Note = (path: FieldPath) => void;

type ReadFields = Map<KnownField, Set<string>>;

/** Returns a note of the fields that are read of an object, in a set for its kind. */
function noteIn(read: ReadFields, { object, kind }: PeerObject): Note {
  const known = KNOWN_FIELDS.get(`${String(object["apiVersion"]).split("/")[0]} ${kind}`);
  if (known === undefined) return () => undefined;
  const fields = read.get(known) ?? new Set();
  read.set(known, fields);
  return (at) => fields.add(fieldText(at));
}

/** Returns a view of the value that notes each field that is read. Every item of a list has the path of the first one. */
function tracked<T>(value: T, note: Note, at: FieldPath): T {
  if (typeof value !== "object" || value === null) return value;
  const isList = Array.isArray(value);
  return new Proxy(value, {
    get: (target, name, receiver) => {
      const inner: unknown = Reflect.get(target, name, receiver);
      if (typeof name === "symbol" || (isList && !/^\d+$/.test(name))) return inner;
      const here = [...at, isList ? 0 : name];
      note(here);
      return tracked(inner, note, here);
    },
  });
}

/** Returns the paths of the fields that a reader takes whole. */
function readFields(known: KnownField, at: FieldPath): readonly FieldPath[] {
  if (known.kind === "read") return [at];
  if (known.kind === "list") return readFields(known.item, [...at, 0]);
  return known.kind === "object" ? Object.entries(known.fields).flatMap(([name, inner]) => readFields(inner, [...at, name])) : [];
}

function converted(object: JsonObject, beside: readonly JsonObject[]) {
  const { classes, remarks } = convertObjects([object, ...beside].map(peer), OPTIONS);
  assert.equal(classes.length, 1, JSON.stringify(remarks.map(({ message }) => message)));
  return remarks.map(({ on, path, severity, message }) => ({ on: on.kind, path: fieldText(path), severity, message }));
}

describe("a field that no reader takes", () => {
  for (const { object, beside, places } of KINDS) {
    const kind = String(object["kind"]);

    test(`SW4: no field that convert knows, and none of the server, is warned of: ${kind}`, () => {
      assert.deepEqual(
        converted(object, beside).filter(({ message }) => message.includes("convert does not know")),
        [],
      );
    });

    for (const place of places) {
      const field = fieldText([...place, "inventedField"]);
      test(`SW4: is warned of with its path: ${kind} ${field}`, () => {
        const edited = withField(object, place, { inventedField: 1 }) as JsonObject;
        const found = converted(edited, beside).filter(({ path }) => path === field);

        assert.deepEqual(
          found.map(({ on, severity }) => [on, severity]),
          [[kind, "warning"]],
        );
        assert.match(found[0]?.message ?? "", /convert does not know this field/);
      });
    }

    test(`SW4: is not warned of if it is null, which is no value: ${kind}`, () => {
      const edited = withField(object, places.at(-1) ?? [], { inventedField: null }) as JsonObject;

      assert.deepEqual(converted(edited, beside), converted(object, beside));
    });
  }

  test("SW4: a value that is no object or no list where one is read is warned of", () => {
    const said = (object: unknown, beside: readonly JsonObject[] = []) =>
      converted(object as JsonObject, beside).map((remark) => remark.message);

    const found = [
      ...said(withField(KEY_VAULT_SECRET, ["spec", "output"], { transform: "trim" })),
      ...said(withField(EXTERNAL, ["spec", "target", "template"], { metadata: "labels" }), [STORE]),
    ];
    assert.match(found.join(), /^spec\.output\.transform: it is not a list, .*,spec\.target\.template\.metadata: it is not an object, /);
  });

  test("SW4: sync windows of an ExternalSecret, and finalizers of its Secret, are warned of in their own words", () => {
    const windows = withField(EXTERNAL, ["spec"], { syncWindows: { kind: "allow", windows: [] } }) as JsonObject;
    const both = withField(windows, ["spec", "target", "template", "metadata"], { finalizers: ["example.com/x"] }) as JsonObject;

    assert.deepEqual(
      converted(both, [STORE])
        .filter(({ path }) => /syncWindows|finalizers/.test(path))
        .map(({ message }) => message)
        .sort(),
      [
        "spec.syncWindows: a class is fetched at any time; to limit when pods restart, use the annotation restart-window",
        "spec.target.template.metadata.finalizers: a class writes no finalizers on its Secret",
      ],
    );
  });

  test("SW4: a store is warned of once, and not at all if no ExternalSecret uses it", () => {
    const store = withField(STORE, ["spec"], { inventedField: 1 }) as JsonObject;
    const second: JsonObject = {
      ...EXTERNAL,
      metadata: { ...META, name: "other" },
      spec: { ...(EXTERNAL["spec"] as JsonObject), target: { name: "other" } },
    };
    const remarks = (objects: readonly JsonObject[]) =>
      convertObjects(objects.map(peer), OPTIONS).remarks.filter(({ path }) => fieldText(path) === "spec.inventedField").length;

    assert.equal(remarks([EXTERNAL, second, store]), 1);
    assert.equal(remarks([KEY_VAULT_SECRET, store]), 0);
  });

  test("SW4: every field that is said to be read is read by a reader, in some file of manifests", () => {
    const read: ReadFields = new Map();
    for (const objects of [...FILES, ...KINDS.map(({ object, beside }) => [object, ...beside].map(peer))]) {
      convertObjects(
        objects.map((each) => ({ ...each, object: tracked(each.object, noteIn(read, each), []) })),
        { ...OPTIONS, isPartial: true },
      );
    }
    const unread = [...KNOWN_FIELDS].flatMap(([kind, known]) =>
      readFields(known, [])
        .filter((path) => read.get(known)?.has(fieldText(path)) !== true)
        .map((path) => `${kind} ${fieldText(path)}`),
    );

    assert.deepEqual(unread, []);
  });

  test("SW4: convert --fail-on-warnings ends with 1", async () => {
    const edited = withField(KEY_VAULT_SECRET, ["spec", "vault"], { azureIdentity: { name: "tenant-b" } });
    const { code, notes } = await runOffline(["convert", "-f", "-", "--tenant-id", TENANT, "--fail-on-warnings"], JSON.stringify(edited));

    assert.equal(code, 1);
    assert.match(notes.join("\n"), /warning: .*spec\.vault\.azureIdentity: convert does not know this field/);
  });
});

/** Changes that a thief makes to the three definitions that healing may write. */

import { CLASS_CRD, STATUS_CRD } from "../../support/worker/sync-world.ts";

export const MOUNTS_CRD = "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io";
const PRESERVES = "x-kubernetes-preserve-unknown-fields";

/** Parsed JSON that the changes modify at any depth. */
export type Loose = ReturnType<typeof JSON.parse>;
export type Change = (versions: Loose, spec: Loose) => void;

export const part = (version: Loose, name = "spec"): Loose => version.schema.openAPIV3Schema.properties[name];
const entry = (version: Loose): Loose => part(version).properties.secretObjects.items;
export const field = (version: Loose, name: string): Loose => entry(version).properties[name];
const own = (version: Loose): Loose => part(version, "status").properties;

const EMPTY = { type: "object" };
const stored = (versions: Loose): void => {
  for (const version of versions) version.storage = false;
  versions.push({ name: "v9", served: false, storage: true, schema: { openAPIV3Schema: EMPTY } });
};

const SCALE = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };

/** Edits that the policy rejects for the worker. */
export const REFUSED: Readonly<Record<string, readonly (readonly [what: string, crd: string, change: Change])[]>> = {
  "PD-1: a version that stores nothing, one more, and another that is stored": [
    ["an empty version that is stored", CLASS_CRD, stored],
    ["an empty version that is stored, of mounts", MOUNTS_CRD, stored],
    ["an empty version that is stored, of states", STATUS_CRD, stored],
    ["one more", CLASS_CRD, (versions) => versions.push({ ...structuredClone(versions[0]), name: "v9", storage: false })],
    ["the older one stored", CLASS_CRD, (versions) => versions.forEach((version: Loose, index: number) => (version.storage = index === 1))],
    ["one that is not served", CLASS_CRD, (versions) => (versions[1].served = false)],
    ["one less", CLASS_CRD, (versions) => versions.pop()],
    [
      "the schema of one that is neither served nor stored",
      MOUNTS_CRD,
      (versions) => {
        versions[1].served = false;
        versions[1].schema.openAPIV3Schema = EMPTY;
      },
    ],
  ],
  "PD-2: another type, however deep": [
    ["secretName", CLASS_CRD, ([v1]) => (field(v1, "secretName").type = "integer")],
    ["a key", CLASS_CRD, ([v1]) => (field(v1, "data").items.properties.key.type = "integer")],
    ["a label", CLASS_CRD, ([v1]) => (field(v1, "labels").additionalProperties.type = "integer")],
    ["a parameter", CLASS_CRD, ([v1]) => (part(v1).properties.parameters.additionalProperties.type = "boolean")],
    ["provider", CLASS_CRD, ([v1]) => (part(v1).properties.provider.type = "integer")],
    ["the metadata", CLASS_CRD, ([v1]) => (part(v1, "metadata").properties = { name: { type: "string", maxLength: 1 } })],
    ["kind", CLASS_CRD, ([v1]) => (part(v1, "kind").enum = ["Other"])],
    ["the id of an object", MOUNTS_CRD, ([v1]) => (own(v1).objects.items.properties.id.type = "integer")],
    ["mounted", MOUNTS_CRD, ([v1]) => (own(v1).mounted.type = "string")],
    ["the state of a key", STATUS_CRD, ([v1]) => (own(v1).secrets.items.properties.data.items.properties.state.type = "integer")],
  ],
  "PD-3: a rule, however deep": [
    ["labels that can have one value", CLASS_CRD, ([v1]) => (field(v1, "labels").additionalProperties.enum = ["evil"])],
    ["annotations that are empty", CLASS_CRD, ([v1]) => (field(v1, "annotations").additionalProperties.maxLength = 0)],
    ["a parameter of one value", CLASS_CRD, ([v1]) => (part(v1).properties.parameters.additionalProperties.enum = ["evil"])],
    ["a pattern of a key", CLASS_CRD, ([v1]) => (field(v1, "data").items.properties.key.pattern = "^evil$")],
    ["a rule of the entries", CLASS_CRD, ([v1]) => (entry(v1)["x-kubernetes-validations"] = [{ rule: "false" }])],
    ["a default of a key", CLASS_CRD, ([v1]) => (field(v1, "data").items.properties.key.default = "evil")],
    ["fields that are demanded", CLASS_CRD, ([v1]) => (part(v1).required = ["other"])],
    ["no entry", CLASS_CRD, ([v1]) => (part(v1).properties.secretObjects.maxItems = 0)],
    ["entries that may hold anything", CLASS_CRD, ([v1]) => (entry(v1)[PRESERVES] = true)],
    ["a field with a rule", CLASS_CRD, ([v1]) => (entry(v1).properties.other = { type: "string", enum: ["a"] })],
    [
      "a field with a rule in its depth",
      CLASS_CRD,
      ([v1]) => {
        field(v1, "data").items.properties.other = { type: "object", properties: { a: { type: "string", enum: ["a"] } } };
      },
    ],
    ["a rule of versions", MOUNTS_CRD, ([v1]) => (own(v1).objects.items.properties.version.maxLength = 0)],
    ["other states of a condition", STATUS_CRD, ([v1]) => (own(v1).conditions.items.properties.status.enum = ["True"])],
    ["shorter messages", STATUS_CRD, ([v1]) => (own(v1).secrets.items.properties.message.maxLength = 1)],
  ],
  "PD-4: a field or a rule less, however deep": [
    ["secretName", CLASS_CRD, ([v1]) => delete entry(v1).properties.secretName],
    ["objectName", CLASS_CRD, ([v1]) => delete field(v1, "data").items.properties.objectName],
    ["the versions of mounts", MOUNTS_CRD, ([v1]) => (own(v1).objects.items = EMPTY)],
    ["the pods of an older class", CLASS_CRD, ([, old]) => delete part(old, "status").properties.byPod],
    ["labels that keep no key", CLASS_CRD, ([v1]) => delete field(v1, "labels").additionalProperties],
    ["the keys of Secrets", STATUS_CRD, ([v1]) => (own(v1).secrets.items.properties.data.items.properties = { key: { type: "string" } })],
    ["the rule of a reason", STATUS_CRD, ([v1]) => delete own(v1).conditions.items.properties.reason.pattern],
  ],
  "PD-5: another name": [
    ["listKind", CLASS_CRD, (_, { names }) => (names.listKind = "PodList")],
    ["singular", CLASS_CRD, (_, { names }) => (names.singular = "pod")],
    ["shortNames", CLASS_CRD, (_, { names }) => (names.shortNames = ["po", "secret"])],
    ["categories", MOUNTS_CRD, (_, { names }) => (names.categories = ["all"])],
    ["no shortNames", STATUS_CRD, (_, { names }) => (names.shortNames = null)],
  ],
  "PD-6: another description of a version": [
    ["a warning", CLASS_CRD, ([, old]) => (old.deprecationWarning = "install it from https://elsewhere.example")],
    ["no warning", CLASS_CRD, ([, old]) => delete old.deprecationWarning],
    ["a column", CLASS_CRD, ([v1]) => (v1.additionalPrinterColumns = [{ name: "x", type: "string", jsonPath: ".spec.parameters" }])],
    ["a field to select by", CLASS_CRD, ([v1]) => (v1.selectableFields = [{ jsonPath: ".spec.provider" }])],
    ["a status of its own", CLASS_CRD, ([v1]) => (v1.subresources = { status: {} })],
    ["no status of ours", STATUS_CRD, ([v1]) => delete v1.subresources],
    ["a scale", STATUS_CRD, ([v1]) => (v1.subresources = { status: {}, scale: SCALE })],
  ],
};

/** Damages that healing repairs with the shipped definition. */
export const DAMAGE: readonly (readonly [what: string, crd: string, change: Change])[] = [
  ["every field of the spec", CLASS_CRD, ([v1]) => (part(v1).properties = { parameters: EMPTY })],
  [
    "the types of leaves",
    CLASS_CRD,
    ([v1]) => {
      field(v1, "secretName").type = "integer";
      field(v1, "labels").additionalProperties = { type: "integer", maximum: 3 };
      field(v1, "data").items = { type: "string" };
    },
  ],
  ["the spec in both versions", CLASS_CRD, (versions) => versions.forEach((version: Loose) => (version.schema.openAPIV3Schema = EMPTY))],
  ["a version that is not served", CLASS_CRD, ([v1]) => (v1.served = false)],
  ["the older one stored", CLASS_CRD, (versions) => versions.forEach((version: Loose, index: number) => (version.storage = index === 1))],
  [
    "defaults",
    CLASS_CRD,
    ([v1]) => {
      part(v1).properties.provider.default = "azure";
      field(v1, "data").items.properties.key.default = "key";
    },
  ],
  [
    "parameters of their own",
    CLASS_CRD,
    ([v1]) => {
      part(v1).properties.parameters = { type: "object", properties: { useVMManagedIdentity: { type: "string", default: "true" } } };
    },
  ],
  [
    "names",
    CLASS_CRD,
    (_, { names }) => {
      names.singular = "other";
      names.listKind = "Others";
    },
  ],
  ["mounts", MOUNTS_CRD, ([v1]) => (own(v1).objects = { type: "array", items: EMPTY })],
  ["every field of states", STATUS_CRD, ([v1]) => (part(v1, "status").properties = {})],
  [
    "limits of states",
    STATUS_CRD,
    ([v1]) => {
      own(v1).conditions.items.properties.status.enum = ["True"];
      own(v1).secrets.items.properties.data.items.properties = { key: { type: "integer" } };
      delete v1.subresources;
      delete v1.additionalPrinterColumns;
    },
  ],
];

export const HOOK = {
  strategy: "Webhook",
  webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "https://elsewhere.example/" } },
};

/** The driver's own descriptions, and a status in the first version, which our definition lacks. */
export const ofTheDriver: Change = ([v1, old]) => {
  v1.schema.openAPIV3Schema.description = "SecretProviderClass is the Schema for the secretproviderclasses API";
  v1.schema.openAPIV3Schema.properties.status = part(old, "status");
  delete field(v1, "secretName").description;
};

/** The worker may recreate a definition without these fields: those of an older release and of a newer driver lack them. */
export const ONLY_EDITS = new Set([
  "one less",
  "the pods of an older class",
  "the keys of Secrets",
  "the rule of a reason",
  "no warning",
  "no status of ours",
  "no shortNames",
]);

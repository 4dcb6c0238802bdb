/** Converts `ExternalSecret` of External Secrets Operator, in the group `external-secrets.io`. */
import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { parseDuration } from "../duration.ts";
import { itemsIn, memberOf, membersOf, nonEmptyText, objectAt } from "../json-members.ts";
import type { JsonObject } from "../json-object.ts";
import { quoted } from "../quoted.ts";
import { failed, ok, type Result } from "../result.ts";
import { TLS_TYPE } from "../secret-objects/tls.ts";
import { carriedTexts } from "./carried-texts.ts";
import type { ClassDraft, DraftValue, SecretDraft, Texts } from "./class-draft.ts";
import type { Drafting } from "./drafting.ts";
import type { ConvertOptions } from "./options.ts";
import { type ConversionRemark, type ConversionTrouble, errorOn, type FieldPath, type PeerObject, warningOn } from "./peer-object.ts";
import { remoteValue } from "./remote-ref.ts";
import { accessOfStore, type StoreAccess } from "./secret-store.ts";
import { hasBlanksAround, templateValue } from "./secret-template.ts";
import { admissionProblem } from "./store-conditions.ts";

/** Access to the other objects of the input. */
export interface ExternalSecretWorld {
  readonly storeOf: (kind: string, name: string, namespace: string | undefined) => PeerObject | undefined;
  readonly accountOf: (name: string, namespace: string | undefined) => PeerObject | undefined;
  readonly namespaceOf: (name: string) => PeerObject | undefined;
  readonly options: ConvertOptions;
}

type Entry = SecretDraft["entries"][number];

export function draftOfExternalSecret(on: PeerObject, world: ExternalSecretWorld): Drafting {
  const spec = memberOf(on.object, "spec");
  const target = memberOf(spec, "target");
  const store = storeAccess(on, spec, world);
  const fixed = [...policyRemarks(on, target), ...unconvertible(on, spec, target)];
  const read = readEntries(on, spec, target);
  const metadata = secretMetadata(on, target);
  const interval = pollInterval(on, spec);
  const remarks = [
    ...(store.ok ? store.value.warnings.map((message) => warningOn(on, { path: STORE, message })) : [errorOn(on, store.error)]),
    ...fixed,
    ...read.remarks,
    ...metadata.remarks,
    ...interval.remarks,
  ];
  if (!store.ok || target["creationPolicy"] === "None") return { draft: undefined, remarks };
  const type = nonEmptyText(objectAt(target, ["template"])?.["type"]) ?? "Opaque";
  const isMerged = target["creationPolicy"] === "Merge" || target["creationPolicy"] === "CreateOrMerge";
  const tls = type === TLS_TYPE ? tlsEntries(on, read.entries) : { entries: read.entries, remarks: [] };
  const secret: SecretDraft = {
    name: nonEmptyText(target["name"]) ?? on.name,
    type,
    labels: metadata.labels,
    annotations: metadata.annotations,
    entries: tls.entries,
    isAdopted: isMerged,
  };
  const draft: ClassDraft = {
    name: on.name,
    namespace: on.namespace,
    access: store.value.access,
    annotations: interval.annotations,
    secrets: [secret],
  };
  return { draft, remarks: [...remarks, ...tls.remarks] };
}

const STORE: FieldPath = ["spec", "secretStoreRef"];

/** Returns the access of the single store that all entries name. */
function storeAccess(on: PeerObject, spec: JsonObject, world: ExternalSecretWorld): Result<StoreAccess, ConversionTrouble> {
  const { storeOf, accountOf, namespaceOf, options } = world;
  const trouble = (message: string): Result<never, ConversionTrouble> =>
    failed({ path: STORE, message: `spec.secretStoreRef: ${message}` });
  const own = objectAt(spec, ["secretStoreRef"]);
  const entries = [...itemsIn(spec["data"]), ...itemsIn(spec["dataFrom"])];
  const named = entries.map((entry) => objectAt(entry, ["sourceRef", "storeRef"]) ?? own);
  const refs = [...new Set([...(named.length === 0 ? [own] : named)].map((ref) => `${kindOf(ref)} ${nonEmptyText(ref?.["name"]) ?? ""}`))];
  const [first = "", second] = refs;
  if (second !== undefined)
    return trouble(`its entries name the stores ${refs.join(" and ")}, but a class has one vault; write an ExternalSecret for each`);
  const [kind = "", name = ""] = first.split(" ");
  if (name === "") return trouble("the store's name is missing; write it");
  const store = storeOf(kind, name, on.namespace);
  if (store === undefined) return trouble(`${kind} ${name} is not in these files; add its file`);
  const problem = admissionProblem({ store, namespace: on.namespace, namespaceOf });
  if (problem !== undefined) return trouble(`${kind} ${name}: ${problem}`);
  const access = accessOfStore({ store, namespace: on.namespace, accountOf, options });
  return access.ok ? access : trouble(`${kind} ${name}: ${access.error}`);
}

function kindOf(ref: JsonObject | undefined): string {
  return nonEmptyText(ref?.["kind"]) ?? "SecretStore";
}

/** Reports the parts of the spec, other than `spec.data`, that cannot be converted, and a spec that fetches nothing. */
function unconvertible(on: PeerObject, spec: JsonObject, target: JsonObject): readonly ConversionRemark[] {
  const template = memberOf(target, "template");
  const dataFrom = itemsIn(spec["dataFrom"]).map((entry, index) => {
    const path = ["spec", "dataFrom", index];
    const fetched = membersOf(entry);
    if (fetched["find"] !== undefined)
      return {
        path: [...path, "find"],
        message: `spec.dataFrom[${index}].find: a class names its objects individually; write an entry of spec.data for each object`,
      };
    if (fetched["extract"] === undefined)
      return { path, message: `spec.dataFrom[${index}]: a class reads a vault, not a generator; keep the ExternalSecret for it` };
    return {
      path: [...path, "extract"],
      message: `spec.dataFrom[${index}].extract: only the vault knows the keys; write an entry of spec.data with property for each key`,
    };
  });
  const rest: readonly (ConversionTrouble & { readonly isThere: boolean })[] = [
    {
      isThere: itemsIn(spec["data"]).length === 0 && dataFrom.length === 0,
      path: ["spec", "data"],
      message: "spec.data: it fetches nothing; write an entry for each key",
    },
    {
      isThere: target["manifest"] !== undefined,
      path: ["spec", "target", "manifest"],
      message: "spec.target.manifest: a class creates only Secrets; keep the ExternalSecret for it",
    },
    {
      isThere: itemsIn(template["templateFrom"]).length > 0,
      path: ["spec", "target", "template", "templateFrom"],
      message: "spec.target.template.templateFrom: templates of other objects are not read; store the finished value in the vault",
    },
  ];
  return [...dataFrom, ...rest.filter(({ isThere }) => isThere)].map((trouble) => errorOn(on, trouble));
}

/** Warns about policies that have another effect in a class. */
function policyRemarks(on: PeerObject, target: JsonObject): readonly ConversionRemark[] {
  const { creationPolicy = "Owner", deletionPolicy = "Retain", immutable } = target;
  const created = new Map<unknown, string>(
    Object.entries({
      None: "it creates no Secret, so there is nothing to convert",
      Orphan: "the Secret is deleted with its class; list it in the class's annotation adopt if it must stay",
      Merge:
        "the class takes over the Secret and keeps its other keys: annotate the Secret with adoptable-by, as the how-to shows; the policy then stays in effect",
      CreateOrMerge:
        "the class takes over the Secret and keeps its other keys: annotate the Secret with adoptable-by, as the how-to shows; the policy then stays in effect",
    }),
  );
  const policy = created.get(creationPolicy);
  const at = (field: string, message: string): ConversionRemark =>
    warningOn(on, { path: ["spec", "target", field], message: `spec.target.${field}: ${message}` });
  return [
    ...(policy === undefined ? [] : [at("creationPolicy", policy)]),
    ...(deletionPolicy === "Retain"
      ? []
      : [at("deletionPolicy", "a Secret whose objects were deleted keeps its last content, and the class reports this")]),
    ...(immutable === true
      ? [
          at(
            "immutable",
            "a class does not create immutable Secrets and cannot take them over: name another Secret, and have the pods use it",
          ),
        ]
      : []),
  ];
}

/** Reads the entries of `data`, or the results of a template on them. */
function readEntries(
  on: PeerObject,
  spec: JsonObject,
  target: JsonObject,
): { readonly entries: readonly Entry[]; readonly remarks: readonly ConversionRemark[] } {
  const remarks: ConversionRemark[] = [];
  const values = new Map<string, DraftValue>();
  for (const [index, item] of itemsIn(spec["data"]).entries()) {
    const path = ["spec", "data", index];
    const key = nonEmptyText(membersOf(item)["secretKey"]);
    const read = remoteValue(memberOf(membersOf(item), "remoteRef"), [...path, "remoteRef"]);
    const prefix = `spec.data[${index}].remoteRef.`;
    if (key === undefined)
      remarks.push(errorOn(on, { path, message: `spec.data[${index}].secretKey is missing; name the key of the Secret` }));
    else if (!read.ok) remarks.push(errorOn(on, prefixed(read.error, prefix)));
    else values.set(key, read.value.value);
    if (read.ok) remarks.push(...read.value.warnings.map((warning) => warningOn(on, prefixed(warning, prefix))));
  }
  const template = objectAt(target, ["template"]);
  const texts = memberOf(template ?? {}, "data");
  const plain = [...values].map(([key, value]): Entry => ({ key, value }));
  if (Object.keys(texts).length === 0) return { entries: plain, remarks };
  const made: Entry[] = template?.["mergePolicy"] === "Merge" ? plain.filter(({ key }) => texts[key] === undefined) : [];
  for (const [key, text] of Object.entries(texts)) {
    const value = valueOfTemplate(text, template, values);
    const path = ["spec", "target", "template", "data", key];
    if (value.ok) made.push({ key, value: value.value });
    const otherwise = value.ok ? writtenOtherwise(value.value, String(text), template?.["type"]) : undefined;
    if (otherwise !== undefined) remarks.push(warningOn(on, { path, message: `spec.target.template.data[${key}]: ${otherwise}` }));
    if (!value.ok) remarks.push(errorOn(on, { path, message: `spec.target.template.data[${key}]: ${value.error}` }));
  }
  return { entries: made, remarks };
}

/**
 * Describes a value that the class writes with other bytes than the template, but with the same meaning. For a Secret of type TLS, one
 * warning covers the whole Secret.
 */
function writtenOtherwise(value: DraftValue, text: string, type: unknown): string | undefined {
  if (value.kind === "call" && value.name === "dockerconfigjson") return "the login stays the same, but its JSON is formatted differently";
  return type !== TLS_TYPE && hasBlanksAround(text) ? "whitespace around the PEM is omitted, which no PEM reader minds" : undefined;
}

function prefixed({ path, message }: ConversionTrouble, prefix: string): ConversionTrouble {
  return { path, message: `${prefix}${message}` };
}

function valueOfTemplate(
  text: unknown,
  template: JsonObject | undefined,
  values: ReadonlyMap<string, DraftValue>,
): Result<DraftValue, string> {
  if (typeof text !== "string") return failed("it is not text; quote it");
  if (template?.["engineVersion"] === "v1") return failed("templates of engine v1 are not supported; write the template for v2");
  return templateValue(text, (key) => values.get(key));
}

/** Returns the labels and annotations of the template. Without a template, the operator copies those of the ExternalSecret. */
function secretMetadata(
  on: PeerObject,
  target: JsonObject,
): { readonly labels: Texts; readonly annotations: Texts; readonly remarks: readonly ConversionRemark[] } {
  const template = objectAt(target, ["template"]);
  const path = template === undefined ? ["metadata"] : ["spec", "target", "template", "metadata"];
  const source = template === undefined ? memberOf(on.object, "metadata") : memberOf(template, "metadata");
  const labels = carriedTexts(on, [...path, "labels"], source["labels"]);
  const annotations = carriedTexts(on, [...path, "annotations"], source["annotations"]);
  return { labels: labels.texts, annotations: annotations.texts, remarks: [...labels.remarks, ...annotations.remarks] };
}

const LEAST_INTERVAL_MS = 10_000;

function pollInterval(on: PeerObject, spec: JsonObject): { readonly annotations: Texts; readonly remarks: readonly ConversionRemark[] } {
  const { refreshInterval, refreshPolicy = "Periodic" } = spec;
  const warned = (field: string, message: string, annotations: Texts = {}) => ({
    annotations,
    remarks: [warningOn(on, { path: ["spec", field], message: `spec.${field}: ${message}` })],
  });
  if (refreshPolicy !== "Periodic")
    return warned("refreshPolicy", "a class follows its vault; pin a version with remoteRef.version if the value must not change");
  const text = nonEmptyText(refreshInterval);
  if (text === undefined) return { annotations: {}, remarks: [] };
  const parsed = /^0+$/.test(text) ? ok(0) : parseDuration(text);
  if (!parsed.ok)
    return {
      annotations: {},
      remarks: [
        errorOn(on, {
          path: ["spec", "refreshInterval"],
          message: `spec.refreshInterval: ${quoted(text)} is not a duration; write it like 1h`,
        }),
      ],
    };
  if (parsed.value === 0)
    return warned("refreshInterval", "a class follows its vault; pin a version with remoteRef.version if the value must not change");
  if (parsed.value < LEAST_INTERVAL_MS)
    return warned("refreshInterval", "a vault is queried every 10s at most", { [CLASS_ANNOTATIONS.rotationPollInterval]: "10s" });
  return { annotations: { [CLASS_ANNOTATIONS.rotationPollInterval]: text }, remarks: [] };
}

const ENCODING =
  "spec.target.template.type: a class writes tls.crt and tls.key of kubernetes.io/tls as its own PEM: the same certificates and the same key, which may have another encoding (PKCS#1 or SEC 1)";

/**
 * Reduces the values of a `kubernetes.io/tls` Secret to whole files. A class takes certificates and key from the file for this type, so no
 * function and no PKCS#12 is necessary.
 */
function tlsEntries(
  on: PeerObject,
  entries: readonly Entry[],
): { readonly entries: readonly Entry[]; readonly remarks: readonly ConversionRemark[] } {
  return {
    entries: entries.map(({ key, value }) => ({ key, value: wholeFile(value) })),
    remarks: [warningOn(on, { path: ["spec", "target", "template", "type"], message: ENCODING })],
  };
}

function wholeFile(value: DraftValue): DraftValue {
  if (value.kind === "file") return { ...value, object: { ...value.object, format: undefined } };
  const [inner] = value.arguments;
  const isPart = value.name === "certificates" || value.name === "privateKey";
  return isPart && typeof inner === "object" ? wholeFile(inner) : value;
}

import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type JsonObject, objectAt } from "../json.ts";
import {
  addsNoRule,
  changedSchemas,
  changedVersions,
  hasWhatIsShipped,
  keepsOtherParts,
  losesNothing,
  nameOf,
  type RequiredFields,
  SHIPPED_DEFINITIONS,
  type ShippedDefinition,
} from "./definition-schemas.ts";
import { gainsNoHold, invalidUnless, objectsAt, type Policy, WORKER } from "./policy.ts";

const SYNCS = "secretproviderclasssyncs.keyvault-injector.dev";

const FIELDS: Readonly<Record<string, RequiredFields>> = {
  "secretproviderclasses.secrets-store.csi.x-k8s.io": {
    "": ["spec"],
    spec: ["provider", "parameters", "secretObjects"],
    "spec.secretObjects[]": ["secretName", "type", "data", "labels", "annotations"],
    "spec.secretObjects[].data[]": ["objectName", "key"],
  },
  "secretproviderclasspodstatuses.secrets-store.csi.x-k8s.io": {
    "": ["status"],
    status: ["podName", "secretProviderClassName", "mounted", "objects", "targetPath"],
    "status.objects[]": ["id", "version"],
  },
  [SYNCS]: { "": ["status"], status: ["observedGeneration", "conditions", "secrets"] },
};

const NOTHING: ShippedDefinition = { names: {}, versions: new Map(), schemas: new Map() };

/** Writes of the worker to CustomResourceDefinitions. */
export const DEFINITIONS: Policy = {
  name: "keyvault-injector-sync-definitions",
  user: WORKER,
  resources: ["customresourcedefinitions.apiextensions.k8s.io", "customresourcedefinitions.apiextensions.k8s.io/status"],
  rules: (request) => {
    const { operation, subresource, name, object, oldObject } = request;
    const [now, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
    const [versions, known] = [objectsAt(now, "versions"), objectsAt(before, "versions")];
    const ours = SHIPPED_DEFINITIONS.get(name) ?? NOTHING;
    const roots = changedVersions(now, before, ours);
    const schemas = changedSchemas(roots);
    return [
      invalidUnless(
        operation !== "DELETE" && name in FIELDS && subresource === "",
        "the sync worker can write only the three CRDs that it heals, and cannot delete them",
      ),
      invalidUnless(
        isEqual(now["conversion"], before["conversion"]) || [now, before].every((spec) => strategyOf(spec) === "None"),
        "the sync worker cannot add a conversion webhook to a CRD, or remove one",
      ),
      invalidUnless(
        known.every((old) => versions.some((version) => keepsVersion(version, old))),
        "the sync worker cannot remove a version from a CRD, or anything from a version",
      ),
      invalidUnless(
        versions.every((version) => ours.versions.has(nameOf(version)) || known.some((old) => isEqual(old, version))),
        "the sync worker cannot add a version to a CRD that is not shipped with it, or change such a version",
      ),
      invalidUnless(
        versions.every((version) => version["storage"] !== true || mayBeStored(version, known, ours)),
        "the sync worker cannot change which version of a CRD is stored",
      ),
      invalidUnless(
        versions.every((version) => isServedAsKnown(version, known, { ours, isOwn: name === SYNCS })),
        "the sync worker cannot add a subresource, a column or a warning to a version of a CRD, or stop serving it",
      ),
      invalidUnless(operation === "DELETE" || keepsNames(request, ours), "the sync worker cannot change the names or the scope of a CRD"),
      invalidUnless(roots.every(keepsOtherParts), "the sync worker cannot change what a CRD says of fields other than spec and status"),
      invalidUnless(
        schemas.every((change) => addsNoRule(change, ours)),
        "the sync worker cannot change types in a CRD, or add defaults or rules",
      ),
      invalidUnless(
        schemas.every((change) => losesNothing(change, ours)),
        "the sync worker cannot remove fields or rules from a CRD",
      ),
      invalidUnless(
        schemas.every((change) => hasWhatIsShipped(change, ours, FIELDS[name] ?? {})),
        "the sync worker cannot leave out of a CRD a field that is shipped in it",
      ),
      { holds: gainsNoHold(request), message: "the sync worker cannot add finalizers or owners to a CRD" },
    ];
  },
};

function strategyOf(spec: JsonObject): unknown {
  return objectAt(spec, "conversion")["strategy"] ?? "None";
}

function keepsVersion(version: JsonObject, old: JsonObject): boolean {
  const isServed = old["served"] !== true || version["served"] === true;
  return version["name"] === old["name"] && isServed && Object.keys(old).every((key) => key in version);
}

/** Whether the version was stored before, or the shipped definition stores it. No version replaces the one of a newer driver. */
function mayBeStored(version: JsonObject, known: readonly JsonObject[], ours: ShippedDefinition): boolean {
  const stored = known.filter(({ storage }) => storage === true);
  return (
    stored.some(({ name }) => name === version["name"]) ||
    (ours.versions.get(nameOf(version))?.["storage"] === true && stored.every((old) => ours.versions.has(nameOf(old))))
  );
}

function isServedAsKnown(
  version: JsonObject,
  known: readonly JsonObject[],
  { ours, isOwn }: { readonly ours: ShippedDefinition; readonly isOwn: boolean },
): boolean {
  const shipped = ours.versions.get(nameOf(version)) ?? {};
  const old = known.find(({ name }) => name === version["name"]) ?? {};
  // The driver's versions have the same warning in both definitions, if any.
  const isWarning = (key: string, value: unknown): boolean =>
    !isOwn && key === "deprecationWarning" && value === WARNING && shipped["deprecated"] === true;
  return Object.entries(version).every(
    ([key, value]) =>
      ["name", "schema", "storage"].includes(key) ||
      isEqual(value, shipped[key]) ||
      isEqual(value, old[key]) ||
      isWarning(key, value) ||
      (isOwn && key === "additionalPrinterColumns"),
  );
}

const WARNING = "secrets-store.csi.x-k8s.io/v1alpha1 is deprecated. Use secrets-store.csi.x-k8s.io/v1 instead.";

function keepsNames({ object, oldObject }: AdmissionRequest, ours: ShippedDefinition): boolean {
  const [now, before] = [objectAt(object, "spec"), objectAt(oldObject, "spec")];
  const [names, old] = [objectAt(now, "names"), objectAt(before, "names")];
  return (
    now["scope"] === "Namespaced" &&
    now["preserveUnknownFields"] !== true &&
    Object.keys(old).every((key) => key in names) &&
    Object.entries(names).every(([key, value]) => isEqual(value, old[key]) || isEqual(value, ours.names[key]))
  );
}

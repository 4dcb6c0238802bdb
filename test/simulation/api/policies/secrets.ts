import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type Json, type JsonObject, listAt, objectAt, textOf } from "../json.ts";
import { annotations, label, metadata, NAMESPACE, type Policy, type Rule, WORKER } from "./policy.ts";

const MANAGED = "keyvault-injector.dev/managed";
const CLASS = "keyvault-injector.dev/class";
const OBJECTS = "keyvault-injector.dev/objects";
const CONTENT = "keyvault-injector.dev/content";
const ADOPTABLE = "keyvault-injector.dev/adoptable-by";
const ADOPTED = "keyvault-injector.dev/adopted";
const DRIVER = "secrets-store.csi.k8s.io/managed";
const COPY = "keyvault-injector.dev/copy";
const COPIED_FROM = "keyvault-injector.dev/copied-from";
const TAKEN = "grants.keyvault-injector.dev/mirrors-from";
const OWN_KEY = "keyvault-injector-sync-key";
const ACTED_ON = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"];

const WEBHOOKS_OWN = ["keyvault-injector-ca", "keyvault-injector-webhook-tls", "keyvault-injector-cert-manager-ca"];

/** Secrets that the worker can write. Without the rule for the propagation of deletions, which admission does not see here. */
export const SECRETS: Policy = {
  name: "keyvault-injector-sync-secrets",
  user: WORKER,
  resources: ["secrets"],
  rules: (request) => [
    typeRule(request),
    changeRule(request),
    writeRule(request),
    adoptionRule(request),
    ...markRules(request),
    ...holdRules(request),
    consentRule(request),
    copyRule(request),
    deletionRule(request),
    certificateRule(request),
  ],
};

/** Ownership of a Secret according to its own labels and annotations. */
interface Ownership {
  readonly isOurs: boolean;
  readonly isAdoptable: boolean;
  readonly isAdopted: boolean;
  readonly isCopy: boolean;
}

function ownershipOf(secret: JsonObject | undefined): Ownership {
  const notes = annotations(secret);
  return {
    isOurs: label(secret, MANAGED) === "true",
    isAdoptable: ADOPTABLE in notes,
    isAdopted: notes[ADOPTED] === "true",
    isCopy: label(secret, COPY) === "true",
  };
}

function isOwnKey({ operation, namespace, object }: AdmissionRequest): boolean {
  return operation !== "DELETE" && namespace === NAMESPACE && metadata(object)["name"] === OWN_KEY;
}

function typeRule({ operation, object }: AdmissionRequest): Rule {
  return {
    holds: operation === "DELETE" || !ACTED_ON.includes(textOf(object?.["type"])),
    message: "the sync worker cannot write Secrets of this type, because the cluster or Helm acts on their content",
  };
}

function isAdoption(object: JsonObject | undefined, oldObject: JsonObject | undefined): boolean {
  const consent = textOf(annotations(oldObject)[ADOPTABLE] ?? "");
  const isForClass = consent.trim() !== "" && annotations(object)[CLASS] === consent;
  return ownershipOf(oldObject).isAdoptable && ownershipOf(object).isAdopted && isForClass;
}

function changeRule(request: AdmissionRequest): Rule {
  const { operation, object, oldObject } = request;
  const before = ownershipOf(oldObject);
  const wasMadeByDriver = label(oldObject, DRIVER) === "true";
  return {
    holds:
      operation !== "UPDATE" || isOwnKey(request) || before.isOurs || isAdoption(object, oldObject) || wasMadeByDriver || before.isCopy,
    message:
      "the sync worker cannot change a Secret that it does not own: the Secret has no label keyvault-injector.dev/managed, its annotation keyvault-injector.dev/adoptable-by names no class that can adopt it, and the CSI driver did not create it",
  };
}

function writeRule(request: AdmissionRequest): Rule {
  const { operation, object, oldObject } = request;
  const before = ownershipOf(oldObject);
  const isRelease = before.isOurs && (before.isAdoptable || before.isAdopted) && object !== undefined && isGivenBack(object, oldObject);
  const now = ownershipOf(object);
  return {
    holds: operation === "DELETE" || isOwnKey(request) || now.isOurs || isRelease || now.isCopy,
    message: 'the sync worker can write only Secrets with the label keyvault-injector.dev/managed: "true"',
  };
}

/** Whether the write only removes the worker's own label and annotations. */
function isGivenBack(object: JsonObject, oldObject: JsonObject | undefined): boolean {
  const isSame = ["data", "immutable"].every((field) => isEqual(object[field], oldObject?.[field]));
  const [now, before] = [metadata(object), metadata(oldObject)];
  return (
    isSame &&
    isEqual(now["ownerReferences"], before["ownerReferences"]) &&
    lacksOnly(objectAt(now, "labels"), objectAt(before, "labels"), [MANAGED]) &&
    lacksOnly(annotations(object), annotations(oldObject), [CLASS, OBJECTS, CONTENT, ADOPTED])
  );
}

function lacksOnly(now: JsonObject, before: JsonObject, keys: readonly string[]): boolean {
  return (
    Object.entries(now).every(([key, value]) => before[key] === value) &&
    Object.keys(before).every((key) => key in now || keys.includes(key))
  );
}

function adoptionRule({ object, oldObject }: AdmissionRequest): Rule {
  const [before, now] = [ownershipOf(oldObject), ownershipOf(object)];
  return {
    holds: !before.isAdopted || !before.isOurs || !now.isOurs || now.isAdopted,
    message: "the sync worker cannot remove the annotation keyvault-injector.dev/adopted from a Secret",
  };
}

/** Rules for the marks that allow the worker to remove its label from a Secret, or to delete the Secret. */
function markRules({ operation, object, oldObject }: AdmissionRequest): readonly Rule[] {
  const isDelete = operation === "DELETE";
  const [before, now] = [ownershipOf(oldObject), ownershipOf(object)];
  const driver = label(object, DRIVER);
  return [
    {
      holds: isDelete || before.isAdopted || isAdoption(object, oldObject) || !now.isAdopted,
      message: "the sync worker can add the annotation keyvault-injector.dev/adopted only to a Secret whose owner agreed to the adoption",
    },
    {
      holds: isDelete || annotations(object)[ADOPTABLE] === annotations(oldObject)[ADOPTABLE],
      message:
        "the sync worker cannot change the annotation keyvault-injector.dev/adoptable-by of a Secret, because it is its owner's consent",
    },
    {
      holds: isDelete || driver === undefined || driver === label(oldObject, DRIVER),
      message: "the sync worker can remove the label secrets-store.csi.k8s.io/managed from a Secret, but cannot add it",
    },
  ];
}

function holdRules({ operation, object, oldObject }: AdmissionRequest): readonly Rule[] {
  const isDelete = operation === "DELETE";
  const of = (secret: JsonObject | undefined, name: string): readonly Json[] => listAt(metadata(secret), name);
  const owners = of(object, "ownerReferences");
  return [
    {
      holds: isDelete || owners.length === 0 || isEqual(owners, of(oldObject, "ownerReferences")),
      message: "the sync worker can remove the owners of a Secret, but cannot add or change them",
    },
    {
      holds: isDelete || isEqual(of(object, "finalizers"), of(oldObject, "finalizers")),
      message: "the sync worker cannot change the finalizers of a Secret",
    },
  ];
}

function consentRule({ operation, namespace, namespaceObject, object }: AdmissionRequest): Rule {
  const source = textOf(annotations(object)[COPIED_FROM] ?? "");
  const taken = textOf(annotations(namespaceObject)[TAKEN] ?? "")
    .split(",")
    .map((word) => word.trim());
  const isTaken =
    namespace !== "kube-system" &&
    /^[a-z0-9-]+\/[a-z0-9.-]+$/.test(source) &&
    [source, `${source.split("/")[0]}/*`].some((word) => taken.includes(word));
  return {
    holds: operation === "DELETE" || !ownershipOf(object).isCopy || isTaken,
    message: `Namespace ${namespace} does not consent to this copy by the sync worker: someone with permission to update the Namespace and its Secrets must add the class to the annotation ${TAKEN}`,
  };
}

function copyRule({ operation, object, oldObject }: AdmissionRequest): Rule {
  const [before, now] = [ownershipOf(oldObject), ownershipOf(object)];
  const staysCopy = operation === "CREATE" || (before.isCopy && !before.isOurs);
  return {
    holds: operation === "DELETE" || !(now.isCopy || before.isCopy) || (now.isCopy && !now.isOurs && staysCopy),
    message: "the sync worker cannot turn an existing Secret into a copy, or a copy into another Secret",
  };
}

function deletionRule({ operation, oldObject }: AdmissionRequest): Rule {
  const before = ownershipOf(oldObject);
  return {
    holds: operation !== "DELETE" || (before.isOurs && !before.isAdoptable && !before.isAdopted) || (before.isCopy && !before.isOurs),
    message: "the sync worker can delete only Secrets that it created",
  };
}

function certificateRule({ operation, namespace, object }: AdmissionRequest): Rule {
  const isTaken = namespace === NAMESPACE && WEBHOOKS_OWN.includes(textOf(metadata(object)["name"]));
  return {
    holds: operation === "DELETE" || !isTaken,
    message: "the sync worker cannot write the Secrets from which the webhook takes its certificates",
  };
}

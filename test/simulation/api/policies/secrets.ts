import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type JsonObject, textOf } from "../json.ts";
import { annotations, label, metadata, NAMESPACE, type Policy, type Rule, WORKER } from "./policy.ts";

const MANAGED = "keyvault-injector.dev/managed";
const CLASS = "keyvault-injector.dev/class";
const ADOPTABLE = "keyvault-injector.dev/adoptable-by";
const ADOPTED = "keyvault-injector.dev/adopted";
const DRIVER = "secrets-store.csi.k8s.io/managed";
const COPY = "keyvault-injector.dev/copy";
const COPIED_FROM = "keyvault-injector.dev/copied-from";
const TAKEN = "grants.keyvault-injector.dev/mirrors-from";
const OWN_KEY = "keyvault-injector-sync-key";
const ACTED_ON = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"];

/** Which Secrets the worker may write. */
export const SECRETS: Policy = {
  name: "keyvault-injector-sync-secrets",
  user: WORKER,
  resources: ["secrets"],
  rules: (request) => [
    typeRule(request),
    changeRule(request),
    writeRule(request),
    adoptionRule(request),
    consentRule(request),
    copyRule(request),
    deletionRule(request),
  ],
};

/** Whose a Secret is, as it says itself. */
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
    message: "the sync worker writes no Secret of this type, because the cluster or Helm acts on its content",
  };
}

function changeRule(request: AdmissionRequest): Rule {
  const { operation, object, oldObject } = request;
  const before = ownershipOf(oldObject);
  const wasMadeByDriver = label(oldObject, DRIVER) === "true";
  const isForClass = (annotations(object)[CLASS] ?? "") === annotations(oldObject)[ADOPTABLE];
  const isAdoption = before.isAdoptable && ownershipOf(object).isAdopted && isForClass;
  return {
    holds: operation !== "UPDATE" || isOwnKey(request) || before.isOurs || isAdoption || wasMadeByDriver || before.isCopy,
    message:
      "the sync worker changes no Secret that it does not own: it has no label keyvault-injector.dev/managed, its annotation keyvault-injector.dev/adoptable-by names no class that takes it over, and the CSI driver did not make it",
  };
}

function writeRule(request: AdmissionRequest): Rule {
  const { operation, object, oldObject } = request;
  const before = ownershipOf(oldObject);
  const isSameData = object !== undefined && isEqual(object["data"], oldObject?.["data"]);
  const isRelease = before.isOurs && (before.isAdoptable || before.isAdopted) && isSameData;
  const now = ownershipOf(object);
  return {
    holds: operation === "DELETE" || isOwnKey(request) || now.isOurs || isRelease || now.isCopy,
    message: 'the sync worker writes only Secrets that carry the label keyvault-injector.dev/managed: "true"',
  };
}

function adoptionRule({ object, oldObject }: AdmissionRequest): Rule {
  const [before, now] = [ownershipOf(oldObject), ownershipOf(object)];
  return {
    holds: !before.isAdopted || !before.isOurs || !now.isOurs || now.isAdopted,
    message: "the sync worker keeps the annotation keyvault-injector.dev/adopted as long as it keeps the Secret",
  };
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
    message: `Namespace ${namespace} does not take this copy from the sync worker: whoever may write the Namespace and its Secrets adds the class to the annotation ${TAKEN}`,
  };
}

function copyRule({ operation, object, oldObject }: AdmissionRequest): Rule {
  const [before, now] = [ownershipOf(oldObject), ownershipOf(object)];
  const staysCopy = operation === "CREATE" || (before.isCopy && !before.isOurs);
  return {
    holds: operation === "DELETE" || !(now.isCopy || before.isCopy) || (now.isCopy && !now.isOurs && staysCopy),
    message: "the sync worker makes a copy as a copy, and keeps it one",
  };
}

function deletionRule({ operation, oldObject }: AdmissionRequest): Rule {
  const before = ownershipOf(oldObject);
  return {
    holds: operation !== "DELETE" || (before.isOurs && !before.isAdoptable && !before.isAdopted) || (before.isCopy && !before.isOurs),
    message: "the sync worker deletes only Secrets that it made itself",
  };
}

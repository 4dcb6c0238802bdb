import type { AdmissionRequest } from "../interface.ts";
import { isEqual, type JsonObject, textOf } from "../json.ts";
import { annotations, label, metadata, NAMESPACE, type Policy, type Rule, WORKER } from "./policy.ts";

const MANAGED = "keyvault-injector.dev/managed";
const CLASS = "keyvault-injector.dev/class";
const ADOPTABLE = "keyvault-injector.dev/adoptable-by";
const ADOPTED = "keyvault-injector.dev/adopted";
const DRIVER = "secrets-store.csi.k8s.io/managed";
const OWN_KEY = "keyvault-injector-sync-key";
const ACTED_ON = ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token", "helm.sh/release.v1"];

/** Which Secrets the worker may write. */
export const SECRETS: Policy = {
  name: "keyvault-injector-sync-secrets",
  user: WORKER,
  resources: ["secrets"],
  rules: (request) => [typeRule(request), changeRule(request), writeRule(request), adoptionRule(request), deletionRule(request)],
};

/** Whose a Secret is, as it says itself. */
interface Ownership {
  readonly isOurs: boolean;
  readonly isAdoptable: boolean;
  readonly isAdopted: boolean;
}

function ownershipOf(secret: JsonObject | undefined): Ownership {
  const notes = annotations(secret);
  return { isOurs: label(secret, MANAGED) === "true", isAdoptable: ADOPTABLE in notes, isAdopted: notes[ADOPTED] === "true" };
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
    holds: operation !== "UPDATE" || isOwnKey(request) || before.isOurs || isAdoption || wasMadeByDriver,
    message:
      "the sync worker changes no Secret that it does not own: it has no label keyvault-injector.dev/managed, its annotation keyvault-injector.dev/adoptable-by names no class that takes it over, and the CSI driver did not make it",
  };
}

function writeRule(request: AdmissionRequest): Rule {
  const { operation, object, oldObject } = request;
  const before = ownershipOf(oldObject);
  const isSameData = object !== undefined && isEqual(object["data"], oldObject?.["data"]);
  const isRelease = before.isOurs && (before.isAdoptable || before.isAdopted) && isSameData;
  return {
    holds: operation === "DELETE" || isOwnKey(request) || ownershipOf(object).isOurs || isRelease,
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

function deletionRule({ operation, oldObject }: AdmissionRequest): Rule {
  const before = ownershipOf(oldObject);
  return {
    holds: operation !== "DELETE" || (before.isOurs && !before.isAdoptable && !before.isAdopted),
    message: "the sync worker deletes only Secrets that it made itself",
  };
}

import type { AdmissionRequest } from "../interface.ts";
import { isEqual, listAt, objectAt } from "../json.ts";
import { annotations, isSameBut, metadata, NAMESPACE, type Policy, type Rule, WEBHOOK } from "./policy.ts";

const OWN_LABELS = { "app.kubernetes.io/name": "keyvault-injector", "app.kubernetes.io/component": "webhook" };

/** Writes of the webhook to its only Secret. */
export const WEBHOOK_SECRETS: Policy = {
  name: "keyvault-injector-webhook-secrets",
  user: WEBHOOK,
  resources: ["secrets"],
  rules: (request) => [nameRule(request), typeRule(request), holdRule(request), metadataRule(request)],
};

function nameRule({ operation, namespace, object }: AdmissionRequest): Rule {
  return {
    holds: operation !== "DELETE" && metadata(object)["name"] === "keyvault-injector-ca" && namespace === NAMESPACE,
    message: "the webhook can write only the Secret keyvault-injector-ca of its own namespace, and cannot delete it",
  };
}

function typeRule({ operation, object, oldObject }: AdmissionRequest): Rule {
  return {
    holds: operation === "DELETE" || (object?.["type"] ?? "Opaque") === (oldObject?.["type"] ?? "Opaque"),
    message: "the webhook can create its Secret only with the type Opaque, because the cluster acts on the content of other types",
  };
}

function holdRule({ operation, object, oldObject }: AdmissionRequest): Rule {
  const isSameList = (name: string): boolean => isEqual(listAt(metadata(object), name), listAt(metadata(oldObject), name));
  const isSameForEver = (object?.["immutable"] ?? false) === (oldObject?.["immutable"] ?? false);
  return {
    holds: operation === "DELETE" || (["ownerReferences", "finalizers"].every(isSameList) && isSameForEver),
    message: "the webhook cannot set or remove owners and finalizers of its Secret, or make it immutable",
  };
}

function metadataRule({ operation, object, oldObject }: AdmissionRequest): Rule {
  const labels = objectAt(metadata(object), "labels");
  const own = Object.entries(OWN_LABELS).flatMap(([name, value]) => (labels[name] === value ? [name] : []));
  const areLabelsSame = isSameBut(own, labels, metadata(oldObject)["labels"]);
  const areAnnotationsSame = isSameBut(["keyvault-injector.dev/previous-ca-until"], annotations(object), annotations(oldObject));
  return {
    holds: operation === "DELETE" || (areLabelsSame && areAnnotationsSame),
    message: "the webhook can set only its own two labels and the annotation keyvault-injector.dev/previous-ca-until on its Secret",
  };
}

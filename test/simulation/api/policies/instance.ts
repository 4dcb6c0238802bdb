import type { AdmissionRequest } from "../interface.ts";
import { type JsonObject, objectAt, stringAt } from "../json.ts";
import { objectsAt, type Policy } from "./policy.ts";

const WEBHOOKS = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].map(
  (plural) => `${plural}.admissionregistration.k8s.io`,
);
const BINDINGS = "clusterrolebindings.rbac.authorization.k8s.io";

/** A cluster-wide object that belongs to one instance cannot be moved to another. */
export const ONE_INSTANCE: Policy = {
  name: "keyvault-injector-one-instance",
  resources: [...WEBHOOKS, BINDINGS],
  isAbout: ({ operation, resource, name }) => operation === "UPDATE" && namesIn(resource).includes(name),
  rules: ({ object, oldObject }) => {
    const before = placesOf(oldObject).filter((place) => place !== "");
    return [
      {
        holds: before.length === 0 || placesOf(object).every((place) => place === "" || before.includes(place)),
        message: `keyvault-injector is already installed in namespace ${before[0]}, and a cluster can have only one instance: use that one, or uninstall it first`,
      },
    ];
  },
};

function namesIn(resource: AdmissionRequest["resource"]): readonly string[] {
  const bindings = ["keyvault-injector-components", "keyvault-injector-sync", "keyvault-injector-webhook"];
  return resource === "clusterrolebindings" ? bindings : ["keyvault-injector"];
}

/** Returns the namespaces of the Services that webhooks use, and of the subjects. */
function placesOf(object: JsonObject | undefined): readonly string[] {
  const services = objectsAt(object, "webhooks").map((webhook) => objectAt(objectAt(webhook, "clientConfig"), "service"));
  return [...services, ...objectsAt(object, "subjects")].map((place) => stringAt(place, "namespace") ?? "");
}

import { isEqual, isObject, type JsonObject, listAt, objectAt } from "../json.ts";
import { metadata, type Policy, WEBHOOK } from "./policy.ts";

const METADATA = ["labels", "annotations", "ownerReferences", "finalizers"];

/** The webhook can change only the `caBundle` of its own webhook configurations. */
export const WEBHOOK_CONFIGURATION: Policy = {
  name: "keyvault-injector-webhook-configuration",
  user: WEBHOOK,
  resources: ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"].map((plural) => `${plural}.admissionregistration.k8s.io`),
  rules: ({ operation, object, oldObject }) => {
    if (operation !== "UPDATE") return [{ holds: false, message: "the webhook cannot create or delete webhook configurations" }];
    return [
      {
        holds: METADATA.every((name) => isEqual(metadata(object)[name], metadata(oldObject)[name])),
        message: "the webhook can change only `caBundle` in its configuration, and no metadata",
      },
      {
        holds: isEqual(withoutBundles(object), withoutBundles(oldObject)),
        message: "the webhook can change only `caBundle` in its configuration",
      },
    ];
  },
};

function withoutBundles(configuration: JsonObject | undefined): readonly JsonObject[] {
  return listAt(configuration, "webhooks")
    .filter(isObject)
    .map((webhook) => {
      const { caBundle: _caBundle, ...client } = objectAt(webhook, "clientConfig");
      return { ...webhook, clientConfig: client };
    });
}

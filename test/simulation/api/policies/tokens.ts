import { isEqual, objectAt, textOf } from "../json.ts";
import { annotations, NAMESPACE, type Policy, WORKER } from "./policy.ts";

const GRANTS = "grants.keyvault-injector.dev/service-accounts";
const OWN_ACCOUNTS = ["keyvault-injector-sync", "keyvault-injector-webhook"];

/** Which tokens the worker may ask for. */
export const TOKENS: Policy = {
  name: "keyvault-injector-sync-tokens",
  user: WORKER,
  resources: ["serviceaccounts/token"],
  rules: ({ name, namespace, namespaceObject, object }) => {
    const { audiences, expirationSeconds } = objectAt(object, "spec");
    const granted = textOf(annotations(namespaceObject)[GRANTS] ?? "").split(",");
    return [
      {
        holds: isEqual(audiences, ["api://AzureADTokenExchange"]),
        message: "the sync worker asks for tokens with the one audience api://AzureADTokenExchange, which Entra exchanges",
      },
      {
        holds: Number(expirationSeconds ?? 3_600) <= 600,
        message: "the sync worker asks for tokens of 600 seconds, which it exchanges at once",
      },
      { holds: namespace !== "kube-system", message: "the sync worker asks for no token in kube-system" },
      {
        holds: namespace !== NAMESPACE || !OWN_ACCOUNTS.includes(name),
        message: "the sync worker lends nobody the accounts of the install",
      },
      {
        holds: granted.some((account) => account.trim() === name),
        message: `Namespace ${namespace} does not grant ServiceAccount ${name} to the sync worker: whoever may write the Namespace adds it to the annotation ${GRANTS}, by hand or by keyvault-injector grants --namespace ${namespace} --apply`,
      },
    ];
  },
};

import { isEqual } from "../json.ts";
import { annotations, label, metadata, NAMESPACE, type Policy, WORKER } from "./policy.ts";

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
  rules: ({ operation, namespace, object, oldObject }) => {
    const isDelete = operation === "DELETE";
    const before = annotations(oldObject);
    const now = annotations(object);
    const isOwnKey = !isDelete && namespace === NAMESPACE && metadata(object)["name"] === OWN_KEY;
    const wasOurs = label(oldObject, MANAGED) === "true";
    const wasAdoptable = ADOPTABLE in before;
    const wasAdopted = before[ADOPTED] === "true";
    const wasMadeByDriver = label(oldObject, DRIVER) === "true";
    const isOurs = label(object, MANAGED) === "true";
    const isAdopted = now[ADOPTED] === "true";
    const isAdoption = wasAdoptable && isAdopted && (now[CLASS] ?? "") === before[ADOPTABLE];
    const isRelease = wasOurs && (wasAdoptable || wasAdopted) && object !== undefined && isEqual(object["data"], oldObject?.["data"]);
    return [
      {
        holds: isDelete || !ACTED_ON.includes(String(object?.["type"])),
        message: "the sync worker writes no Secret of this type, because the cluster or Helm acts on its content",
      },
      {
        holds: operation !== "UPDATE" || isOwnKey || wasOurs || isAdoption || wasMadeByDriver,
        message:
          "the sync worker changes no Secret that it does not own: it has no label keyvault-injector.dev/managed, its annotation keyvault-injector.dev/adoptable-by names no class that takes it over, and the CSI driver did not make it",
      },
      {
        holds: isDelete || isOwnKey || isOurs || isRelease,
        message: 'the sync worker writes only Secrets that carry the label keyvault-injector.dev/managed: "true"',
      },
      {
        holds: !wasAdopted || !wasOurs || !isOurs || isAdopted,
        message: "the sync worker keeps the annotation keyvault-injector.dev/adopted as long as it keeps the Secret",
      },
      {
        holds: !isDelete || (wasOurs && !wasAdoptable && !wasAdopted),
        message: "the sync worker deletes only Secrets that it made itself",
      },
    ];
  },
};

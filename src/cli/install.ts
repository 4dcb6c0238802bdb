import { SETTINGS } from "../runtime/settings.ts";

/** Where the product is installed unless somebody chose another place. */
export const INSTALL_NAMESPACE = SETTINGS.namespace.default;

/** On everything that an installer applies. */
export const OWN_LABEL = "app.kubernetes.io/name=keyvault-injector";

/** Left out by the webhook's configuration, besides the install's own namespace: the pods that we need must not need us. */
export const EXCLUDED_NAMESPACES: readonly string[] = ["kube-system"];

/** Cloud of classes without `cloudName`, unless the operator set another. */
export const DEFAULT_CLOUD = SETTINGS["cloud-name"].default;

/** Of the policy that refuses an opted-in pod without its volume, and of its binding. */
export const FINAL_CHECK = "keyvault-injector-pod-volume";

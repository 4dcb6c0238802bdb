/**
 * Names that the webhook's certificates hang on. They stand in manifests, RBAC rules and policies too: a renamed webhook entry
 * would leave a remnant that fails validation.
 */

/** The Secret in the install's own namespace that holds the certificate authority. */
export const AUTHORITY_SECRET = "keyvault-injector-ca";

/** Its keys. `previous-ca.crt` is optional: certificates that stay trusted for a while after a rotation, newest first. */
export const AUTHORITY_KEYS = { certificate: "ca.crt", privateKey: "ca.key", previous: "previous-ca.crt" } as const;

/** Of the mutating and of the validating configuration alike. */
export const WEBHOOK_CONFIGURATION = "keyvault-injector";

/** The one entry of the mutating configuration whose `caBundle` is ours. */
export const WEBHOOK_ENTRY = "pods.keyvault-injector.dev";

/** Those of the validating configuration, which only warns: an operator may do without it, or without one of them. */
export const PREFLIGHT_ENTRIES = ["workloads.keyvault-injector.dev", "secretproviderclasses.keyvault-injector.dev"] as const;

export const WEBHOOK_SERVICE = "keyvault-injector-webhook";

/** Owns `caBundle`. The same for all replicas: they write the same value. */
export const WEBHOOK_FIELD_MANAGER = "keyvault-injector-webhook";

/** The API server's limit is 128 bytes. */
const MANAGER_LENGTH = 128;

/**
 * Field manager of one replica's writes of the CA Secret. It differs per replica on purpose: of two replicas that create the
 * Secret at once by unforced apply, the later one then conflicts with the earlier one's fields instead of replacing them.
 */
export function authorityFieldManager(podName: string): string {
  const prefix = `${WEBHOOK_FIELD_MANAGER}-`;
  // The end of a pod name is what tells replicas apart.
  return prefix + podName.slice(-(MANAGER_LENGTH - prefix.length));
}

/** Every name under which a client in the cluster may call the Service. The API server uses `<service>.<namespace>.svc`. */
export function serviceDnsNames(service: string, namespace: string): readonly string[] {
  return [service, `${service}.${namespace}`, `${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];
}

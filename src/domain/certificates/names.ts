/**
 * Names that the webhook's certificates depend on. Manifests, RBAC rules, and policies also contain these names. A renamed webhook entry
 * would leave the old entry behind, which fails validation.
 */

/** The Secret in the install's own namespace that holds the certificate authority. */
export const AUTHORITY_SECRET = "keyvault-injector-ca";

/** Keys of that Secret. `previous-ca.crt` is optional: certificates that stay trusted for a while after a rotation, newest first. */
export const AUTHORITY_KEYS = { certificate: "ca.crt", privateKey: "ca.key", previous: "previous-ca.crt" } as const;

/** Name of both the mutating and the validating configuration. */
export const WEBHOOK_CONFIGURATION = "keyvault-injector";

/** The only entry of the mutating configuration whose `caBundle` this project owns. */
export const WEBHOOK_ENTRY = "pods.keyvault-injector.dev";

/** Entries of the validating configuration, which only warns. An operator can omit the configuration, or one of the entries. */
export const PREFLIGHT_ENTRIES = ["workloads.keyvault-injector.dev", "secretproviderclasses.keyvault-injector.dev"] as const;

export const WEBHOOK_SERVICE = "keyvault-injector-webhook";

/** Owner of `caBundle`. All replicas use the same name, because they write the same value. */
export const WEBHOOK_FIELD_MANAGER = "keyvault-injector-webhook";

/** The API server's limit is 128 bytes. */
const MANAGER_LENGTH = 128;

/**
 * Returns the field manager with which one replica writes the CA Secret. The name differs between replicas on purpose. If two replicas
 * create the Secret at the same time by unforced apply, the later one conflicts with the fields of the earlier one instead of replacing
 * them.
 */
export function authorityFieldManager(podName: string): string {
  const prefix = `${WEBHOOK_FIELD_MANAGER}-`;
  // Replicas differ in the end of the pod name.
  return prefix + podName.slice(-(MANAGER_LENGTH - prefix.length));
}

/** Returns every name with which a client in the cluster may call the Service. The API server uses `<service>.<namespace>.svc`. */
export function serviceDnsNames(service: string, namespace: string): readonly string[] {
  return [service, `${service}.${namespace}`, `${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];
}

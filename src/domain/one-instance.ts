import { memberOf } from "./json-members.ts";
import type { KubeObject } from "./kubernetes.ts";

/** Of the webhook configurations: cluster-scoped, so that it says where the one instance is. */
export const INSTANCE_CONFIGURATION = "keyvault-injector";

/** The namespace of another instance, by the webhook configuration; undefined where there is none, or it is ours. */
export function otherInstance(configuration: KubeObject | undefined, namespace: string): string | undefined {
  const { webhooks = [] } = (configuration ?? {}) as { readonly webhooks?: readonly unknown[] }; // The kind that was read.
  const places = webhooks.map(namespaceOf).filter((place) => place !== undefined);
  return places.includes(namespace) ? undefined : places[0];
}

function namespaceOf(webhook: unknown): string | undefined {
  const { namespace } = memberOf(memberOf(Object(webhook), "clientConfig"), "service");
  return typeof namespace === "string" ? namespace : undefined;
}

import { grantsOf, type NamespaceGrants } from "../../domain/grants/namespace-grants.ts";
import { type KubeObject, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import type { VaultAddress } from "../../domain/ports/vault-client.ts";
import { identityModeRefusal, managedIdentityRefusal, vaultRefusal } from "../../domain/provider-class/operator-limits.ts";
import type { ClassProblem } from "../../domain/provider-class/problem.ts";
import type { SupportedIdentity } from "../../domain/provider-class/this-version.ts";
import type { ClassContext } from "./class-context.ts";
import { type Look, listed, type Viewer } from "./viewer.ts";

/** What a Namespace lends to the worker. */
export async function lookAtGrants(viewer: Viewer, namespace: string): Promise<Look<NamespaceGrants>> {
  const look = await viewer.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  if (look.kind === "seen") return { kind: "seen", value: grantsOf(look.value) };
  if (look.kind !== "unseen") return look;
  // The worker itself may list Namespaces, and get none.
  const [found] = listed(await viewer.all<KubeObject>(RESOURCES.namespaces, { fieldSelector: `metadata.name=${namespace}` }));
  return found === undefined ? look : { kind: "seen", value: grantsOf(found) };
}

export interface LimitedUse {
  readonly mode: SupportedIdentity["kind"];
  readonly address: VaultAddress;
}

/** What the operator does not allow the class; undefined where nothing of it is refused, or where the grant may not be read. */
export async function limitOf(
  { settings: { limits }, viewer }: Pick<ClassContext, "settings" | "viewer">,
  { metadata: { namespace = "" } }: SecretProviderClass,
  { mode, address }: LimitedUse,
): Promise<ClassProblem | undefined> {
  const forbidden = identityModeRefusal(limits, mode) ?? vaultRefusal(limits, address, namespace);
  if (forbidden !== undefined || mode !== "managedIdentity") return forbidden;
  const grants = await lookAtGrants(viewer, namespace);
  return grants.kind === "unseen"
    ? undefined
    : managedIdentityRefusal(limits, { namespace, isGranted: grants.kind === "seen" && grants.value.managedIdentity });
}

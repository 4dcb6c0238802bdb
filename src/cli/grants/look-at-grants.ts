import { grantsOf, type NamespaceGrants } from "../../domain/grants/namespace-grants.ts";
import { type KubeObject, RESOURCES } from "../../domain/kubernetes.ts";
import { type Look, listed, type Viewer } from "../cluster.ts";

/** What a Namespace lends to the worker. */
export async function lookAtGrants(viewer: Viewer, namespace: string): Promise<Look<NamespaceGrants>> {
  const look = await viewer.object<KubeObject>(RESOURCES.namespaces, { name: namespace });
  if (look.kind === "seen") return { kind: "seen", value: grantsOf(look.value) };
  if (look.kind !== "unseen") return look;
  // The worker itself may list Namespaces, and get none.
  const [found] = listed(await viewer.all<KubeObject>(RESOURCES.namespaces, { fieldSelector: `metadata.name=${namespace}` }));
  return found === undefined ? look : { kind: "seen", value: grantsOf(found) };
}

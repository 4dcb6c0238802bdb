import type { Cluster } from "../../../src/cli/shared/command.ts";
import type { ObjectRef, Resource } from "../../../src/domain/kubernetes.ts";
import type { ListRequest } from "../../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../../src/domain/ports/kube-error.ts";
import type { ReflectorOptions } from "../../../src/domain/ports/kube-watcher.ts";
import type { Manifest } from "../cluster/shipped-manifests.ts";

/** A simulated API server with these objects, for commands that only read. It serves every kind except the given plurals. */
export function heldCluster(objects: readonly Manifest[], unserved: readonly string[] = []): Cluster {
  const ofKind = ({ kind }: Resource): readonly Manifest[] => objects.filter((object) => object.kind === kind);
  const read = async (resource: Resource, { namespace, name }: ObjectRef) => {
    if (unserved.includes(resource.plural)) return { kind: "unserved" };
    const object = ofKind(resource).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    return object === undefined ? { kind: "absent" } : { kind: "found", object };
  };
  const kube = {
    read,
    readMetadata: read,
    list: async (resource: Resource, { namespace, labelSelector, fieldSelector, keep = (object) => object }: ListRequest<Manifest>) => {
      const [label = "", value] = labelSelector?.split("=") ?? [];
      const named = /^metadata\.name=(.*)$/.exec(fieldSelector ?? "")?.[1];
      if (unserved.includes(resource.plural)) throw new KubeError("NotFound", `no ${resource.plural}`, { retry: { kind: "never" } });
      return ofKind(resource)
        .filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace)
        .filter(({ metadata }) => value === undefined || metadata.labels?.[label] === value)
        .filter(({ metadata }) => named === undefined || metadata.name === named)
        .map(keep);
    },
  };
  const close = async (): Promise<void> => undefined;
  return {
    kube,
    namespace: "shop",
    server: "https://held of context held",
    close,
    actAs: async () => ({ kube, close }),
    // The objects never change.
    watcher: async () => ({ reflect: ({ observer }: ReflectorOptions<unknown>) => observer?.listed?.(undefined) }),
  } as unknown as Cluster; // The commands call nothing else.
}

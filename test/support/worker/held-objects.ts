import type { Viewer, ViewResult } from "../../../src/cli/shared/viewer.ts";
import type { Resource } from "../../../src/domain/kubernetes.ts";
import type { Manifest } from "../cluster/shipped-manifests.ts";

/** A cluster with these objects that serves every kind. */
export function holding(objects: readonly Manifest[]): Viewer {
  const ofKind = ({ kind }: Resource): readonly Manifest[] => objects.filter((object) => object.kind === kind);
  const object = async <T>(resource: Resource, { namespace, name }: { readonly namespace?: string; readonly name: string }) => {
    const found = ofKind(resource).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    return (found === undefined ? { kind: "absent" } : { kind: "seen", value: found }) as ViewResult<T>; // It has the requested kind.
  };
  return {
    object,
    metadata: object,
    all: async <T>(resource: Resource, { namespace }: { readonly namespace?: string } = {}) => {
      const value = ofKind(resource).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
      return { kind: "seen", value } as unknown as ViewResult<readonly T[]>; // They have the requested kind.
    },
  };
}

/** The worker's Deployment with these arguments. */
export function workerDeployment(...args: readonly string[]): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { namespace: "keyvault-injector", name: "keyvault-injector-sync" },
    spec: { template: { spec: { containers: [{ args: ["sync", ...args] }] } } },
  };
}

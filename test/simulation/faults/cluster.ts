/** Faults of the cluster's own state, and of the services' clocks. */
import { VERSION } from "../../../tools/repository-files.ts";
import { type Cluster, releaseManifests } from "../world/cluster.ts";
import { type FaultKind, MINUTE } from "./fault.ts";

export const CLASS_CRD = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const STATUS_CRD = "secretproviderclasssyncs.keyvault-injector.dev";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

export function deleteDefinition(cluster: Cluster, name: string): void {
  cluster.request("DELETE", `${CRDS}/${name}`);
}

export const clusterFaults: readonly FaultKind[] = [
  {
    name: "the class CRD is deleted",
    longestMs: 0,
    begin: (world) => {
      deleteDefinition(world.cluster, CLASS_CRD);
      return undefined;
    },
  },
  {
    name: "the class CRD is deleted and made again by its installer",
    longestMs: 0,
    begin: (world, random) => {
      deleteDefinition(world.cluster, CLASS_CRD);
      world.scheduler.schedule(random.between(100, 20_000), () => {
        try {
          world.cluster.apply(releaseManifests("crds.yaml", VERSION));
        } catch {
          // The CRD is still being deleted. The installer does not try again here.
        }
      });
      return undefined;
    },
  },
  {
    name: "the class CRD loses secretObjects",
    longestMs: 0,
    begin: ({ cluster }) => {
      const crd = cluster.server.object("customresourcedefinitions.apiextensions.k8s.io", CLASS_CRD);
      if (crd === undefined) return undefined;
      const text = JSON.parse(JSON.stringify(crd)) as {
        spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, unknown> } } } } }[] };
      };
      for (const { schema } of text.spec.versions) delete schema.openAPIV3Schema.properties.spec.properties["secretObjects"];
      cluster.request("PUT", `${CRDS}/${CLASS_CRD}`, text);
      return undefined;
    },
  },
  {
    name: "the status CRD is deleted",
    longestMs: 0,
    begin: (world) => {
      deleteDefinition(world.cluster, STATUS_CRD);
      return undefined;
    },
  },
  {
    name: "old versions are compacted, and watches with them",
    longestMs: 0,
    begin: ({ cluster }) => {
      cluster.server.compact();
      cluster.server.cutWatches(() => true);
      return undefined;
    },
  },
  {
    name: "the API server is restarted",
    longestMs: 0,
    begin: ({ cluster }) => {
      cluster.server.restart();
      return undefined;
    },
  },
  {
    name: "the vaults' clock is ahead",
    longestMs: 60 * MINUTE,
    begin: ({ cloudClock }, random) => {
      cloudClock.skewMs = random.between(2_000, 10 * MINUTE);
      return () => {
        cloudClock.skewMs = 0;
      };
    },
  },
  {
    name: "the vaults' clock is behind",
    longestMs: 60 * MINUTE,
    begin: ({ cloudClock }, random) => {
      cloudClock.skewMs = -random.between(2_000, 10 * MINUTE);
      return () => {
        cloudClock.skewMs = 0;
      };
    },
  },
];

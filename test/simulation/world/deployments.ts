/** The Deployments that the users of a world write. */
import type { Random } from "../time/random.ts";
import type { Cluster } from "./cluster.ts";
import type { Team } from "./team.ts";
import { RESTART_ON_ROTATION, ROTATED } from "./workloads.ts";

const MERGE_PATCH = "application/merge-patch+json";

export function deploymentPath(namespace: string, name: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
}

/**
 * Creates a Deployment that uses a class by its volume, or one of its Secrets in its environment. Most Deployments request restarts.
 * Returns false if the API server refuses it.
 */
export function deploy(cluster: Cluster, team: Team, { name, random }: { readonly name: string; readonly random: Random }): boolean {
  const wanted = random.pick([...team.classes.values()]);
  const secretName = random.pick(wanted.secrets).name;
  const byVolume = wanted.sync === "while-used" || random.chance(0.5);
  const csi = { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: wanted.name } };
  const container = { name: "app", image: "app:1", ...(byVolume ? {} : { envFrom: [{ secretRef: { name: secretName } }] }) };
  const annotations = random.chance(0.8) ? { [RESTART_ON_ROTATION]: "true" } : {};
  const pod = { containers: [container], ...(byVolume ? { volumes: [{ name: "secrets", csi }] } : {}) };
  return created(cluster, team.namespace, { name, annotations, replicas: 1 + random.below(2), pod });
}

/** Creates a Deployment that mounts a class without Secrets, and requests restarts. Returns false if the API server refuses it. */
export function deployMounting(
  cluster: Cluster,
  { namespace }: Pick<Team, "namespace">,
  { name, className, random }: { readonly name: string; readonly className: string; readonly random: Random },
): boolean {
  const csi = { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: className } };
  const pod = { containers: [{ name: "app", image: "app:1" }], volumes: [{ name: "secrets", csi }] };
  const annotations = { [RESTART_ON_ROTATION]: "true" };
  return created(cluster, namespace, { name, annotations, replicas: 1 + random.below(3), pod });
}

interface DeploymentFacts {
  readonly name: string;
  /** Annotations of the template. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** Spec of its pods. */
  readonly pod: object;
}

/** Returns false if the API server refuses the Deployment. */
function created(cluster: Cluster, namespace: string, { name, annotations, replicas, pod }: DeploymentFacts): boolean {
  const body = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name }, annotations }, spec: pod },
    },
  };
  const { status } = cluster.request("POST", `/apis/apps/v1/namespaces/${namespace}/deployments`, body, { user: "author" });
  return status < 300;
}

/** Sets annotations of the template; null removes one. */
export function annotate(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  annotations: Readonly<Record<string, string | null>>,
): boolean {
  const body = { spec: { template: { metadata: { annotations } } } };
  const { status } = cluster.request("PATCH", deploymentPath(namespace, name), body, { contentType: MERGE_PATCH, user: "author" });
  return status < 300;
}

/** Removes the stamp of the last restart, as `kubectl rollout undo` does. */
export const WITHOUT_STAMP = { [ROTATED]: null };

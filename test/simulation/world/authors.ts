/** Objects that the users of a world write in their namespace. */
import { manifestOf, type WantedClass } from "./classes.ts";
import type { Cluster } from "./cluster.ts";
import type { Team } from "./team.ts";
import type { Application } from "./vaults.ts";

const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1";

export function writeCredentials(cluster: Cluster, namespace: string, { appId, clientSecret }: Application): void {
  const data = { clientid: Buffer.from(appId).toString("base64"), clientsecret: Buffer.from(clientSecret).toString("base64") };
  cluster.request("POST", `/api/v1/namespaces/${namespace}/secrets`, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "secrets-store-creds" },
    data,
  });
}

/** Applies the class as its author, regardless of earlier editions. Returns false if the API server refuses it. */
export function writeClass(cluster: Cluster, team: Team, wanted: WantedClass): boolean {
  const where = `${CLASSES}/namespaces/${team.namespace}/secretproviderclasses/${wanted.name}?fieldManager=author&force=true`;
  const { status } = cluster.request("PATCH", where, manifestOf(wanted, team.vault.tenantId), {
    contentType: "application/apply-patch+yaml",
    user: "author",
  });
  if (status < 300) {
    classesLike(team, wanted).set(wanted.name, wanted);
    team.writtenAt.set(wanted.name, cluster.now);
  }
  return status < 300;
}

/** Returns the team's classes of the same kind: with synced Secrets, or only mounted. */
function classesLike({ classes, mounted }: Team, { secrets }: WantedClass): Map<string, WantedClass> {
  return secrets.length === 0 ? mounted : classes;
}

export function deleteClass(cluster: Cluster, team: Team, name: string): void {
  const { status } = cluster.request("DELETE", `${CLASSES}/namespaces/${team.namespace}/secretproviderclasses/${name}`, undefined, {
    user: "author",
  });
  if (status < 300) team.classes.delete(name);
}

/** Records a new pod that mounts the class. */
export function podCame(team: Team, pod: string, className: string): void {
  team.pods.set(pod, className);
  team.usedUntil.delete(className);
}

/** Records that a pod no longer mounts anything. `now`: virtual milliseconds. */
export function podWent(team: Team, pod: string, now: number): void {
  const className = team.pods.get(pod);
  team.pods.delete(pod);
  if (className !== undefined && ![...team.pods.values()].includes(className)) team.usedUntil.set(className, now);
}

/** Records of a team that has not written anything yet. */
export function emptyTeam(): Pick<Team, "classes" | "mounted" | "writtenAt" | "pods" | "usedUntil"> {
  return { classes: new Map(), mounted: new Map(), writtenAt: new Map(), pods: new Map(), usedUntil: new Map() };
}

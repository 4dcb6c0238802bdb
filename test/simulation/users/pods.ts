/** Pods that mount classes. */
import type { Random } from "../time/random.ts";
import type { Team, World } from "../world/world.ts";

/** Its name; undefined where the API server would not have it. */
export function startPod(
  world: World,
  { team, className }: { readonly team: Team; readonly className: string },
  random: Random,
): string | undefined {
  const pod = `pod-${random.below(1_000_000)}`;
  const volume = {
    name: "secrets",
    csi: { driver: "secrets-store.csi.k8s.io", readOnly: true, volumeAttributes: { secretProviderClass: className } },
  };
  const body = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: pod },
    spec: { containers: [{ name: "app", image: "app:1" }], volumes: [volume] },
  };
  const { status } = world.cluster.request("POST", `/api/v1/namespaces/${team.namespace}/pods`, body, { user: "author" });
  if (status >= 300) return undefined;
  team.pods.set(pod, className);
  team.usedUntil.delete(className);
  return pod;
}

export function endPod(world: World, team: Team, pod: string): void {
  const className = team.pods.get(pod);
  team.pods.delete(pod);
  const where = `/api/v1/namespaces/${team.namespace}/pods/${pod}`;
  world.cluster.request("DELETE", where, { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 }, { user: "author" });
  if (className !== undefined && ![...team.pods.values()].includes(className)) team.usedUntil.set(className, world.scheduler.now);
}

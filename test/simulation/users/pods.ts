/** Pods that mount a class: they start, end, and are deleted. */
import type { Random } from "../time/random.ts";
import { podCame, podWent } from "../world/authors.ts";
import type { WantedClass } from "../world/classes.ts";
import { GREEDY } from "../world/greedy.ts";
import type { Team } from "../world/team.ts";
import { UNUSED_GRACE_MS, type World } from "../world/world.ts";
import type { OperationKind } from "./operation.ts";

const MOST_PODS = 20;
const MERGE_PATCH = "application/merge-patch+json";

function teamOf({ teams }: World, random: Random): Team {
  return random.pick(teams.filter(({ namespace }) => namespace !== GREEDY));
}

/** Creates a pod, and returns its name; undefined if the API server refuses it. */
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
  podCame(team, pod, className);
  return pod;
}

export function endPod({ cluster, scheduler }: World, team: Team, pod: string): void {
  podWent(team, pod, scheduler.now);
  const where = `/api/v1/namespaces/${team.namespace}/pods/${pod}`;
  cluster.request("DELETE", where, { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 }, { user: "author" });
}

/** Ends a pod's containers for good, as a kubelet reports it. The pod still exists, but no longer mounts anything. */
function finishPod({ cluster, scheduler }: World, team: Team, pod: string): void {
  podWent(team, pod, scheduler.now);
  const where = `/api/v1/namespaces/${team.namespace}/pods/${pod}/status`;
  cluster.request("PATCH", where, { status: { phase: "Succeeded" } }, { contentType: MERGE_PATCH, user: "kubelet" });
}

/** Whether the pod belongs to no workload, whose controller would replace it. */
const isBare = (pod: string): boolean => pod.startsWith("pod-");

function whileUsedOf(team: Team): readonly WantedClass[] {
  return [...team.classes.values()].filter(({ sync }) => sync === "while-used");
}

/** Milliseconds before or after the end of the grace. */
const AROUND_THE_END = [-30_000, 10_000] as const;

export const podOperations: readonly OperationKind[] = [
  {
    name: "start a pod",
    weight: 3,
    act: (world, random) => {
      const team = teamOf(world, random);
      if (team.classes.size === 0 || team.pods.size > MOST_PODS) return undefined;
      const className = random.pick([...team.classes.keys()]);
      const pod = startPod(world, { team, className }, random);
      return pod === undefined ? undefined : `${team.namespace}/${pod} mounts ${className}`;
    },
  },
  {
    name: "end a pod",
    weight: 3,
    act: (world, random) => {
      const team = teamOf(world, random);
      const own = [...team.pods.keys()].filter(isBare);
      if (own.length === 0) return undefined;
      const pod = random.pick(own);
      if (random.chance(0.3)) finishPod(world, team, pod);
      else endPod(world, team, pod);
      return `${team.namespace}/${pod} is gone`;
    },
  },
  {
    name: "end all pods of a class, and start one about when the grace ends",
    weight: 2,
    act: (world, random) => {
      const team = teamOf(world, random);
      const classes = whileUsedOf(team);
      if (classes.length === 0) return undefined;
      const { name } = random.pick(classes);
      const mounting = [...team.pods].filter(([pod, className]) => className === name && isBare(pod)).map(([pod]) => pod);
      for (const pod of mounting) endPod(world, team, pod);
      world.scheduler.schedule(UNUSED_GRACE_MS + random.between(...AROUND_THE_END), () => {
        if (team.classes.has(name)) startPod(world, { team, className: name }, random);
      });
      return `${team.namespace}/${name} has no pod any more, until about the end of the grace`;
    },
  },
];

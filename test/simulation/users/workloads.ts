/** Changes of Deployments by people. */
import type { Random } from "../time/random.ts";
import { annotate, deploy, deploymentPath, WITHOUT_STAMP } from "../world/deployments.ts";
import { GREEDY } from "../world/greedy.ts";
import { RESTART_ON_ROTATION, type SimulatedWorkload } from "../world/workloads.ts";
import type { World } from "../world/world.ts";
import type { OperationKind } from "./operation.ts";

const MOST_OF_A_TEAM = 4;

function anyWorkload({ workloads }: World, random: Random): SimulatedWorkload | undefined {
  const all = workloads.all();
  return all.length === 0 ? undefined : random.pick(all);
}

export const workloadOperations: readonly OperationKind[] = [
  {
    name: "deploy a workload",
    weight: 2,
    act: (world, random) => {
      const team = random.pick(world.teams.filter(({ namespace }) => namespace !== GREEDY));
      const own = world.workloads.all().filter(({ namespace }) => namespace === team.namespace);
      if (own.length >= MOST_OF_A_TEAM || team.classes.size === 0) return undefined;
      const name = `app-${random.below(1_000)}`;
      return deploy(world.cluster, team, { name, random }) ? `${team.namespace}/${name} is deployed` : undefined;
    },
  },
  {
    name: "delete a workload",
    weight: 0.5,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found === undefined) return undefined;
      world.cluster.request("DELETE", deploymentPath(found.namespace, found.name), undefined, { user: "author" });
      return `the Deployment ${found.namespace}/${found.name} is deleted`;
    },
  },
  {
    name: "ask for restarts, or not any more",
    weight: 1,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found === undefined) return undefined;
      const isDone = annotate(world.cluster, found, { [RESTART_ON_ROTATION]: found.asks ? null : "true" });
      return isDone ? `${found.namespace}/${found.name} asks for ${found.asks ? "no restarts any more" : "restarts"}` : undefined;
    },
  },
  {
    name: "roll a workload out anew",
    weight: 1,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found === undefined) return undefined;
      const isDone = annotate(world.cluster, found, { "kubectl.kubernetes.io/restartedAt": `${random.below(1e9)}` });
      return isDone ? `${found.namespace}/${found.name} is restarted by somebody` : undefined;
    },
  },
  {
    name: "take a restart back",
    weight: 0.3,
    act: (world, random) => {
      const found = anyWorkload(world, random);
      if (found?.templateStamp === undefined) return undefined;
      const isDone = annotate(world.cluster, found, WITHOUT_STAMP);
      return isDone ? `the restart of ${found.namespace}/${found.name} is taken back` : undefined;
    },
  },
  {
    name: "change the defaults of a Namespace",
    weight: 0.5,
    act: (world, random) => {
      const { namespace } = random.pick(world.teams);
      const path = random.chance(0.3) ? null : `/mnt/secrets-${random.below(100)}`;
      const body = { metadata: { annotations: { "keyvault-injector.dev/mount-path": path } } };
      world.cluster.request("PATCH", `/api/v1/namespaces/${namespace}`, body, {
        contentType: "application/merge-patch+json",
        user: "author",
      });
      return `pods of ${namespace} are to have their secrets at ${path ?? "the usual place"}`;
    },
  },
];

/** Actions of the people of a cluster: they rotate, edit, delete, and mount. */
import type { Random } from "../time/random.ts";
import { deleteClass, writeClass } from "../world/authors.ts";
import { drawClass, slightlyChanged } from "../world/classes.ts";
import { GREEDY } from "../world/greedy.ts";
import type { Team } from "../world/team.ts";
import type { World } from "../world/world.ts";
import { controlOperations } from "./controls.ts";
import { eventOperations } from "./events.ts";
import { greedyOperations } from "./greedy.ts";
import type { OperationKind } from "./operation.ts";
import { podOperations } from "./pods.ts";
import { shardOperations } from "./shards.ts";
import { workloadOperations } from "./workloads.ts";

const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1";
const MERGE_PATCH = "application/merge-patch+json";
function anyTeam({ teams }: World, random: Random): Team {
  return random.pick(teams.filter(({ namespace }) => namespace !== GREEDY));
}

function anyClass(world: World, random: Random): { readonly team: Team; readonly name: string } | undefined {
  const team = anyTeam(world, random);
  return team.classes.size === 0 ? undefined : { team, name: random.pick([...team.classes.keys()]) };
}

/** The emulator refuses a change only if the object does not exist. In that case, the simulation is wrong. */
function inVault(change: Promise<void>): void {
  change.catch((error: unknown) => {
    throw error;
  });
}

function anySecret(world: World, random: Random): { readonly namespace: string; readonly name: string } | undefined {
  const found = anyClass(world, random);
  const wanted = found?.team.classes.get(found.name);
  return wanted === undefined ? undefined : { namespace: wanted.namespace, name: random.pick(wanted.secrets).name };
}

export const OPERATIONS: readonly OperationKind[] = [
  {
    name: "rotate",
    weight: 12,
    act: (world, random) => {
      const { vault } = anyTeam(world, random);
      const name = random.pick([...vault.objects.keys()]);
      inVault(world.vaults.rotate(vault, name));
      return `${vault.name}/${name} has a new version`;
    },
  },
  {
    name: "disable",
    weight: 1,
    act: (world, random) => {
      const { vault } = anyTeam(world, random);
      const name = random.pick([...vault.objects.keys()]);
      inVault(world.vaults.disable(vault, name));
      return `${vault.name}/${name} is disabled`;
    },
  },
  {
    name: "enable",
    weight: 3,
    act: (world, random) => {
      const { vault } = anyTeam(world, random);
      const disabled = [...vault.objects.values()].find(({ state }) => state === "disabled");
      if (disabled === undefined) return undefined;
      inVault(world.vaults.enable(vault, disabled.name));
      return `${vault.name}/${disabled.name} is enabled again`;
    },
  },
  {
    name: "edit a class",
    weight: 3,
    act: (world, random) => {
      const found = anyClass(world, random);
      if (found === undefined) return undefined;
      const { team, name } = found;
      const isTaken = writeClass(world.cluster, team, drawClass(random, { namespace: team.namespace, name, vault: team.vault }));
      return isTaken ? `${team.namespace}/${name} is another class now` : undefined;
    },
  },
  {
    name: "change a little of a class",
    weight: 4,
    act: (world, random) => {
      const found = anyClass(world, random);
      const wanted = found?.team.classes.get(found.name);
      if (found === undefined || wanted === undefined) return undefined;
      const isTaken = writeClass(world.cluster, found.team, slightlyChanged(random, wanted));
      return isTaken ? `${found.team.namespace}/${found.name} is changed a little` : undefined;
    },
  },
  {
    name: "change all classes of a team, as a deployment tool does",
    weight: 1,
    act: (world, random) => {
      const team = anyTeam(world, random);
      const taken = [...team.classes.values()].filter((wanted) => writeClass(world.cluster, team, slightlyChanged(random, wanted)));
      return taken.length === 0 ? undefined : `${taken.length} classes of ${team.namespace} are changed a little`;
    },
  },
  {
    name: "replace a class",
    weight: 1,
    act: (world, random) => {
      const found = anyClass(world, random);
      if (found === undefined) return undefined;
      const { team, name } = found;
      deleteClass(world.cluster, team, name);
      if (team.classes.has(name)) return undefined;
      const isTaken = writeClass(world.cluster, team, drawClass(random, { namespace: team.namespace, name, vault: team.vault }));
      return isTaken ? `${team.namespace}/${name} is made anew, another one` : `${team.namespace}/${name} is deleted`;
    },
  },
  {
    name: "delete a class",
    weight: 1,
    act: (world, random) => {
      const found = anyClass(world, random);
      if (found === undefined || found.team.classes.size < 3) return undefined;
      deleteClass(world.cluster, found.team, found.name);
      return found.team.classes.has(found.name) ? undefined : `${found.team.namespace}/${found.name} is deleted`;
    },
  },
  {
    name: "write a new class",
    weight: 2,
    act: (world, random) => {
      const team = anyTeam(world, random);
      if (team.classes.size >= team.mostClasses) return undefined;
      const name = `later-${random.below(1_000_000)}`;
      const isTaken = writeClass(world.cluster, team, drawClass(random, { namespace: team.namespace, name, vault: team.vault }));
      return isTaken ? `${team.namespace}/${name} is new` : undefined;
    },
  },
  {
    name: "ask for a refresh",
    weight: 1,
    act: (world, random) => {
      const found = anyClass(world, random);
      if (found === undefined) return undefined;
      const where = `${CLASSES}/namespaces/${found.team.namespace}/secretproviderclasses/${found.name}`;
      const body = { metadata: { annotations: { "keyvault-injector.dev/refresh": `${random.below(1e9)}` } } };
      const { status } = world.cluster.request("PATCH", where, body, { contentType: MERGE_PATCH, user: "author" });
      return status < 300 ? `${found.team.namespace}/${found.name} is to be refreshed` : undefined;
    },
  },
  {
    name: "edit a Secret",
    weight: 2,
    act: (world, random) => {
      const secret = anySecret(world, random);
      if (secret === undefined) return undefined;
      const body = { data: { [`key-object-${random.below(12)}`]: Buffer.from("somebody's").toString("base64") } };
      const { status } = world.cluster.request("PATCH", `/api/v1/namespaces/${secret.namespace}/secrets/${secret.name}`, body, {
        contentType: MERGE_PATCH,
        user: "editor",
      });
      return status < 300 ? `${secret.namespace}/${secret.name} is edited` : undefined;
    },
  },
  {
    name: "delete a Secret",
    weight: 2,
    act: (world, random) => {
      const secret = anySecret(world, random);
      if (secret === undefined) return undefined;
      const { status } = world.cluster.request("DELETE", `/api/v1/namespaces/${secret.namespace}/secrets/${secret.name}`, undefined, {
        user: "editor",
      });
      return status < 300 ? `${secret.namespace}/${secret.name} is deleted by somebody` : undefined;
    },
  },
  ...podOperations,
  ...workloadOperations,
  ...shardOperations,
  ...greedyOperations,
  ...eventOperations,
  ...controlOperations,
];

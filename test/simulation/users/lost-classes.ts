/**
 * Authors whose class was lost with its CRD before the worker had time to copy it. Only they, or their deployment tool, can reapply the
 * class. The worker itself restores the classes that it had time to copy. The reverse also happens: if an author deletes a class while the
 * worker cannot write, the worker later restores it from the remaining copy, and the author deletes it again.
 */
import { isEqual, type JsonObject, objectAt, stringAt } from "../api/json.ts";
import { CLASS_CRD } from "../faults/cluster.ts";
import { MINUTE } from "../faults/fault.ts";
import { CLUSTER, namespaceScope, troublesOf } from "../invariants/path-health.ts";
import type { Random } from "../time/random.ts";
import { deleteClass, writeClass } from "../world/authors.ts";
import type { WantedClass } from "../world/classes.ts";
import type { Team } from "../world/team.ts";
import type { World } from "../world/world.ts";

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io";
const OF_CLASS = "keyvault-injector.dev/class";
const SIGNATURE = "keyvault-injector.dev/signature";

/**
 * Time in which the worker copies a new class if everything works. It is no longer than the time that other invariants allow for a class's
 * first Secrets.
 */
const COPIED_WITHIN_MS = 3 * MINUTE;

/** Time in which a restored class exists again. The CRD and the API server can be away for long. */
const BACK_WITHIN_MS = 60 * MINUTE;

/** Time between two tries of an author, because the CRD can still be away. */
const AGAIN_MS = { least: 0.5 * MINUTE, most: 3 * MINUTE };

/** Starts these reactions of authors in the world. */
export function applyLostClasses(world: World): void {
  const random = world.random.fork("lost classes");
  troublesOf(world);
  /** Time at which each class was last deleted, by `namespace/name`; virtual milliseconds. */
  const deletedAt = new Map<string, number>();
  world.onWrite(({ resource, namespace = "", name, verb, isDryRun }) => {
    if (verb !== "delete" || isDryRun) return;
    if (resource === CLASSES) deletedAt.set(`${namespace}/${name}`, world.scheduler.now);
    if (resource !== DEFINITIONS || name !== CLASS_CRD) return;
    for (const team of world.teams) {
      for (const wanted of lostIn(world, team)) applyLater(world, { team, wanted, random });
      for (const className of revenantsIn(world, team, deletedAt))
        deleteLater(world, { team, className, random, until: world.scheduler.now + BACK_WITHIN_MS });
    }
  });
}

/** Returns the time since `since` in which the worker could do its work for the team. */
function healthyMs(world: World, { namespace }: Team, since: number): number {
  return troublesOf(world).healthyMs([CLUSTER, namespaceScope(namespace)], since, world.scheduler.now);
}

function lostIn(world: World, team: Team): readonly WantedClass[] {
  return [...team.classes.values(), ...team.mounted.values()].filter(
    (wanted) => healthyMs(world, team, team.writtenAt.get(wanted.name) ?? 0) < COPIED_WITHIN_MS && isWithoutCopy(world, wanted),
  );
}

/** Returns the names of deleted classes that still have a copy. */
function revenantsIn(world: World, team: Team, deletedAt: ReadonlyMap<string, number>): readonly string[] {
  return copiedIn(world, team).filter((name) => {
    const hadMs = healthyMs(world, team, deletedAt.get(`${team.namespace}/${name}`) ?? 0);
    return !isWanted(team, name) && hadMs < COPIED_WITHIN_MS;
  });
}

function isWanted({ classes, mounted }: Team, name: string): boolean {
  return classes.has(name) || mounted.has(name);
}

function copiedIn({ cluster: { server } }: World, { namespace }: Team): readonly string[] {
  const copies = server.objects("controllerrevisions.apps").map((revision) => objectAt(revision, "metadata"));
  const ofTeam = copies.filter((metadata) => stringAt(metadata, "namespace") === namespace);
  return [...new Set(ofTeam.flatMap((metadata) => stringAt(objectAt(metadata, "annotations"), OF_CLASS) ?? []))];
}

interface Revenant {
  readonly team: Team;
  readonly className: string;
  readonly random: Random;
  /** Virtual milliseconds. */
  readonly until: number;
}

/** Deletes the class when it exists again, unless its author wants a class of that name by then. */
function deleteLater(world: World, revenant: Revenant): void {
  const { team, className, random, until } = revenant;
  world.scheduler.schedule(random.between(AGAIN_MS.least, AGAIN_MS.most), () => {
    if (isWanted(team, className) || world.scheduler.now > until) return;
    const { cluster } = world;
    if (cluster.server.object(CLASSES, className, team.namespace) === undefined) return deleteLater(world, revenant);
    deleteClass(cluster, team, className);
    world.report(`${team.namespace}/${className} is deleted again: it came back by a copy that could not be removed in time`);
  });
}

/** Whether the worker has no copy of the class in its current state. */
function isWithoutCopy({ cluster: { server } }: World, { namespace, name }: WantedClass): boolean {
  const live = server.object(CLASSES, name, namespace);
  // The class was lost earlier, when this function already decided about it.
  if (live === undefined) return false;
  // The previous copy may exist as well, until the worker deletes it.
  return !server.objects("controllerrevisions.apps").some((revision) => {
    const metadata = objectAt(revision, "metadata");
    const isOfClass = stringAt(metadata, "namespace") === namespace && stringAt(objectAt(metadata, "annotations"), OF_CLASS) === name;
    return isOfClass && isBelieved(metadata) && isCopy(objectAt(revision, "data"), live);
  });
}

/**
 * Whether workers believe the copy. They ignore one whose time of signature is far from that of its creation, which a leader with a wrong
 * clock leaves behind if it never receives the answer to its create.
 */
function isBelieved(metadata: JsonObject): boolean {
  const saved = /^v2:(\d+):/.exec(stringAt(objectAt(metadata, "annotations"), SIGNATURE) ?? "")?.[1];
  return Math.abs(Date.parse(stringAt(metadata, "creationTimestamp") ?? "") - Number(saved)) <= MINUTE;
}

function isCopy(copy: JsonObject, live: JsonObject): boolean {
  const metadata = objectAt(live, "metadata");
  const annotations = objectAt(metadata, "annotations");
  return copy["uid"] === metadata["uid"] && isEqual(objectAt(copy, "annotations"), annotations) && isEqual(copy["spec"], live["spec"]);
}

interface Loss {
  readonly team: Team;
  readonly wanted: WantedClass;
  readonly random: Random;
}

/** Applies the class until the API server accepts it, unless the author wants another class by then. */
function applyLater(world: World, loss: Loss): void {
  const { team, wanted, random } = loss;
  world.scheduler.schedule(random.between(AGAIN_MS.least, AGAIN_MS.most), () => {
    if ((team.classes.get(wanted.name) ?? team.mounted.get(wanted.name)) !== wanted) return;
    const isTaken = writeClass(world.cluster, team, wanted);
    if (isTaken) world.report(`${team.namespace}/${wanted.name} is applied again: it was lost before there was a copy of it`);
    else applyLater(world, loss);
  });
}

/**
 * Authors whose class went with its CRD before the worker had time to keep a copy of it. Nobody but they can bring it back: they, or their
 * deployment tool, apply it again. A class that the worker had time to copy is the worker's to restore, and nobody helps it. So it is the other
 * way round: a class that was deleted while the worker could not write comes back with its CRD by the copy that is left, and is deleted again.
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

/** In which the worker, if all works, has a copy of whatever was written: no more than other invariants give a class's first Secrets. */
const COPIED_WITHIN_MS = 3 * MINUTE;

/** In which what comes back with its CRD is there: the CRD may be away for long, and so may the API server. */
const BACK_WITHIN_MS = 60 * MINUTE;

/** Between two tries of an author: the CRD may still be away. */
const AGAIN_MS = { least: 0.5 * MINUTE, most: 3 * MINUTE };

/** From now on, in this world. */
export function applyLostClasses(world: World): void {
  const random = world.random.fork("lost classes");
  troublesOf(world);
  /** When each class was deleted last, by `namespace/name`; virtual milliseconds. */
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

/** For so long since then the worker could do its work, as far as the team is concerned. */
function healthyMs(world: World, { namespace }: Team, since: number): number {
  return troublesOf(world).healthyMs([CLUSTER, namespaceScope(namespace)], since, world.scheduler.now);
}

function lostIn(world: World, team: Team): readonly WantedClass[] {
  return [...team.classes.values(), ...team.mounted.values()].filter(
    (wanted) => healthyMs(world, team, team.writtenAt.get(wanted.name) ?? 0) < COPIED_WITHIN_MS && isWithoutCopy(world, wanted),
  );
}

/** Names of the classes that were deleted, of which there is a copy still. */
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

/** Once it is there again, unless its author wants one of that name by then. */
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

/** Of this very class, as it is. */
function isWithoutCopy({ cluster: { server } }: World, { namespace, name }: WantedClass): boolean {
  const live = server.object(CLASSES, name, namespace);
  // It went before, and what became of it was decided then.
  if (live === undefined) return false;
  // The one before may be there as well, until the worker has removed it.
  return !server.objects("controllerrevisions.apps").some((revision) => {
    const metadata = objectAt(revision, "metadata");
    const isOfClass = stringAt(metadata, "namespace") === namespace && stringAt(objectAt(metadata, "annotations"), OF_CLASS) === name;
    return isOfClass && isCopy(objectAt(revision, "data"), live);
  });
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

/** Until it is taken, unless the author wants something else by then. */
function applyLater(world: World, loss: Loss): void {
  const { team, wanted, random } = loss;
  world.scheduler.schedule(random.between(AGAIN_MS.least, AGAIN_MS.most), () => {
    if ((team.classes.get(wanted.name) ?? team.mounted.get(wanted.name)) !== wanted) return;
    const isTaken = writeClass(world.cluster, team, wanted);
    if (isTaken) world.report(`${team.namespace}/${wanted.name} is applied again: it was lost before there was a copy of it`);
    else applyLater(world, loss);
  });
}

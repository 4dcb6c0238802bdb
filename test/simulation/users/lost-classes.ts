/**
 * Authors whose class went with its CRD before the worker had time to keep a copy of it. Nobody but they can bring it back: they, or their
 * deployment tool, apply it again. A class that the worker had time to copy is the worker's to restore, and nobody helps it.
 */
import { isEqual, type JsonObject, objectAt, stringAt } from "../api/json.ts";
import { CLASS_CRD } from "../faults/cluster.ts";
import { MINUTE } from "../faults/fault.ts";
import { CLUSTER, namespaceScope, troublesOf } from "../invariants/path-health.ts";
import type { Random } from "../time/random.ts";
import { writeClass } from "../world/authors.ts";
import type { WantedClass } from "../world/classes.ts";
import type { Team, World } from "../world/world.ts";

const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io";
const OF_CLASS = "keyvault-injector.dev/class";

/** In which the worker, if all works, has a copy of whatever was written: no more than other invariants give a class's first Secrets. */
const COPIED_WITHIN_MS = 3 * MINUTE;

/** Between two tries of an author: the CRD may still be away. */
const AGAIN_MS = { least: 0.5 * MINUTE, most: 3 * MINUTE };

/** From now on, in this world. */
export function applyLostClasses(world: World): void {
  const random = world.random.fork("lost classes");
  const troubles = troublesOf(world);
  world.onWrite(({ resource, name, verb, isDryRun }) => {
    if (resource !== DEFINITIONS || name !== CLASS_CRD || verb !== "delete" || isDryRun) return;
    for (const team of world.teams) {
      const scopes = [CLUSTER, namespaceScope(team.namespace)];
      for (const wanted of [...team.classes.values(), ...team.mounted.values()]) {
        const hadMs = troubles.healthyMs(scopes, team.writtenAt.get(wanted.name) ?? 0, world.scheduler.now);
        if (hadMs < COPIED_WITHIN_MS && isWithoutCopy(world, wanted)) applyLater(world, { team, wanted, random });
      }
    }
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
    if (isTaken) world.tell(`${team.namespace}/${wanted.name} is applied again: it was lost before there was a copy of it`);
    else applyLater(world, loss);
  });
}

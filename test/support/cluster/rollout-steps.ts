import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import type { Secret } from "../../../src/domain/kubernetes.ts";
import { eventually } from "../time/eventually.ts";
import {
  classOf,
  classPath,
  createClass,
  eventsOf,
  find,
  mergePatch,
  opaque,
  reasonIs,
  type SyncWorld,
  secretPath,
  statusOf,
} from "../worker/sync-world.ts";
import { createWorkload, isReady, recordedStampOf, restartStampOf, type WorkloadFacts } from "./workloads.ts";

/** A class with one object of the vault, synced into a Secret with the class's name. */
export interface Mirrored {
  readonly namespace: string;
  readonly name: string;
  readonly object: string;
}

/** Actions of users and of the vault on workloads that request restarts, and checks of their effects. */
export interface RolloutSteps {
  /** Creates the class, in a new namespace unless one is given. */
  mirrored(name?: string, namespace?: string): Promise<Mirrored>;
  /** Creates a new version in the vault, and waits for it in the Secret. Resolves in a later second. */
  rotate(mirrored: Mirrored): Promise<void>;
  /** Creates a workload with ready pods, which are older than every later rotation. */
  running(facts: Omit<WorkloadFacts, "namespace">, mirrored: Mirrored): Promise<WorkloadFacts>;
  isRestarted(facts: WorkloadFacts): Promise<boolean>;
  restarted(facts: WorkloadFacts): Promise<boolean>;
  recorded(facts: WorkloadFacts): Promise<string>;
  /** Waits for an event, and resolves with its message. */
  reported(facts: WorkloadFacts, reason: string): Promise<string>;
  /** Waits for the condition, and resolves with its message. */
  rotatedIs(mirrored: Mirrored, reason: string): Promise<string>;
}

export function rolloutSteps(world: SyncWorld): RolloutSteps {
  const isRestarted = async (facts: WorkloadFacts): Promise<boolean> => (await restartStampOf(world.plane, facts)) !== undefined;
  return {
    mirrored: async (name = "db", namespace) => {
      const object = await world.object(`first-${name}`);
      const place = { namespace: namespace ?? (await world.namespace()), name };
      await createClass(world.plane, classOf(world, { ...place, objects: [object], secretObjects: [opaque(name, object)] }));
      await reasonIs(world.plane, place, "Synced");
      return { ...place, object };
    },
    rotate: (mirrored) => rotate(world, mirrored),
    running: async (facts, { namespace }) => {
      const all = { ...facts, namespace };
      await createWorkload(world.plane, all);
      await eventually(() => isReady(world.plane, all), { what: `ready pods of ${facts.name}` });
      return all;
    },
    isRestarted,
    restarted: (facts) => eventually(() => isRestarted(facts), { what: `the restart of ${facts.name}` }),
    recorded: (facts) => eventually(() => recordedStampOf(world.plane, facts), { what: `the record of ${facts.name}` }),
    reported: (facts, reason) =>
      eventually(async () => (await eventsOf(world.plane, facts)).find((event) => event.reason === reason)?.message, {
        what: `${reason} of ${facts.name}`,
      }),
    rotatedIs: ({ namespace, name }, reason) =>
      eventually(
        async () => {
          const condition = (await statusOf(world.plane, namespace, name))?.conditions.find(({ type }) => type === "Rotated");
          return condition?.reason === reason ? condition.message : undefined;
        },
        { what: `Rotated=${reason} of ${name}` },
      ),
  };
}

async function rotate(world: SyncWorld, { namespace, name, object }: Mirrored): Promise<void> {
  const objectsOf = async () =>
    (await find<Secret>(world.plane, secretPath(namespace, name)))?.metadata.annotations?.[SECRET_ANNOTATIONS.objects];
  const before = await objectsOf();
  await world.emulator.rotateSecret({ vault: world.vault, name: object, value: `rotated-${Date.now()}` });
  const refresh = { metadata: { annotations: { [CLASS_ANNOTATIONS.refresh]: String(Date.now()) } } };
  await mergePatch(world.plane, classPath(namespace, name), refresh);
  await eventually(async () => (await objectsOf()) !== before, { what: "the rotated Secret" });
}

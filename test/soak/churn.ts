import { setTimeout as pause } from "node:timers/promises";
import { POD_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { ANNOTATIONS, pod, shell } from "../e2e/support/workloads.ts";
import type { Random } from "../support/fixtures/random.ts";
import { eventually } from "../support/time/eventually.ts";
import { type Deletion, definitionUid, PASSING } from "./deletions.ts";
import { MANAGER, NAMESPACE, type SoakWorld } from "./world.ts";

/** Events of the storm other than the faults. */
export interface Counts {
  rotations: number;
  classesMade: number;
  classesEdited: number;
  /** Deletions of existing classes. */
  readonly deletions: Deletion[];
  podsReady: number;
  /** Creations that the final check rejected while the injector was unavailable. Each was repeated. */
  podsDenied: number;
}

export const noCounts = (): Counts => ({ rotations: 0, classesMade: 0, classesEdited: 0, deletions: [], podsReady: 0, podsDenied: 0 });

export interface Churn {
  readonly world: SoakWorld;
  readonly random: Random;
  readonly counts: Counts;
  /** Aborted at the end of the storm. */
  readonly over: AbortSignal;
}

const MOST_CLASSES = 10;
const MOST_PODS = 6;
const MOUNTED = "/mnt/secrets-store";
/** Maximum time in milliseconds: a pod may meet several faults one after the other. */
const READY_WITHIN = 150_000;

/** Repeats the step until the storm is over. If a fault stops a step (for example, without an API server), the next one continues. */
async function every(milliseconds: number, { over }: Churn, step: () => Promise<void>): Promise<void> {
  while (!over.aborted) {
    await step().catch(() => undefined);
    await pause(milliseconds, undefined, { signal: over }).catch(() => undefined);
  }
}

export function rotateAtRandom(churn: Churn): Promise<void> {
  const { world, random, counts } = churn;
  return every(2_000, churn, async () => {
    await world.cell.rotate(random.pick(world.cell.names));
    counts.rotations += 1;
  });
}

/** Creates classes in addition to those of the start. Deletes all of them at the end. */
export async function changeClassesAtRandom(churn: Churn): Promise<void> {
  const { world, random, counts } = churn;
  const { kube, cell, signal } = world;
  const mine = new Set<string>();
  const objects = (): readonly string[] => [...new Set([1, 2, 3].map(() => random.pick(cell.names)))];
  const remove = async (name: string): Promise<void> => {
    const [at, under] = [performance.now(), await definitionUid(world)];
    const wasThere = await kube.delete(RESOURCES.secretProviderClasses, { namespace: NAMESPACE, name }, {}, signal);
    mine.delete(name);
    if (!wasThere) return;
    const after = await definitionUid(world).catch(() => undefined);
    counts.deletions.push({ name, at, isUnderOneDefinition: under !== undefined && under === after });
  };
  await every(3_000, churn, async () => {
    const known = mine.size === 0 ? undefined : random.pick([...mine]);
    if (known === undefined || (mine.size < MOST_CLASSES && random.chance(0.5))) {
      const name = random.unique(PASSING);
      // Add the name before the class exists: if a fault loses the answer to the creation, the class exists nevertheless.
      mine.add(name);
      await kube.create<SecretProviderClass>(RESOURCES.secretProviderClasses, world.classWith(name, objects()), MANAGER, signal);
      counts.classesMade += 1;
    } else if (random.chance(0.5)) {
      const { spec } = world.classWith(known, objects());
      await kube.mergePatch(RESOURCES.secretProviderClasses, { namespace: NAMESPACE, name: known }, { spec }, MANAGER, signal);
      counts.classesEdited += 1;
    } else {
      await remove(known);
    }
  });
  for (const name of mine)
    await eventually(() => remove(name).then(() => true), { within: 60_000, every: 1_000, what: `the end of class ${name}` });
}

/** Creates pods that read a secret and end, several at a time. */
export async function runPodsAtRandom(churn: Churn): Promise<void> {
  const seat = async (): Promise<void> => {
    while (!churn.over.aborted) await onePod(churn, churn.random.unique("passing"));
  };
  await Promise.all(Array.from({ length: MOST_PODS }, seat));
}

async function onePod(churn: Churn, name: string): Promise<void> {
  const { world, random, counts, over } = churn;
  const { cell, kube, signal } = world;
  const [object, staysMs] = [random.pick(cell.names), random.integer(5_000, 20_000)];
  const provider = `class-${Math.floor(cell.names.indexOf(object) / 5)}`;
  const before = cell.mark().get(object) ?? 0;
  await created(churn, name, podOf(name, provider, `${MOUNTED}/${object}`));
  const read = async (): Promise<string> => {
    const file = ["exec", `--namespace=${NAMESPACE}`, name, "--", "cat", `${MOUNTED}/${object}`];
    return world.node.kubectl(file);
  };
  try {
    const value = await eventually(read, { within: READY_WITHIN, every: 1_000, what: `pod ${name} with its secret` });
    // A reader may see a version before the writer knows that it exists.
    await eventually(() => versionsSince(churn, object, before).includes(value), {
      within: 2_000,
      what: `a version of ${object} that pod ${name} can have read`,
    });
    counts.podsReady += 1;
    await pause(staysMs, undefined, { signal: over }).catch(() => undefined);
  } finally {
    await eventually(() => kube.delete(RESOURCES.pods, { namespace: NAMESPACE, name }, {}, signal).then(() => true), {
      within: 60_000,
      every: 1_000,
    });
  }
}

function versionsSince({ world: { cell } }: Churn, object: string, first: number): readonly string[] {
  const last = cell.mark().get(object) ?? first;
  return Array.from({ length: last - first + 1 }, (_, index) => cell.valueAt(object, first + index) ?? []).flat();
}

/** Creates the object like a controller, repeatedly until the API server admits it. */
async function created({ world: { kube, signal }, counts }: Churn, name: string, body: Parameters<typeof kube.create>[1]): Promise<void> {
  const attempt = async (): Promise<boolean> => {
    try {
      await kube.create(RESOURCES.pods, body, MANAGER, signal);
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : "";
      if (why.includes("already exists")) return true; // The answer to an earlier attempt was lost.
      if (why.includes("the injector was unavailable")) counts.podsDenied += 1;
      throw error;
    }
  };
  await eventually(attempt, { within: READY_WITHIN, every: 1_000, what: `the admission of pod ${name}` });
}

function podOf(name: string, provider: string, file: string) {
  const annotations = { ...ANNOTATIONS, [POD_ANNOTATIONS.secretProviderClass]: provider };
  const script = `cat ${file}; trap 'exit 0' TERM; sleep 10000 & wait`;
  const made = pod(name, { containers: [shell("reader", script)], annotations }) as { metadata: object }; // `pod` creates the metadata.
  return { ...made, apiVersion: "v1", kind: "Pod", metadata: { ...made.metadata, name, namespace: NAMESPACE } };
}

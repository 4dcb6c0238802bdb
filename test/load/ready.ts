/**
 * Measures how long the status of a class still shows the answer to the previous edit. Checks that a client never reads that answer if it
 * waits as the reference page describes.
 *
 *   node test/load/ready.ts [--edits 500] [--tries 100] [--classes 20]
 *
 * Needs KUBEBUILDER_ASSETS. Exits with code 1 if the 99th percentile is a second or more, or if a wait by generation read an
 * older answer. Also exits with code 1 if no bare wait read one, because the test then proves nothing.
 */
import { parseArgs } from "node:util";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { objectKey } from "../../src/domain/object-key.ts";
import type { SecretProviderClassSync } from "../../src/domain/sync/stored-status.ts";
import { ABSENT, classNaming, editClass, waitForCondition, waitForGeneration } from "../support/cluster/edited-class.ts";
import { kubeAccess } from "../support/cluster/kube-access.ts";
import { eventually } from "../support/time/eventually.ts";
import { createClass, find, type Place, type SyncWorld, startSyncWorld } from "../support/worker/sync-world.ts";
import { percentile } from "./webhook/load.ts";

const { values } = parseArgs({
  options: {
    edits: { type: "string", default: "500" },
    tries: { type: "string", default: "100" },
    classes: { type: "string", default: "20" },
  },
});
const [edits, tries, classes] = [Number(values.edits), Number(values.tries), Number(values.classes)];
/** Limit on the reference page for a bare wait, in milliseconds for the 99th percentile. */
const PROMISE_MS = 1_000;
/** Number of parallel tries, each on its own class. */
const LANES = 4;

interface Statuses {
  /** Resolves with the milliseconds of `performance.now` at which the status first described this generation of its class. */
  answered(place: Place, generation: number): Promise<number>;
  stop(): Promise<void>;
}

/** Watches the statuses with the administrator's client. */
async function watchStatuses(world: SyncWorld): Promise<Statuses> {
  const ended = new AbortController();
  const access = kubeAccess(world.plane.kubeconfigPath);
  const seen = new Map<string, number>();
  const reflector = access.watcher().reflect<number>(
    {
      resource: RESOURCES.secretProviderClassSyncs,
      project: (object) => (object as SecretProviderClassSync).status?.observedClassGeneration ?? 0, // An object of the watched kind.
      onChange: (ref, { current = 0 }) => {
        const key = `${objectKey(ref)} ${current}`;
        if (!seen.has(key)) seen.set(key, performance.now());
      },
    },
    ended.signal,
  );
  await reflector.synced(AbortSignal.timeout(60_000));
  return {
    answered: (place, generation) =>
      eventually(() => seen.get(`${objectKey(place)} ${generation}`), { what: `an answer about ${place.name}`, every: 5, within: 60_000 }),
    stop: async () => {
      ended.abort();
      await access.config.close();
    },
  };
}

interface Subject {
  readonly place: Place;
  readonly object: string;
}

/** Creates synced classes in a namespace. */
async function manyClasses(world: SyncWorld): Promise<readonly Subject[]> {
  const namespace = await world.namespace();
  const subjects: Subject[] = [];
  for (let index = 0; index < classes; index += 1) {
    const subject = { place: { namespace, name: `class-${index}` }, object: await world.object(`value-${index}`) };
    await createClass(world.plane, classNaming(world, subject.place, subject.object));
    subjects.push(subject);
  }
  for (const { place } of subjects) await eventually(() => isReady(world, place), { what: `${place.name} to be ready`, within: 60_000 });
  return subjects;
}

async function isReady(world: SyncWorld, { namespace, name }: Place): Promise<boolean> {
  const where = `/apis/keyvault-injector.dev/v1alpha1/namespaces/${namespace}/secretproviderclasssyncs/${name}`;
  const found = await find<SecretProviderClassSync>(world.plane, where);
  return found?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/**
 * Returns the milliseconds from the answer to each edit until the status describes it, sorted. Half of the edits fail, and half of them
 * correct the failure.
 */
async function measureWindows(world: SyncWorld, subjects: readonly Subject[]): Promise<readonly number[]> {
  const statuses = await watchStatuses(world);
  const windows: number[] = [];
  for (let index = 0; index < edits; index += 1) {
    const { place, object } = nth(subjects, index);
    const generation = await editClass(world, place, Math.floor(index / subjects.length) % 2 === 0 ? ABSENT : object);
    const edited = performance.now();
    windows.push(Math.max(0, (await statuses.answered(place, generation)) - edited));
  }
  await statuses.stop();
  return windows.sort((a, b) => a - b);
}

/** Returns how many waits for `Ready` succeed right after an edit that fails, because they read the answer to the previous edit. */
async function staleAnswers(world: SyncWorld, subjects: readonly Subject[], isByGeneration: boolean): Promise<number> {
  let [begun, stale] = [0, 0];
  const lane = async (subject: Subject): Promise<void> => {
    while (begun < tries) {
      begun += 1;
      if (await isStaleRead(world, subject, isByGeneration)) stale += 1;
    }
  };
  await Promise.all(subjects.slice(0, LANES).map(lane));
  return stale;
}

async function isStaleRead(world: SyncWorld, { place, object }: Subject, isByGeneration: boolean): Promise<boolean> {
  await waitForGeneration(world.plane, place, await editClass(world, place, object));
  await waitForCondition(world.plane, place, "Ready");
  const failing = await editClass(world, place, ABSENT);
  if (isByGeneration) await waitForGeneration(world.plane, place, failing);
  return waitForCondition(world.plane, place, "Ready", "1s").then(
    () => true,
    (error: unknown) => {
      if (/timed out/.test(String(error))) return false;
      throw error;
    },
  );
}

function nth(subjects: readonly Subject[], index: number): Subject {
  const subject = subjects[index % subjects.length];
  if (subject === undefined) throw new Error("--classes must be at least 1");
  return subject;
}

const world = await startSyncWorld();
try {
  await world.product.start("sync", { within: 60_000 });
  const subjects = await manyClasses(world);
  const windows = await measureWindows(world, subjects);
  const [p50, p99, longest] = [percentile(windows, 0.5), percentile(windows, 0.99), windows.at(-1) ?? 0];
  console.log(`an edit's answer: p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms after it, of ${edits} edits of ${classes} classes`);
  const stale = await staleAnswers(world, subjects, true);
  console.log(`kubectl wait for observedClassGeneration, then for Ready: ${stale} of ${tries} read an older answer`);
  const bare = await staleAnswers(world, subjects, false);
  console.log(`kubectl wait for Ready alone, at once: ${bare} of ${tries} read an older answer`);
  const isGood = p99 < PROMISE_MS && stale === 0 && bare > 0;
  console.log(isGood ? "ready: passed" : "ready: failed");
  process.exitCode = isGood ? 0 : 1;
} finally {
  await world.stop();
}

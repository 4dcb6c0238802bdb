import { CLASS_ANNOTATIONS, SECRET_ANNOTATIONS } from "../../domain/annotations.ts";
import { mirrorTargets } from "../../domain/grants/mirror-targets.ts";
import { keyOf, objectKey, refOfKey } from "../../domain/object-key.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { KubeWatcher } from "../../domain/ports/kube-watcher.ts";
import type { ObservedSecret } from "../../domain/sync/observed-secret.ts";
import { WorkQueue } from "../../runtime/workqueue.ts";
import type { HeldClasses } from "../classes/held-classes.ts";
import type { StatusStore } from "../classes/status-store.ts";
import type { Fingerprints } from "../fingerprints.ts";
import type { CrdHealth } from "../healing/crd-health.ts";
import { patiently, RETRIES } from "../patience.ts";
import type { ProcessParts } from "../process-parts.ts";
import { COPY_MARKS, startSecretStore } from "../secrets/secret-store.ts";
import type { WorkerSettings } from "../worker-settings.ts";
import { CopyPace } from "./copy-pace.ts";
import type { CopyCaches } from "./observe-copies.ts";
import { type CopyPorts, reconcileCopies } from "./reconcile-copies.ts";

/**
 * Number of classes whose copies are written concurrently. Each holds the values of one Secret and, for a moment, those of a copy in
 * memory, at most 1 MiB each. One namespace gets at most half of this number.
 */
const WORKERS = 8;

/** Delay until the next attempt while not all copies are listed (milliseconds). */
const UNLISTED_MS = 1_000;

export interface CopiesOptions {
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  readonly settings: WorkerSettings;
  readonly install: CopyCaches["install"];
  readonly process: ProcessParts;
}

/** Live copies and stores for the classes whose Secrets are copied. */
export interface CopiedClasses extends Pick<CopyCaches, "secrets"> {
  readonly classes: Pick<HeldClasses, "get" | "list">;
  readonly statuses: Pick<StatusStore, "get" | "update">;
  readonly pods: Pick<CopyCaches, "consumers" | "grants">;
  readonly crdHealth: CrdHealth;
}

/** Copies of classes' Secrets in other namespaces, with a queue of their own, keyed by the class. */
export interface Copies {
  /** Call this when the class (`namespace/name`) or one of its Secrets has changed. */
  noteClass(classKey: string): void;
  /** Call this when the consent of the Namespace has changed. */
  noteNamespace(namespace: string): void;
  /** Reconciles copies until the signal aborts. */
  run(live: CopiedClasses, signal: AbortSignal): Promise<void>;
}

export function startCopies(options: CopiesOptions, signal: AbortSignal): Copies {
  const { watcher, fingerprints, install, process } = options;
  const noted = new Set<string>();
  const pace = new CopyPace();
  let running: { readonly live: CopiedClasses; readonly queue: WorkQueue } | undefined;
  const noteClass = (key: string): void => {
    if (!install.shard.serves(refOfKey(key).namespace)) return;
    if (running === undefined) noted.add(key);
    else if (isAbout(running.live, key)) running.queue.add(key);
  };
  const copies = startSecretStore({ watcher, fingerprints, logger: process.logger, onChange: noteClass, marks: COPY_MARKS }, signal);
  /** Whether the class wants or has copies, or had some. Most classes have none, and cost nothing here. */
  const isAbout = ({ classes, statuses }: CopiedClasses, key: string): boolean => {
    const ref = refOfKey(key);
    const isNamed = classes.get(ref)?.metadata.annotations?.[CLASS_ANNOTATIONS.mirrorTo] !== undefined;
    return isNamed || copies.ofClass(key).length > 0 || statuses.get(ref)?.copies !== undefined || pace.has(key);
  };
  return {
    noteClass,
    noteNamespace: (namespace) => {
      const named = running?.live.classes.list().filter((spc) => mirrorTargets(spc).namespaces.includes(namespace)) ?? [];
      const there = copies.list().filter(({ ref }) => ref.namespace === namespace);
      for (const key of new Set([...named.map(keyOf), ...there.flatMap((copy) => COPY_MARKS.classKeyOf(copy) ?? [])])) noteClass(key);
    },
    run: async (live, runSignal) => {
      const logger = process.logger.child({ queue: "copies" });
      const ports = { ...portsOf({ ...options, process: { ...process, logger } }, live, copies), pace };
      const queue = new WorkQueue({
        workers: WORKERS,
        sharing: { of: (key) => ({ tenant: refOfKey(key).namespace, backend: undefined }), perBackend: WORKERS },
        backoff: RETRIES,
        clock: process.clock,
        logger,
        random: process.random,
        handle: async (key, handleSignal) => {
          if (!copies.hasSynced) return { kind: "requeueAfter", milliseconds: UNLISTED_MS };
          return patiently(() => reconcileCopies(ports, key, handleSignal));
        },
      });
      running = { live, queue };
      for (const key of noted) noteClass(key);
      noted.clear();
      await queue.run(runSignal);
    },
  };
}

function portsOf(options: CopiesOptions, live: CopiedClasses, copies: CopyCaches["copies"]): Omit<CopyPorts, "pace"> {
  const { kube, fingerprints, settings, install, process } = options;
  const { metrics, events, clock, logger } = process;
  const { classes, secrets, statuses, pods, crdHealth } = live;
  // Includes the place of the Secret, so that the mark does not reveal that two Secrets have equal content.
  const markOf = ({ ref, annotations }: ObservedSecret): string =>
    fingerprints.ofRecord(["source of copies", objectKey(ref), annotations[SECRET_ANNOTATIONS.content] ?? ""]);
  return {
    writing: { kube, fingerprints, logger, crdHealth, written: (action) => metrics.secretWrites.inc({ action }) },
    events,
    clock,
    statuses,
    caches: { settings, install, classes, secrets, copies, ...pods, markOf },
  };
}

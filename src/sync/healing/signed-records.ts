import { SNAPSHOT_LABEL } from "../../domain/annotations.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import { WorkQueue } from "../../runtime/workqueue.ts";
import type { Fingerprints } from "../fingerprints.ts";
import { patiently, RETRIES } from "../patience.ts";
import type { ProcessParts } from "../process-parts.ts";
import { heldRecord, KnownRecords } from "./known-records.ts";
import { type HeldRecord, RecordIndex } from "./record-index.ts";
import { RecordWriter } from "./record-writer.ts";
import type { ControllerRevision, RecordKind } from "./stored-record.ts";

/**
 * Records in ControllerRevisions, each signed with the install's own key. The worker ignores and reports forged, copied and foreign
 * records.
 */
export interface SignedRecords<T> {
  readonly hasSynced: boolean;
  /** Returns the newest trusted record of the key. */
  get(key: string): T | undefined;
  /** Returns the same record as canonical JSON. */
  textOf(key: string): string | undefined;
  keys(): readonly string[];
  save(data: T, signal: AbortSignal): Promise<void>;
  remove(key: string, signal: AbortSignal): Promise<void>;
  /** Signs the records of 0.3.0 again, a few records per second, until the signal aborts. */
  renew(signal: AbortSignal): Promise<void>;
}

export interface SignedRecordsOptions<T> {
  readonly kind: RecordKind<T>;
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  readonly process: Pick<ProcessParts, "clock" | "logger" | "random">;
  /** Namespace of all the records; every namespace if not set. */
  readonly namespace?: string;
  readonly onChange: (key: string) => void;
}

/** Pause in milliseconds between two records that the worker signs again: 10,000 records take half an hour, at ten writes per second. */
const RENEWAL_MS = 200;

export function startSignedRecords<T>(options: SignedRecordsOptions<T>, signal: AbortSignal): SignedRecords<T> {
  const { kind, kube, watcher, fingerprints, process, namespace, onChange } = options;
  const { clock, logger } = process;
  const index = new RecordIndex();
  const known = new KnownRecords<T>({ kind, fingerprints, logger, index });
  const writer = new RecordWriter<T>({ kind, kube, fingerprints, clock });
  const deleteAll = async (records: readonly HeldRecord[], deleteSignal: AbortSignal): Promise<void> => {
    for (const stored of records) {
      const { ref, uid } = stored;
      await kube.delete(RESOURCES.controllerRevisions, ref, uid === "" ? {} : { uid }, deleteSignal);
      // The watch delivers no event for a record that appears and disappears between two lists, so remove the record from the index here.
      index.remove(stored);
    }
  };
  const save = async (data: T, saveSignal: AbortSignal): Promise<void> => {
    const stored = heldRecord(await writer.write(data, index.newest(kind.keyOf(data))?.saved ?? 0, saveSignal));
    const older = index.all(stored.key).filter((candidate) => candidate.ref.name !== stored.ref.name);
    // The watch shows the record a moment later, but the next reconcile must already see it.
    index.add(stored);
    await deleteAll(older, saveSignal);
  };
  const renewals = renewalQueue(process, { index, save });
  const reflector: Reflector<HeldRecord> = watcher.reflect<HeldRecord>(
    {
      resource: RESOURCES.controllerRevisions,
      ...(namespace === undefined ? {} : { namespace }),
      labelSelector: `${SNAPSHOT_LABEL}=${kind.label}`,
      project: (object) => known.held(object as ControllerRevision), // The watch reads this resource only.
      onChange: (_ref, { previous, current }) => {
        if (previous !== undefined) index.remove(previous);
        if (current !== undefined) index.add(current);
        if (current !== undefined && isFormer(current)) renewals.add(current.key);
        const key = (current ?? previous)?.key;
        if (key !== undefined) onChange(key);
      },
    },
    signal,
  );

  return {
    get hasSynced() {
      return reflector.hasSynced;
    },
    get: (key) => {
      const text = index.newest(key)?.text;
      return text === undefined ? undefined : (JSON.parse(text) as T); // The text was made from a T.
    },
    textOf: (key) => index.newest(key)?.text,
    keys: () => index.keys(),
    save,
    remove: (key, removeSignal) => deleteAll(index.all(key), removeSignal),
    renew: (renewSignal) => renewals.run(renewSignal),
  };
}

interface Renewing<T> {
  readonly index: RecordIndex;
  readonly save: (data: T, signal: AbortSignal) => Promise<void>;
}

/**
 * Returns the queue that signs trusted records again, with unchanged content. If a class changes in the meantime, its own reconcile saves
 * it, and that signature is the latest.
 */
function renewalQueue<T>({ clock, random, logger }: SignedRecordsOptions<T>["process"], { index, save }: Renewing<T>): WorkQueue {
  return new WorkQueue({
    workers: 1,
    backoff: RETRIES,
    clock,
    logger: logger.child({ queue: "records" }),
    random,
    handle: (key, signal) =>
      patiently(async () => {
        const newest = index.newest(key);
        if (newest === undefined || !isFormer(newest)) return { kind: "done" };
        await save(JSON.parse(newest.text) as T, signal); // The text was made from a T.
        await clock.sleep(RENEWAL_MS, signal);
        return { kind: "done" };
      }),
  });
}

const isFormer = ({ saved }: HeldRecord): boolean => saved === 0;

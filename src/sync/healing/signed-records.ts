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

/** Records in ControllerRevisions, each signed with the install's own key. A forged, copied or foreign one is ignored and reported. */
export interface SignedRecords<T> {
  readonly hasSynced: boolean;
  /** The newest trustworthy record of the key. */
  get(key: string): T | undefined;
  /** The same as canonical JSON. */
  textOf(key: string): string | undefined;
  keys(): readonly string[];
  save(data: T, signal: AbortSignal): Promise<void>;
  remove(key: string, signal: AbortSignal): Promise<void>;
  /** Signs anew what 0.3.0 signed, a few records a second, until the signal aborts. */
  renew(signal: AbortSignal): Promise<void>;
}

export interface SignedRecordsOptions<T> {
  readonly kind: RecordKind<T>;
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly fingerprints: Fingerprints;
  readonly process: Pick<ProcessParts, "clock" | "logger" | "random">;
  /** Where all of them lie; every namespace where not given. */
  readonly namespace?: string;
  readonly onChange: (key: string) => void;
}

/** Between two records that are signed anew (milliseconds): 10,000 of them take half an hour, at ten writes a second. */
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
      // One that came and went between two lists makes no event: forgotten here, it never speaks for its object again.
      index.remove(stored);
    }
  };
  const save = async (data: T, saveSignal: AbortSignal): Promise<void> => {
    const stored = heldRecord(await writer.write(data, index.newest(kind.keyOf(data))?.saved ?? 0, saveSignal));
    const older = index.all(stored.key).filter((candidate) => candidate.ref.name !== stored.ref.name);
    // The watch shows it a moment later; until then the next reconcile must already see it.
    index.add(stored);
    await deleteAll(older, saveSignal);
  };
  const renewals = renewalQueue(process, { index, save });
  const reflector: Reflector<HeldRecord> = watcher.reflect<HeldRecord>(
    {
      resource: RESOURCES.controllerRevisions,
      ...(namespace === undefined ? {} : { namespace }),
      labelSelector: `${SNAPSHOT_LABEL}=${kind.label}`,
      project: (object) => known.held(object as ControllerRevision), // Read by its resource.
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
      return text === undefined ? undefined : (JSON.parse(text) as T); // Made from one.
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

/** What is believed is signed as it is. A class that changes meanwhile is saved by its own reconcile, and signed last. */
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
        await save(JSON.parse(newest.text) as T, signal); // Made from one.
        await clock.sleep(RENEWAL_MS, signal);
        return { kind: "done" };
      }),
  });
}

const isFormer = ({ saved }: HeldRecord): boolean => saved === 0;

import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { type SignedRecords, startSignedRecords } from "../../src/sync/healing/signed-records.ts";
import type { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";
import type { RevisionServer } from "./revision-server.ts";

export const NOTES_KEY = new Uint8Array(32).fill(3);

/** The smallest data that the worker can sign. */
export interface Note {
  readonly namespace: string;
  readonly name: string;
  readonly content: string;
}

/** A kind of record. The data does not contain the kind. */
export const noteKind = (label = "true") => ({
  label,
  prefix: "test",
  keyOf: ({ name }: Note) => name,
  namespaceOf: ({ namespace }: Note) => namespace,
  annotationsOf: () => ({}),
  revisionOf: () => 1,
  warnForged: () => undefined,
  isSound: () => true,
});

export interface NotesOptions {
  readonly clock: ManualClock;
  readonly kind?: ReturnType<typeof noteKind>;
  /** Time in Unix milliseconds until which signatures of version 0.3.0 are valid. */
  readonly formerUntil?: number;
}

/** Starts a process that reads and writes notes. It knows only the state of the API server. */
export function startNotes(
  server: RevisionServer,
  { clock, kind = noteKind(), formerUntil = Number.POSITIVE_INFINITY }: NotesOptions,
  signal: AbortSignal,
): SignedRecords<Note> {
  return startSignedRecords<Note>(
    {
      kind,
      kube: server.kube as KubeClient, // Signed records make no other calls.
      watcher: server.watcher,
      fingerprints: createFingerprints(NOTES_KEY, formerUntil),
      process: { clock, random: () => 0, logger: recordingLogger() },
      onChange: () => undefined,
    },
    signal,
  );
}

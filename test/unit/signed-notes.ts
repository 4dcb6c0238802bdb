import type { KubeClient } from "../../src/domain/ports/kube-client.ts";
import { createFingerprints } from "../../src/sync/fingerprints.ts";
import { type SignedRecords, startSignedRecords } from "../../src/sync/healing/signed-records.ts";
import type { ManualClock } from "../support/time/manual-clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";
import type { RevisionServer } from "./revision-server.ts";

export const NOTES_KEY = new Uint8Array(32).fill(3);

/** The least that can be signed. */
export interface Note {
  readonly namespace: string;
  readonly name: string;
  readonly content: string;
}

/** A kind whose data says nothing about which kind it is. */
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
  /** Unix milliseconds until which what 0.3.0 signed is believed. */
  readonly formerUntil?: number;
}

/** A process that reads and writes them, with nothing but what the API server has. */
export function startNotes(
  server: RevisionServer,
  { clock, kind = noteKind(), formerUntil = Number.POSITIVE_INFINITY }: NotesOptions,
  signal: AbortSignal,
): SignedRecords<Note> {
  return startSignedRecords<Note>(
    {
      kind,
      kube: server.kube as KubeClient, // Records take no other call.
      watcher: server.watcher,
      fingerprints: createFingerprints(NOTES_KEY, formerUntil),
      process: { clock, random: () => 0, logger: recordingLogger() },
      onChange: () => undefined,
    },
    signal,
  );
}

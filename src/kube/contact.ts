import { formatDuration } from "../domain/duration.ts";
import { type Clock, monotonicClock } from "../domain/ports/clock.ts";

/** A token that was just renewed, or an API server that restarts, is refused or silent for moments (milliseconds). */
const REFUSED_MS = 120_000;
const SILENT_MS = 60_000;

/** What the process hears of the API server, over all its clients and watches. */
export interface ApiContact {
  /** Every HTTP status, refusals among them. */
  noteAnswer(status: number): void;
  /** No answer came. */
  noteSilence(): void;
  /**
   * Why nothing can be done with the API server at the moment, undefined where it can. A restart of the process changes neither: the kubelet
   * keeps the token of a pod until four fifths of its time are over, also where the ServiceAccount was made anew meanwhile.
   */
  problem(): string | undefined;
}

export function createApiContact(given: Clock): ApiContact {
  const clock = monotonicClock(given);
  let refusedSince: number | undefined;
  let silentSince: number | undefined;
  const since = (moment: number | undefined): number => (moment === undefined ? 0 : clock.now() - moment);
  return {
    noteAnswer: (status) => {
      silentSince = undefined;
      refusedSince = status === 401 ? (refusedSince ?? clock.now()) : undefined;
    },
    noteSilence: () => {
      silentSince ??= clock.now();
    },
    problem: () => {
      const [refused, silent] = [since(refusedSince), since(silentSince)];
      if (silent > SILENT_MS) return `no answer from the API server for ${formatDuration(seconds(silent))}`;
      if (refused <= REFUSED_MS) return undefined;
      return `the API server has rejected our token for ${formatDuration(seconds(refused))} (401): the ServiceAccount was deleted and recreated, or the token is no longer valid. The kubelet renews it within an hour; delete this pod to get a new one now`;
    },
  };
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000) * 1_000;
}

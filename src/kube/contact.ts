import { formatDuration } from "../domain/duration.ts";
import { type Clock, monotonicClock } from "../domain/ports/clock.ts";

/**
 * Limits in milliseconds. The API server may reject a token that was just renewed, and does not respond while it restarts; both last only
 * moments.
 */
const REFUSED_MS = 120_000;
const SILENT_MS = 60_000;

/** Record of the API server's responses to all clients and watches of the process. */
export interface ApiContact {
  /** Call this for every HTTP status, including rejections. */
  noteAnswer(status: number): void;
  /** Call this if a request gets no response. */
  noteSilence(): void;
  /**
   * Reason why the process cannot use the API server at the moment; undefined if it can. A restart of the process does not help: the
   * kubelet keeps the token of a pod until four fifths of the token's lifetime are over, even if the ServiceAccount was recreated in the
   * meantime.
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

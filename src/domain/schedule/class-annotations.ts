import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { formatDuration, parseDuration } from "../duration.ts";
import { mirrorTargets } from "../grants/mirror-targets.ts";
import type { SecretProviderClass } from "../kubernetes.ts";

/** `while-used`: synced while a pod mounts the class, and for a grace period afterwards. */
export const SYNC_MODES = ["always", "while-used", "never"] as const;

export type SyncMode = (typeof SYNC_MODES)[number];

/** Returns the class's mode, otherwise the setting. An unknown mode is ignored; {@link syncModeProblem} reports it. */
export function syncMode(provider: SecretProviderClass, otherwise: SyncMode): SyncMode {
  return statedSyncMode(provider) ?? otherwise;
}

/** Returns the mode in the class's annotation; undefined if the annotation is missing or unknown. */
export function statedSyncMode({ metadata }: SecretProviderClass): SyncMode | undefined {
  const stated = metadata.annotations?.[CLASS_ANNOTATIONS.sync];
  return SYNC_MODES.find((mode) => mode === stated);
}

export function syncModeProblem(provider: SecretProviderClass): string | undefined {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.sync];
  if (stated === undefined || SYNC_MODES.some((mode) => mode === stated)) return undefined;
  return `annotation ${CLASS_ANNOTATIONS.sync}: ${JSON.stringify(stated.slice(0, 40))} is unknown; write always, while-used or never`;
}

const MINIMUM_MS = 10_000;

/**
 * Returns the milliseconds between two polls of the class. For an invalid annotation, returns the default; {@link pollIntervalProblem}
 * reports the reason.
 */
export function pollInterval(provider: SecretProviderClass, otherwise: number): number {
  const text = provider.metadata.annotations?.[CLASS_ANNOTATIONS.rotationPollInterval];
  const parsed = text === undefined ? undefined : parseDuration(text);
  return parsed?.ok === true && parsed.value >= MINIMUM_MS ? parsed.value : otherwise;
}

export function pollIntervalProblem(provider: SecretProviderClass): string | undefined {
  const key = CLASS_ANNOTATIONS.rotationPollInterval;
  const text = provider.metadata.annotations?.[key];
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  if (!parsed.ok) return `annotation ${key}: ${parsed.error}`;
  return parsed.value < MINIMUM_MS ? `annotation ${key}: ${text} is below 10s; write 10s or more` : undefined;
}

/** Returns the milliseconds without a successful check after which the class is stale; undefined without a valid annotation. */
export function maxStale(provider: SecretProviderClass): number | undefined {
  const text = provider.metadata.annotations?.[CLASS_ANNOTATIONS.maxStale];
  const parsed = text === undefined ? undefined : parseDuration(text);
  return parsed?.ok === true && parsed.value > 0 ? parsed.value : undefined;
}

/** `interval`: milliseconds between two checks of the class; undefined if polling is off. */
export function maxStaleProblem(provider: SecretProviderClass, interval: number | undefined): string | undefined {
  const key = CLASS_ANNOTATIONS.maxStale;
  const text = provider.metadata.annotations?.[key];
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  if (!parsed.ok) return `annotation ${key}: ${parsed.error}`;
  if (interval === undefined) return `annotation ${key}: rotation is turned off, so nothing is checked regularly; remove the annotation`;
  if (parsed.value > interval) return undefined;
  return `annotation ${key}: ${text} is not longer than the ${formatDuration(interval)} between two checks; write more`;
}

/** Returns the problems in the annotations of a class, for which the defaults apply. `interval`: as for {@link maxStaleProblem}. */
export function annotationProblems(provider: SecretProviderClass, interval: number | undefined): readonly string[] {
  const all = [syncModeProblem(provider), pollIntervalProblem(provider), maxStaleProblem(provider, interval)];
  const { problems } = mirrorTargets(provider);
  return [...all, ...problems].filter((problem) => problem !== undefined);
}

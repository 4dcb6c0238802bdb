import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { formatDuration, parseDuration } from "../duration.ts";
import type { SecretProviderClass } from "../kubernetes.ts";

/** Milliseconds without a successful check after which the class is stale; undefined without a usable annotation. */
export function maxStale(provider: SecretProviderClass): number | undefined {
  const text = provider.metadata.annotations?.[CLASS_ANNOTATIONS.maxStale];
  const parsed = text === undefined ? undefined : parseDuration(text);
  return parsed?.ok === true && parsed.value > 0 ? parsed.value : undefined;
}

/** `interval`: milliseconds between two checks of the class; undefined where nothing is polled. */
export function maxStaleProblem(provider: SecretProviderClass, interval: number | undefined): string | undefined {
  const key = CLASS_ANNOTATIONS.maxStale;
  const text = provider.metadata.annotations?.[key];
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  if (!parsed.ok) return `annotation ${key}: ${parsed.error}`;
  if (interval === undefined) return `annotation ${key}: rotation is switched off, so that nothing is checked regularly; remove it`;
  if (parsed.value > interval) return undefined;
  return `annotation ${key}: ${text} is not longer than the ${formatDuration(interval)} between two checks; write more`;
}

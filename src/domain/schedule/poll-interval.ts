import { CLASS_ANNOTATIONS } from "../annotations.ts";
import { parseDuration } from "../duration.ts";
import type { SecretProviderClass } from "../kubernetes.ts";

const MINIMUM_MS = 10_000;

/** Milliseconds between two polls of the class. An unusable annotation leaves the default; {@link pollIntervalProblem} says why. */
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

import { CLASS_ANNOTATIONS } from "../annotations.ts";
import type { SecretProviderClass } from "../kubernetes.ts";

export type SyncMode = "always" | "never";

const MODES: readonly string[] = ["always", "never"];

/** The class's word, else the setting. An unknown word leaves the setting; {@link syncModeProblem} says so. */
export function syncMode(provider: SecretProviderClass, otherwise: SyncMode): SyncMode {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.sync];
  return stated === "always" || stated === "never" ? stated : otherwise;
}

export function syncModeProblem(provider: SecretProviderClass): string | undefined {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.sync];
  if (stated === undefined || MODES.includes(stated)) return undefined;
  if (stated === "while-used") return `annotation ${CLASS_ANNOTATIONS.sync}: while-used is not in this version; write always or never`;
  return `annotation ${CLASS_ANNOTATIONS.sync}: ${JSON.stringify(stated.slice(0, 40))} is unknown; write always or never`;
}

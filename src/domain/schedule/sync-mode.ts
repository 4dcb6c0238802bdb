import { CLASS_ANNOTATIONS } from "../annotations.ts";
import type { SecretProviderClass } from "../kubernetes.ts";

/** `while-used`: mirrored while a pod mounts the class, and for a grace afterwards. */
export const SYNC_MODES = ["always", "while-used", "never"] as const;

export type SyncMode = (typeof SYNC_MODES)[number];

/** The class's word, else the setting. An unknown word leaves the setting; {@link syncModeProblem} says so. */
export function syncMode(provider: SecretProviderClass, otherwise: SyncMode): SyncMode {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.sync];
  return SYNC_MODES.find((mode) => mode === stated) ?? otherwise;
}

/** By the word of the class's author, whatever the setting is. */
export function isSwitchedOffByAuthor({ metadata }: SecretProviderClass): boolean {
  return metadata.annotations?.[CLASS_ANNOTATIONS.sync] === "never";
}

export function syncModeProblem(provider: SecretProviderClass): string | undefined {
  const stated = provider.metadata.annotations?.[CLASS_ANNOTATIONS.sync];
  if (stated === undefined || SYNC_MODES.some((mode) => mode === stated)) return undefined;
  return `annotation ${CLASS_ANNOTATIONS.sync}: ${JSON.stringify(stated.slice(0, 40))} is unknown; write always, while-used or never`;
}

import { assertNever } from "../domain/assert-never.ts";

/** Type of a setting of a process. */
export type SettingKind =
  | { readonly kind: "boolean" }
  | { readonly kind: "text" }
  | { readonly kind: "cloud" }
  | { readonly kind: "port" }
  /** From 1 to `most`; default 9,999. */
  | { readonly kind: "count"; readonly most?: number }
  | { readonly kind: "duration"; readonly minimumMs: number; readonly maximumMs?: number }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** Times when restarts can begin. */
  | { readonly kind: "window" }
  | { readonly kind: "list"; readonly choices?: readonly string[] }
  /** Queues that receive the events of vaults. */
  | { readonly kind: "eventQueues" }
  /** `every` is a word that means all namespaces. */
  | { readonly kind: "namespaces"; readonly every?: string };

type BoundedKind = Extract<SettingKind, { readonly kind: "count" | "duration" | "port" }>;

/** Smallest and largest value, inclusive. Of a duration, in milliseconds. */
export interface SettingBounds {
  readonly least: number;
  readonly most: number | undefined;
}

/** Both the processes and the chart check these bounds, so that the chart renders no value that a process refuses. */
export function boundsOf(type: BoundedKind): SettingBounds {
  switch (type.kind) {
    case "count":
      return { least: 1, most: type.most ?? 9_999 };
    case "duration":
      return { least: type.minimumMs, most: type.maximumMs };
    case "port":
      return { least: 0, most: 65_535 };
    default:
      return assertNever(type);
  }
}

/** The two processes that run in the cluster. */
export const PROCESSES = ["webhook", "sync"] as const;
export type Process = (typeof PROCESSES)[number];

export interface Setting {
  /** Process that uses the setting. The other one accepts it, too, so that both can be given one list. */
  readonly usedBy: Process | "both";
  readonly type: SettingKind;
  /** As a user would write it. */
  readonly default: string;
  /** One sentence for `--help` and the reference page. */
  readonly help: string;
  /** Another environment variable that supplies the default, such as one that the downward API sets. */
  readonly environment?: string;
}

/** Returns the environment variable of a flag. */
export function environmentNameOf(name: string): string {
  return `KEYVAULT_INJECTOR_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** What a setting of a process is. */

export type SettingKind =
  | { readonly kind: "boolean" }
  | { readonly kind: "text" }
  | { readonly kind: "cloud" }
  | { readonly kind: "port" }
  /** From 1 to `most`, or 9,999. */
  | { readonly kind: "count"; readonly most?: number }
  | { readonly kind: "duration"; readonly minimumMs: number }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** When restarts may begin. */
  | { readonly kind: "window" }
  | { readonly kind: "list"; readonly choices?: readonly string[] }
  /** Queues that events of vaults come from. */
  | { readonly kind: "eventQueues" }
  /** `every`: a word for all of them. */
  | { readonly kind: "namespaces"; readonly every?: string };

/** The two that run in the cluster. */
export const PROCESSES = ["webhook", "sync"] as const;
export type Process = (typeof PROCESSES)[number];

export interface Setting {
  /** Which process does anything with it; the other one takes it all the same, so that both may be given one list. */
  readonly usedBy: Process | "both";
  readonly type: SettingKind;
  /** As the user would write it. */
  readonly default: string;
  /** One sentence for `--help` and the reference page. */
  readonly help: string;
  /** Other environment variable that supplies the default, set by the downward API. */
  readonly environment?: string;
}

/** Environment variable of a flag. */
export function environmentNameOf(name: string): string {
  return `KEYVAULT_INJECTOR_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Type of a setting of a process. */

export type SettingKind =
  | { readonly kind: "boolean" }
  | { readonly kind: "text" }
  | { readonly kind: "cloud" }
  | { readonly kind: "port" }
  /** From 1 to `most`; default 9,999. */
  | { readonly kind: "count"; readonly most?: number }
  | { readonly kind: "duration"; readonly minimumMs: number }
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  /** Times when restarts can begin. */
  | { readonly kind: "window" }
  | { readonly kind: "list"; readonly choices?: readonly string[] }
  /** Queues that receive the events of vaults. */
  | { readonly kind: "eventQueues" }
  /** `every` is a word that means all namespaces. */
  | { readonly kind: "namespaces"; readonly every?: string };

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

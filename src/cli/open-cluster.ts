import type { Cluster } from "./cluster.ts";
import { accessOf, type CommandContext, CommandFailure } from "./command.ts";
import type { OptionValues } from "./options.ts";

export interface OpenedCluster {
  /** Undefined: the files are all that is known. */
  readonly cluster: Cluster | undefined;
  readonly notes: readonly string[];
}

/** For commands that files are enough for. A kubeconfig or context that was named has to be there; without any, that is said. */
export async function openIfConfigured(context: CommandContext, options: OptionValues): Promise<OpenedCluster> {
  if (options.offline !== undefined) return { cluster: undefined, notes: [] };
  const access = accessOf(options);
  const isNamed = access.kubeconfig !== undefined || access.context !== undefined;
  try {
    return { cluster: await context.openCluster(access), notes: [] };
  } catch (error) {
    if (isNamed || !(error instanceof CommandFailure)) throw error;
    return { cluster: undefined, notes: [`note: no cluster is asked, as with --offline: ${error.message}`] };
  }
}

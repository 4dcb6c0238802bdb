import type { Cluster } from "./cluster.ts";
import { type CommandContext, CommandFailure } from "./command.ts";
import { type OptionValues, valueOf } from "./options.ts";

export interface OpenedCluster {
  /** Undefined: the files are all that is known. */
  readonly cluster: Cluster | undefined;
  readonly notes: readonly string[];
}

/** For commands that files are enough for. A kubeconfig that was named has to be there; without any, that is said. */
export async function openIfConfigured(context: CommandContext, options: OptionValues): Promise<OpenedCluster> {
  if (options.offline !== undefined) return { cluster: undefined, notes: [] };
  const kubeconfig = valueOf(options, "kubeconfig");
  if (kubeconfig !== undefined) return { cluster: await context.openCluster(kubeconfig), notes: [] };
  try {
    return { cluster: await context.openCluster(""), notes: [] };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { cluster: undefined, notes: [`note: no cluster is asked, as with --offline: ${error.message}`] };
  }
}

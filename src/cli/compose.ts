import type { Logger } from "../domain/ports/logger.ts";
import type { ReachHost } from "../domain/reach.ts";
import { systemClock } from "../runtime/clock.ts";
import { type AzureSurroundings, azureSurroundings } from "../runtime/config.ts";
import { writeNotes, writeOutput } from "../runtime/standard-output.ts";
import { createSteadyClock } from "../runtime/steady-clock.ts";
import { type TokenProxySettings, tokenProxyPlace } from "../runtime/token-proxy-place.ts";
import { runProgram } from "./program.ts";
import {
  type AzureAccess,
  type Cluster,
  type ClusterAccess,
  type CommandContext,
  CommandFailure,
  EXIT,
  type Shipped,
} from "./shared/command.ts";
import { createInputs } from "./shared/manifest-files.ts";
import { createProgress, NO_PROGRESS } from "./shared/terminal.ts";

/** Runs the command line, and returns its exit code. */
export async function runCli(argv: readonly string[], shipped: Shipped): Promise<number> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new CommandFailure("stopped")));
  const { stderr } = process;
  const progress = stderr.isTTY ? createProgress({ write: (text) => stderr.write(text), columns: stderr.columns }) : NO_PROGRESS;
  const context: CommandContext = {
    shipped,
    // hasColors() honours NO_COLOR, FORCE_COLOR, and TERM.
    terminal: {
      hasColour: process.stdout.isTTY && process.stdout.hasColors(),
      reportProgress: progress.report,
      print,
    },
    inputs: createInputs({ proxy: () => surroundings().proxy, signal: stop.signal }),
    openCluster: (access) => openCluster(access, shipped.version),
    openAzure,
    openReach,
    clock: systemClock,
    signal: stop.signal,
  };
  const { code, output, notes } = await runProgram(argv, context).finally(progress.end);
  await writeNotes(notes.map((note) => `${note}\n`).join(""));
  const unwritten = await writeOutput(output);
  if (unwritten === undefined) return code;
  await writeNotes(`${shipped.program}: ${unwritten}\n`);
  return EXIT.unusable;
}

async function print(text: string): Promise<void> {
  const unwritten = await writeOutput(text);
  if (unwritten !== undefined) throw new CommandFailure(unwritten);
}

/** Opens the cluster. The Kubernetes library takes half of the start-up time, and commands that read only files do not load it. */
export async function openCluster(access: ClusterAccess, version: string): Promise<Cluster> {
  const [{ createKubeClient }, { loadKubeConfig }, { createServerClock }] = await Promise.all([
    import("../kube/client.ts"),
    import("../kube/load-config.ts"),
    import("../kube/server-clock.ts"),
  ]);
  const config = named(() => loadKubeConfig(access));
  const serverClock = createServerClock(systemClock);
  const client = { userAgent: `keyvault-injector-cli/${version}`, serverClock };
  const kube = createKubeClient(config, client);
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace;
  return {
    kube,
    namespace: namespace === undefined || namespace === "" ? "default" : namespace,
    server: `${config.getCurrentCluster()?.server ?? ""} of context ${config.getCurrentContext()}`,
    actAs: async (user) => {
      const acting = loadKubeConfig(access);
      acting.impersonate(user);
      return { kube: createKubeClient(acting, client), close: () => acting.close() };
    },
    offsetMs: () => serverClock.offsetMs(),
    watcher: async () => {
      const { createKubeWatcher } = await import("../kube/reflector.ts");
      return createKubeWatcher(config, { ...client, clock: createSteadyClock(), logger: SILENT, random: Math.random });
    },
    close: () => config.close(),
  };
}

/** Logs nothing: commands report failures in their own words. */
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

/** Loads the Azure SDKs only for commands that query a vault, because they take tens of megabytes. */
export async function openAzure(settings?: TokenProxySettings): Promise<AzureAccess> {
  const { proxy, isInCluster, servicePort } = surroundings();
  const [{ createVaultClients }, { createEventQueues }, reach] = await Promise.all([
    import("../azure/vault-clients.ts"),
    import("../azure/event-queues.ts"),
    openReach(),
  ]);
  const vaults = createVaultClients({ proxy, tokenProxy: settings && tokenProxyPlace(settings, servicePort) });
  return { vaults, queues: createEventQueues({ proxy }), reach, isInCluster };
}

export async function openReach(): Promise<ReachHost> {
  const { proxy } = surroundings();
  const { createReachHost } = await import("../tls/reach-host.ts");
  return createReachHost({ proxy });
}

function surroundings(): AzureSurroundings {
  const read = azureSurroundings();
  if (!read.ok) throw new CommandFailure(read.error);
  return read.value;
}

/** Turns an error in a kubeconfig into a failure that the user sees. */
function named<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

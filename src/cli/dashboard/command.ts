import { assertNamespace, installIn } from "../shared/absence.ts";
import { workerSettings } from "../shared/class-context.ts";
import {
  answered,
  type Cluster,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  withCluster,
} from "../shared/command.ts";
import { namespaceWithin, type OptionValues, valueOf } from "../shared/options.ts";
import { workerSettingsInForce } from "../shared/settings-in-force.ts";
import { createViewer } from "../shared/viewer.ts";
import { workerFieldManager } from "../shared/worker-code.ts";
import { followAll } from "./copies.ts";
import { serve } from "./server.ts";
import { createSite, type Site } from "./site.ts";

export const dashboard: Command = {
  name: "dashboard",
  summary: "Show classes, Secrets, versions, and events live in a browser on this machine.",
  usage: "",
  details: [
    "Serves a page on 127.0.0.1 and prints its address. The address contains a secret token: anyone who has the address can see",
    "everything that you can see. Ctrl-C stops the dashboard and invalidates the address.",
    "The page shows classes, their state and remedies, Secrets, keys, versions, uses of objects, uses with an old version, expiry dates,",
    "rotations, restarts, repairs, repeated repairs, and vaults. It watches the cluster and updates live.",
    "The dashboard uses your own permissions, and neither changes nor installs anything. It names the kinds of objects that you cannot",
    "list, reads only the metadata of Secrets, and does not query vaults.",
    "",
    "Exit code: 0 after Ctrl-C; 2 if there is no cluster or the port is in use.",
  ],
  examples: [
    { result: "Show all namespaces", typed: "keyvault-injector dashboard" },
    { result: "Show one namespace, on a fixed port", typed: "keyvault-injector dashboard -n shop --port 8080" },
  ],
  optionHelp: {
    namespace: "Only this namespace. Default: all, or the kubeconfig's namespace for kinds that you cannot list in all namespaces.",
  },
  options: ["namespace", "all-namespaces", "install-namespace", "port", "context", "kubeconfig"],
  arguments: 0,
  run: runDashboard,
};

async function runDashboard(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const port = portIn(input.options);
  return withCluster(input, context, async (cluster) => {
    const ended = new AbortController();
    try {
      await show(input, context, { cluster, port, signal: AbortSignal.any([context.signal, ended.signal]) });
      return answered("");
    } finally {
      ended.abort();
    }
  });
}

interface Showing {
  readonly cluster: Cluster;
  readonly port: number;
  readonly signal: AbortSignal;
}

async function show({ options }: CommandInput, { clock, terminal }: CommandContext, { cluster, port, signal }: Showing): Promise<void> {
  const within = namespaceWithin(options, cluster.namespace);
  const viewer = createViewer(cluster, signal);
  await assertNamespace(viewer, within);
  const install = await installIn(viewer, options);
  const settings = workerSettings(await workerSettingsInForce(viewer, install));
  let site: Site | undefined;
  const watching = { watcher: await cluster.watcher(), clock, within, fallback: cluster.namespace, onNews: () => site?.noteNews(), signal };
  const copies = followAll(watching, { install, settings, worker: await workerFieldManager() });
  const server = await serve((path, query) => site?.render(path, query), port);
  site = createSite({ copies, clock, server: cluster.server, within, onNews: () => server.notify() });
  try {
    await terminal.print(`${server.url}\nPress Ctrl-C to stop.\n`);
    await site.keepSending(signal);
  } finally {
    await server.close();
  }
}

function portIn(options: OptionValues): number {
  const text = valueOf(options, "port");
  if (text === undefined) return 0;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new CommandFailure(`--port: ${JSON.stringify(text)} is not a port; write a number from 1 to 65535`);
}

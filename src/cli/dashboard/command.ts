import { assertNamespace } from "../shared/absence.ts";
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
import { type OptionValues, valueOf } from "../shared/options.ts";
import { installNamespace } from "../shared/resources.ts";
import { workerSettingsInForce } from "../shared/settings-in-force.ts";
import { createViewer } from "../shared/viewer.ts";
import { workerFieldManager } from "../shared/worker-code.ts";
import { followAll } from "./copies.ts";
import { serve } from "./server.ts";
import { createSite, type Site } from "./site.ts";

export const dashboard: Command = {
  name: "dashboard",
  summary: "Show classes, Secrets, versions and what happens to them live in a browser, on this machine alone.",
  usage: "",
  details: [
    "Serves a page on 127.0.0.1 and prints its address. The address has a secret token in it: whoever has it sees what you may see.",
    "Ctrl-C ends the page, and the address with it.",
    "The page shows classes with their state and what to do, Secrets, keys and versions, who uses what and still has an old version,",
    "what expires when, new versions and restarts, repairs and fights, and vaults. It follows the cluster by watches.",
    "It looks with your own rights, changes nothing and installs nothing; it names what you may not list. Of Secrets it asks for the",
    "metadata alone. No vault is asked.",
    "",
    "Exit code: 0 when it is stopped, or 2 where there is no cluster or the port is taken.",
  ],
  optionHelp: {
    namespace: "Show this namespace alone; all where not given, or, for a kind that you may not list in all, the kubeconfig's.",
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
  const within = valueOf(options, "namespace");
  const viewer = createViewer(cluster, signal);
  await assertNamespace(viewer, within);
  const install = installNamespace(options);
  const settings = workerSettings(await workerSettingsInForce(viewer, install));
  let site: Site | undefined;
  const watching = { watcher: await cluster.watcher(), clock, within, fallback: cluster.namespace, onNews: () => site?.noteNews(), signal };
  const copies = followAll(watching, { install, settings, worker: await workerFieldManager() });
  const server = await serve((path, query) => site?.render(path, query), port);
  site = createSite({ copies, clock, server: cluster.server, within, onNews: () => server.notify() });
  try {
    await terminal.print(`${server.url}\nCtrl-C ends it.\n`);
    await site.keepTelling(signal);
  } finally {
    await server.close();
  }
}

function portIn(options: OptionValues): number {
  const text = valueOf(options, "port");
  if (text === undefined) return 0;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new CommandFailure(`--port: ${JSON.stringify(text)} is no port; write a number from 1 to 65535`);
}

import { accessOf, type Command, type CommandContext, CommandFailure, type CommandInput, type CommandResult, EXIT } from "../command.ts";
import { INSTALL_NAMESPACE } from "../install.ts";
import { valueOf } from "../options.ts";
import { type InstallToRemove, prepare, undo } from "./prepare.ts";

export const uninstall: Command = {
  name: "uninstall",
  summary: "Prepare an install for its removal: nothing comes back, and no pod is held up.",
  usage: "--prepare|--undo",
  details: [
    "--prepare marks the install's Namespace, so that the worker heals nothing any more, and removes the binding of the policy that",
    "refuses opted-in pods without their volume. --undo takes both back. Either may be run again. Nothing else is removed: the output",
    "says what stays, and what to run next.",
    "",
    "Exit code: 0, or 2 where it could not be done.",
  ],
  options: ["prepare", "undo", "install-namespace", "context", "kubeconfig"],
  arguments: 0,
  run: runUninstall,
};

async function runUninstall({ options }: CommandInput, context: CommandContext): Promise<CommandResult> {
  const [isPrepared, isUndone] = [options.prepare !== undefined, options.undo !== undefined];
  if (isPrepared === isUndone) throw new CommandFailure("write --prepare, or --undo to take it back");
  const cluster = await context.openCluster(accessOf(options));
  try {
    const install: InstallToRemove = { kube: cluster.kube, namespace: valueOf(options, "install-namespace") ?? INSTALL_NAMESPACE };
    const lines = isPrepared ? await prepare(install, context.signal) : await undo(install, context.signal);
    return { code: EXIT.fine, output: `${lines.join("\n")}\n`, notes: [] };
  } finally {
    await cluster.close();
  }
}

import type { ObjectRef } from "../../domain/kubernetes.ts";
import { counted } from "../../domain/words.ts";
import { assertNamespace, installIn, meant } from "../shared/absence.ts";
import {
  answered,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  formatOf,
  namedClass,
  reportText,
  withCluster,
} from "../shared/command.ts";
import { namespaceWithin } from "../shared/options.ts";
import { type Line, line, padded, paint, shown, verbatim } from "../shared/terminal.ts";
import { createViewer } from "../shared/viewer.ts";
import { workerCode } from "../shared/worker-code.ts";
import {
  compareAll,
  loadFingerprints,
  RESTORE_ACTIONS,
  type Restorable,
  type RestoreAction,
  type Restored,
  readSnapshots,
  restoreClass,
  SNAPSHOT_STATES,
  type SnapshotState,
  type StoredSnapshot,
} from "./snapshots.ts";

const FORMATS = ["text", "json"] as const;

export const restore: Command = {
  name: "restore",
  summary: "List the worker's class snapshots, and restore classes from them. Needed only if healing is turned off.",
  usage: "--list | --all | NAMESPACE/NAME",
  details: [
    "The worker signs its snapshots with a key in the Secret keyvault-injector-sync-key. To verify the signatures, you need permission to",
    "get that Secret. The command reports forged snapshots, but never restores them. It shows how existing classes differ from their",
    "snapshots, and overwrites these classes only with --force. With --dry-run, the API server checks the changes without storing them.",
    "",
    "json prints one report.",
    "Exit code: 0; 1 for a forged snapshot or a class that could not be restored; 2 if the command failed.",
  ],
  examples: [
    { result: "List the snapshots", typed: "keyvault-injector restore --list" },
    {
      result: "Check what restoring a class would change, without storing anything",
      typed: "keyvault-injector restore shop/shop --dry-run",
    },
  ],
  optionHelp: {
    namespace: "With --list or --all: only snapshots in this namespace. With a class: its namespace (default: the kubeconfig's namespace).",
  },
  options: ["namespace", "all-namespaces", "list", "all", "dry-run", "force", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 1,
  argumentsText: "restore takes one class",
  run: runRestore,
};

async function runRestore(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const { options } = input;
  const format = formatOf(options, FORMATS);
  assertOneChoice(input);
  const [word] = input.arguments;
  const named = word === undefined ? undefined : namedClass(word, input);
  return withCluster(input, context, async ({ kube, namespace }) => {
    const viewer = createViewer({ kube }, context.signal);
    const wanted = named?.(namespace);
    const within = wanted?.namespace ?? namespaceWithin(options, namespace);
    await assertNamespace(viewer, within);
    const worker = await workerCode();
    const fingerprints = await loadFingerprints(viewer, worker, await installIn(viewer, options));
    const snapshots = await readSnapshots(viewer, { worker, fingerprints }, within);
    const candidates = await compareAll(viewer, chosen(snapshots, wanted));
    const [isListed, isDryRun] = [options.list !== undefined, options["dry-run"] !== undefined];
    const writing = { kube, worker, isDryRun, isForced: options.force !== undefined, signal: context.signal };
    const results: (Restorable | Restored)[] = [];
    for (const candidate of candidates) results.push(isListed ? candidate.reported : await restoreClass(writing, candidate));
    const output =
      format === "json"
        ? reportText("restore", context.shipped, { isDryRun, classes: results })
        : shown(restoreText(results, isListed, isDryRun), context.terminal);
    return answered(output, results.some(isWrong));
  });
}

function assertOneChoice({ options, arguments: [word] }: CommandInput): void {
  const given = [options.list && "--list", options.all && "--all", word].filter((each) => each !== undefined);
  if (given.length === 0) throw new CommandFailure("specify --list, --all, or one class as NAMESPACE/NAME");
  if (given.length > 1) throw new CommandFailure(`${given.join(" and ")} contradict each other; specify one of them`);
  if (options.list === undefined) return;
  const useless = (["dry-run", "force"] as const).find((name) => options[name] !== undefined);
  if (useless !== undefined) throw new CommandFailure(`--${useless}: --list restores nothing; remove one of the two`);
}

/** Returns the snapshots of the wanted class, including forged ones, which the command reports but does not restore. */
function chosen(snapshots: readonly StoredSnapshot[], wanted: Required<ObjectRef> | undefined): readonly StoredSnapshot[] {
  if (wanted === undefined) return snapshots;
  const found = snapshots.filter(
    ({ revision, className }) => revision.metadata.namespace === wanted.namespace && className === wanted.name,
  );
  if (found.length > 0) return found;
  const near = meant(wanted.name, [...new Set(snapshots.map(({ className }) => className))]);
  const advice = near || "; keyvault-injector restore --list shows all snapshots";
  throw new CommandFailure(`no snapshot of class ${wanted.namespace}/${wanted.name} exists${advice}`);
}

function isWrong(result: Restorable | Restored): boolean {
  return result.state === "forged" || ("action" in result && result.action === "refused");
}

/** Renders a line for each snapshot, with the difference if there is one, and the number of each result. */
function restoreText(results: readonly (Restorable | Restored)[], isListed: boolean, isDryRun: boolean): readonly Line[] {
  const lines = results.flatMap((result) => {
    const word = wordOf(result);
    const taken = result.taken === undefined ? "" : line`, taken ${result.taken}`;
    const head = line`${padded(paint({ ...SNAPSHOT_STATES, ...RESTORE_ACTIONS }[word], word), 11)}  ${result.namespace}/${result.name}: ${result.message} (${result.revision}${taken})`;
    return result.diff === undefined
      ? [head]
      : [
          head,
          ...result.diff
            .trimEnd()
            .split("\n")
            .map((text) => verbatim(text)),
        ];
  });
  return [...lines, ...(lines.length === 0 ? [] : [line``]), line`${summaryOf(results, isListed, isDryRun)}`];
}

function wordOf(result: Restorable | Restored): SnapshotState | RestoreAction {
  return "action" in result ? result.action : result.state;
}

function summaryOf(results: readonly (Restorable | Restored)[], isListed: boolean, isDryRun: boolean): string {
  const counts = Map.groupBy(results, wordOf);
  const reported = [...counts].map(([word, those]) => `${those.length} ${word}`).join(", ");
  if (results.length === 0) return "there are no snapshots";
  if (isListed) return `${counted(results.length, "snapshot")}: ${reported}`;
  return isDryRun ? `${reported}; nothing was changed (--dry-run)` : reported;
}

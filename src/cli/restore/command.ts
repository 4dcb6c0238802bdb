import type { ObjectRef } from "../../domain/kubernetes.ts";
import { counted } from "../../domain/words.ts";
import { assertNamespace } from "../shared/absence.ts";
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
import { valueOf } from "../shared/options.ts";
import { installNamespace } from "../shared/resources.ts";
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
  summary: "List and restore classes from the worker's snapshots, for an install that does not heal them itself.",
  usage: "--list | --all | NAMESPACE/NAME",
  details: [
    "The install's own key, in the Secret keyvault-injector-sync-key, proves that its worker wrote a snapshot: you need permission to",
    "get that Secret. A forged snapshot is reported but never restored. An existing class stays unchanged; --force overwrites it from",
    "the snapshot, and the difference is shown. --dry-run asks the API server and changes nothing.",
    "",
    "json is one report.",
    "Exit code: 0; 1 for a forged snapshot or a class that could not be restored; 2 if the command failed.",
  ],
  optionHelp: {
    namespace: "Snapshots of this namespace alone, of all where not given; of one class: its namespace, else the kubeconfig's.",
  },
  options: ["namespace", "all-namespaces", "list", "all", "dry-run", "force", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  hasJsonReport: true,
  arguments: 1,
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
    await assertNamespace(viewer, wanted?.namespace ?? valueOf(options, "namespace"));
    const worker = await workerCode();
    const fingerprints = await loadFingerprints(viewer, worker, installNamespace(options));
    const snapshots = await readSnapshots(viewer, { worker, fingerprints }, wanted?.namespace ?? valueOf(options, "namespace"));
    const candidates = await compareAll(viewer, chosen(snapshots, wanted));
    const [isListed, isDryRun] = [options.list !== undefined, options["dry-run"] !== undefined];
    const writing = { kube, worker, isDryRun, isForced: options.force !== undefined, signal: context.signal };
    const results: (Restorable | Restored)[] = [];
    for (const candidate of candidates) results.push(isListed ? candidate.told : await restoreClass(writing, candidate));
    const output =
      format === "json"
        ? reportText("restore", context.shipped, { isDryRun, classes: results })
        : shown(restoreText(results, isListed, isDryRun), context.terminal);
    return answered(output, results.some(isWrong));
  });
}

function assertOneChoice({ options, arguments: [word] }: CommandInput): void {
  const given = [options.list !== undefined, options.all !== undefined, word !== undefined].filter(Boolean).length;
  if (given !== 1) throw new CommandFailure("say what to restore: --list, --all, or one class as NAMESPACE/NAME");
  if (options.list === undefined) return;
  const useless = (["dry-run", "force"] as const).find((name) => options[name] !== undefined);
  if (useless !== undefined) throw new CommandFailure(`--${useless}: --list restores nothing; leave it out`);
}

/** A forged snapshot that claims to be of the class is told as well; it does not stand in for one. */
function chosen(snapshots: readonly StoredSnapshot[], wanted: Required<ObjectRef> | undefined): readonly StoredSnapshot[] {
  if (wanted === undefined) return snapshots;
  const found = snapshots.filter(
    ({ revision, className }) => revision.metadata.namespace === wanted.namespace && className === wanted.name,
  );
  if (found.length > 0) return found;
  throw new CommandFailure(
    `there is no snapshot of class ${wanted.namespace}/${wanted.name}; keyvault-injector restore --list shows what there is`,
  );
}

function isWrong(result: Restorable | Restored): boolean {
  return result.state === "forged" || ("action" in result && result.action === "refused");
}

/** A line for each snapshot, with the difference where there is one, and how many came to what. */
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
  const told = [...counts].map(([word, those]) => `${those.length} ${word}`).join(", ");
  if (results.length === 0) return "there are no snapshots";
  if (isListed) return `${counted(results.length, "snapshot")}: ${told}`;
  return isDryRun ? `${told}; nothing was changed (--dry-run)` : told;
}

import { parseDuration } from "../../domain/duration.ts";
import { type ObjectRef, RESOURCES, type SecretProviderClass } from "../../domain/kubernetes.ts";
import { type DriverPace, driverPace, paceText } from "../../domain/refresh/driver-pace.ts";
import { counted } from "../../domain/words.ts";
import { classAbsence, NO_CLASSES_SERVED } from "../shared/absence.ts";
import { mirrorsNothing } from "../shared/class-context.ts";
import {
  type Cluster,
  type Command,
  type CommandContext,
  CommandFailure,
  type CommandInput,
  type CommandResult,
  EXIT,
  formatOf,
  namedClass,
  reportText,
  withCluster,
} from "../shared/command.ts";
import { valueOf } from "../shared/options.ts";
import { installNamespace } from "../shared/resources.ts";
import { workerSettingsInForce } from "../shared/settings-in-force.ts";
import { type Line, line, shown } from "../shared/terminal.ts";
import { createViewer, type Viewer } from "../shared/viewer.ts";
import { objectsReport } from "../where/report.ts";
import { usagesText } from "../where/text.ts";
import { askKubelets, askWorker } from "./ask.ts";
import { driverFacts } from "./driver-facts.ts";
import { type Progress, progressOf, type Refreshing, statusOf, waitForProgress } from "./progress.ts";

const FORMATS = ["text", "wide", "json"] as const;

export const refresh: Command = {
  name: "refresh",
  summary: "Bring the Secrets of a class, and the files in the pods that mount it, up to date now.",
  usage: "CLASS | NAMESPACE/CLASS",
  details: [
    "Annotates the class, which has the worker ask the vault at once. Where the CSI driver is of version 1.6 or later, it annotates the pods",
    "that mount the class too: the kubelet then has the driver look again, which it does for files older than its interval. An earlier",
    "driver cannot be asked: it says how long that takes at most. You need the right to patch the class, and pods.",
    "With --wait it ends when the worker has answered and all pods have the newest version, or when the time is over.",
    "",
    "json is one report.",
    "Exit code: 0, or 1 where --wait ended before all was up to date, or 2 where the command could not do its work.",
  ],
  options: ["namespace", "wait", "timeout", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  optionHelp: { namespace: "Namespace of the class; else the kubeconfig's, else default." },
  hasJsonReport: true,
  arguments: 1,
  run: runRefresh,
};

/** For the worker alone: an answer of the vault takes seconds (milliseconds). */
const WORKER_MS = 60_000;

/** Whoever waits longer than this looks another time (milliseconds). */
const MOST_MS = 3_600_000;

async function runRefresh(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const [word] = input.arguments;
  if (word === undefined) throw new CommandFailure("name the class to refresh, as CLASS or NAMESPACE/CLASS");
  const named = namedClass(word, input);
  const timeoutMs = timeoutIn(input);
  return withCluster(input, context, async (cluster) => {
    const refreshing = await openRefresh(input, cluster, context, named(cluster.namespace));
    const pace = driverPace(await driverFacts(refreshing.viewer));
    const asking = { kube: cluster.kube, signal: context.signal, value: refreshing.value };
    await askWorker(asking, refreshing.ref);
    const before = await progressOf(refreshing);
    const refusals = pace.kind === "republish" ? await askKubelets(asking, refreshing.ref.namespace, before.pods) : [];
    const isWaited = input.options.wait !== undefined;
    const progress = isWaited ? await waitForProgress(refreshing, { pace, withinMs: timeoutMs ?? defaultMs(pace) }) : before;
    const asked = pace.kind === "republish" && refusals.length === 0 ? before.pods.length : 0;
    return result({ refreshing, pace, refusals, progress, asked, isWaited }, input, context);
  });
}

function timeoutIn({ options }: CommandInput): number | undefined {
  const text = valueOf(options, "timeout");
  if (text === undefined) return undefined;
  if (options.wait === undefined) throw new CommandFailure("--timeout: it is for --wait; leave it out, or add --wait");
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new CommandFailure(`--timeout: ${parsed.error}`);
  if (parsed.value > MOST_MS) throw new CommandFailure(`--timeout: ${text} is longer than 1h; write less`);
  return parsed.value;
}

function defaultMs(pace: DriverPace): number {
  return pace.kind === "republish" || pace.kind === "timer" ? pace.atMostMs + WORKER_MS : WORKER_MS;
}

async function openRefresh(
  { options }: CommandInput,
  cluster: Cluster,
  context: CommandContext,
  ref: Required<ObjectRef>,
): Promise<Refreshing> {
  const viewer = createViewer(cluster, context.signal);
  const spc = await classIn(viewer, ref);
  const settings = await workerSettingsInForce(viewer, installNamespace(options));
  const value = new Date(context.clock.now()).toISOString();
  const isFetched = !mirrorsNothing(spc) || (await statusOf(viewer, ref)) !== undefined;
  return { cluster, context, viewer, ref, value, cloudName: settings["cloud-name"] ?? "", isFetched };
}

async function classIn(viewer: Viewer, ref: Required<ObjectRef>): Promise<SecretProviderClass> {
  const look = await viewer.object<SecretProviderClass>(RESOURCES.secretProviderClasses, ref);
  if (look.kind === "seen") return look.value;
  if (look.kind === "unseen") throw new CommandFailure(`${look.why}; ask for the right to get secretproviderclasses`);
  throw new CommandFailure(look.kind === "unserved" ? NO_CLASSES_SERVED : await classAbsence(viewer, ref));
}

interface Refreshed {
  readonly refreshing: Refreshing;
  readonly pace: DriverPace;
  /** Why kubelets were not asked. */
  readonly refusals: readonly string[];
  readonly progress: Progress;
  /** Pods whose kubelets were asked. */
  readonly asked: number;
  readonly isWaited: boolean;
}

function result(refreshed: Refreshed, input: CommandInput, context: CommandContext): CommandResult {
  const { refreshing, pace, progress, asked, isWaited, refusals } = refreshed;
  const format = formatOf(input.options, FORMATS);
  const { ref, value } = refreshing;
  const { isAnswered, isUpToDate, usages, unseen } = progress;
  const fields = {
    class: `${ref.namespace}/${ref.name}`,
    value,
    isAnswered,
    isUpToDate,
    pace,
    asked,
    refusals,
    objects: objectsReport(usages),
    unseen,
  };
  const output =
    format === "json" ? reportText("refresh", context.shipped, fields) : shown(refreshText(refreshed, format === "wide"), context.terminal);
  const notes = [...refusals, ...unseen].map((why) => `note: ${why}`);
  return { code: isWaited && !isUpToDate ? EXIT.found : EXIT.fine, output, notes };
}

function refreshText({ refreshing, pace, progress, asked, isWaited, refusals }: Refreshed, isWide: boolean): readonly Line[] {
  const { ref, isFetched } = refreshing;
  const worker = !isFetched
    ? "the class makes no Secret: there is nothing for the worker to fetch"
    : progress.isAnswered
      ? "the worker has asked the vault, and its Secrets and its status are as that answered"
      : `the worker has been asked${isWaited ? " and has not answered; see keyvault-injector explain" : " (--wait waits for its answer)"}`;
  const kubelets =
    asked > 0
      ? [`the kubelets were asked for ${counted(asked, "pod")}`]
      : refusals.length > 0
        ? ["the kubelets were not asked: the files follow at their next sync"]
        : [];
  const lines = [worker, ...kubelets, ...(progress.pods.length === 0 ? ["no pod mounts the class"] : [paceText(pace)])];
  const usages = progress.usages.length === 0 ? [] : [line``, ...usagesText(progress.usages, { isWide })];
  return [line`refresh of class ${ref.namespace}/${ref.name}`, ...lines.map((each) => line`  ${each}`), ...usages];
}

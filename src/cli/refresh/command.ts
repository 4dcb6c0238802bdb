import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { parseDuration } from "../../domain/duration.ts";
import type { ObjectRef } from "../../domain/kubernetes.ts";
import { type DriverPace, driverPace, paceText } from "../../domain/refresh/driver-pace.ts";
import { counted } from "../../domain/words.ts";
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
import { DEFAULT_CLOUD, installNamespace } from "../shared/resources.ts";
import { lookAtWorkerSettings } from "../shared/settings-in-force.ts";
import { type Line, line, shown } from "../shared/terminal.ts";
import { createViewer, valueIn } from "../shared/viewer.ts";
import { objectsReport } from "../where/report.ts";
import { usagesText } from "../where/text.ts";
import { answerReport, answerText, fetchingOf, isAnswered } from "./answer.ts";
import { askKubelets, askWorker } from "./ask.ts";
import { driverFacts } from "./driver-facts.ts";
import { classIn, lookAtStatus, type Progress, progressOf, type Refreshing, waitForProgress } from "./progress.ts";

const FORMATS = ["text", "wide", "json"] as const;

export const refresh: Command = {
  name: "refresh",
  summary: "Update the Secrets of a class, and the files in the pods that mount it, now.",
  usage: "CLASS | NAMESPACE/CLASS",
  details: [
    "Annotates the class, so that the worker fetches at once. With CSI driver 1.6 or later it also annotates the pods that mount the",
    "class: the kubelet then makes the driver refresh files older than its interval. For an earlier driver it prints the longest wait.",
    "You need permission to patch the class, and pods.",
    "With --wait it ends when the Secrets match the vault and all pods have the newest version, or when the time is over. It waits",
    "while the worker retries. It ends at once if someone must first fix the class, the vault or a permission, and if the",
    "class is switched off, or syncs only while a pod mounts it and none does.",
    "",
    "json is one report.",
    "Exit code: 0; 1 if --wait ended before all was up to date; 2 if the command failed.",
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
    const asking = { kube: cluster.kube, signal: context.signal, value: refreshing.request.value };
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
  const status = valueIn(await lookAtStatus(viewer, ref));
  const settings = await lookAtWorkerSettings(viewer, installNamespace(options));
  const earlier = [spc.metadata.annotations?.[CLASS_ANNOTATIONS.refresh], status?.observedRefresh];
  const request = { value: new Date(context.clock.now()).toISOString(), earlier };
  const cloudName = valueIn(settings)?.["cloud-name"] ?? DEFAULT_CLOUD;
  return { cluster, context, viewer, ref, request, cloudName, fetching: fetchingOf(spc, status, settings) };
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
  const { ref, request } = refreshing;
  const { answer, isUpToDate, usages, unseen } = progress;
  const fields = {
    class: `${ref.namespace}/${ref.name}`,
    value: request.value,
    isAnswered: isAnswered(answer),
    answer: answerReport(answer),
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
  const { ref } = refreshing;
  const worker = answerText(progress.answer, { ref, isWaited });
  const kubelets =
    asked > 0
      ? [`the kubelets were asked for ${counted(asked, "pod")}`]
      : refusals.length > 0
        ? ["the kubelets were not asked: the files follow at their next sync"]
        : [];
  const lines = [
    worker,
    ...kubelets,
    ...(progress.pods.length > 0 ? [paceText(pace)] : progress.answer.kind === "unused" ? [] : ["no pod mounts the class"]),
  ];
  const usages = progress.usages.length === 0 ? [] : [line``, ...usagesText(progress.usages, { isWide })];
  return [line`refresh of class ${ref.namespace}/${ref.name}`, ...lines.map((each) => line`  ${each}`), ...usages];
}

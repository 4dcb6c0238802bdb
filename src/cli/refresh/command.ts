import { CLASS_ANNOTATIONS } from "../../domain/annotations.ts";
import { parseDuration } from "../../domain/duration.ts";
import { CSI_DRIVER } from "../../domain/injection/settings.ts";
import { type ObjectRef, RESOURCES, type Resource } from "../../domain/kubernetes.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import { syncDefect } from "../../domain/preflight/class-defect.ts";
import { type DriverPace, driverPace } from "../../domain/refresh/driver-pace.ts";
import { conditionOf } from "../../domain/sync/class-status.ts";
import { installIn } from "../shared/absence.ts";
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
import { type CsiDriver, driverFacts, readNodeSide } from "../shared/node-side.ts";
import { valueOf } from "../shared/options.ts";
import { DEFAULT_CLOUD } from "../shared/resources.ts";
import { readWorkerSettings } from "../shared/settings-in-force.ts";
import { shown } from "../shared/terminal.ts";
import { createViewer, refusalText, type Viewer, valueIn } from "../shared/viewer.ts";
import { objectsReport } from "../where/report.ts";
import { answerReport, fetchingOf, isAnswered } from "./answer.ts";
import { classIn, type Refreshing, readClassStatus, refreshProgress, waitForProgress } from "./progress.ts";
import { followAnswer } from "./seen-answer.ts";
import { type Refreshed, refreshText } from "./text.ts";

const FORMATS = ["text", "wide", "json"] as const;

export const refresh: Command = {
  name: "refresh",
  summary: "Update a class's Secrets and mounted files now.",
  usage: "CLASS | NAMESPACE/CLASS",
  details: [
    "Annotates the class, so that the worker queries the vault immediately. With CSI driver 1.6 or later, the command also annotates the",
    "pods that mount the class. The kubelet then makes the driver update files that are older than the driver's poll interval. For an",
    "earlier driver, the command prints the maximum time until the files are updated. It does not annotate a class of another provider.",
    "You need permission to get and patch the class, and to list and patch pods. If you lack permission to list DaemonSets or to get the",
    "CSIDriver, the command also annotates the pods, but cannot print how soon the files are updated.",
    "With --wait, the command waits until the Secrets match the vault and all pods have the newest version, or until --timeout expires.",
    "It continues to wait while the worker retries. It stops immediately if someone must first fix the class, the vault, or a permission,",
    "if sync of the class is off, or if the class syncs only while a pod mounts it and no pod does.",
    "",
    "json prints one report.",
    "Exit code: 0; 1 if --wait ended before everything was up to date; 2 if the command failed.",
  ],
  examples: [
    { result: "Query the vault now, and wait until Secrets and pods are up to date", typed: "keyvault-injector refresh shop/shop --wait" },
  ],
  options: ["namespace", "wait", "timeout", "install-namespace", "output", "context", "kubeconfig"],
  formats: FORMATS,
  optionHelp: { namespace: "Namespace of the class. Default: the kubeconfig's namespace, or default." },
  hasJsonReport: true,
  arguments: 1,
  argumentsText: "refresh takes one class",
  run: runRefresh,
};

/** Time for the worker alone, in milliseconds: the vault answers within seconds. */
const WORKER_MS = 60_000;

/** Longest time to wait, in milliseconds. To wait longer, users can run the command again. */
const MOST_MS = 3_600_000;

async function runRefresh(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const [word] = input.arguments;
  if (word === undefined) throw new CommandFailure("name the class to refresh, as CLASS or NAMESPACE/CLASS");
  const named = namedClass(word, input);
  const timeoutMs = timeoutIn(input);
  return withCluster(input, context, async (cluster) => {
    const opened = await openRefresh(input, cluster, context, named(cluster.namespace));
    const over = new AbortController();
    try {
      const wait = { isWanted: input.options.wait !== undefined, timeoutMs, signal: AbortSignal.any([context.signal, over.signal]) };
      return result(await refreshNow(opened, wait), input, context);
    } finally {
      over.abort();
    }
  });
}

interface WantedWait {
  readonly isWanted: boolean;
  /** Time that the user specifies. */
  readonly timeoutMs: number | undefined;
  /** Aborts when the command needs no watch any more. */
  readonly signal: AbortSignal;
}

async function refreshNow({ refreshing, pace }: Opened, { isWanted, timeoutMs, signal }: WantedWait): Promise<Refreshed> {
  const { cluster, context, ref, request, fetching } = refreshing;
  const asking = { kube: cluster.kube, signal: context.signal, value: request.value };
  const isNamed = isWanted && fetching.kind === "fetched" ? await followAnswer(refreshing, signal) : () => false;
  if (fetching.kind !== "ignored") await askWorker(asking, ref);
  const before = await refreshProgress(refreshing);
  // The annotation is harmless if the driver turns out not to be 1.6 or later.
  const isAsked = pace.kind === "republish" || pace.kind === "unknown";
  // A pod that no kubelet has yet mounts the newest version when it starts.
  const scheduled = before.pods.filter(({ isScheduled }) => isScheduled).map(({ name }) => name);
  const refusals = isAsked ? await askKubelets(asking, ref.namespace, scheduled) : [];
  const progress = isWanted ? await waitForProgress(refreshing, before, { pace, withinMs: timeoutMs ?? defaultMs(pace), isNamed }) : before;
  const asked = isAsked && refusals.length === 0 ? scheduled.length : 0;
  return { refreshing, pace, refusals, progress, asked, isWaited: isWanted };
}

function timeoutIn({ options }: CommandInput): number | undefined {
  const text = valueOf(options, "timeout");
  if (text === undefined) return undefined;
  if (options.wait === undefined) throw new CommandFailure("--timeout works only with --wait; remove it, or add --wait");
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new CommandFailure(`--timeout: ${parsed.error}`);
  if (parsed.value > MOST_MS) throw new CommandFailure(`--timeout: ${text} is longer than 1h; write less`);
  return parsed.value;
}

function defaultMs(pace: DriverPace): number {
  const filesMs = pace.kind === "republish" || pace.kind === "timer" ? pace.atMostMs : 0;
  return Math.min(filesMs + WORKER_MS, MOST_MS);
}

interface Opened {
  readonly refreshing: Refreshing;
  readonly pace: DriverPace;
}

async function openRefresh(
  { options }: CommandInput,
  cluster: Cluster,
  context: CommandContext,
  ref: Required<ObjectRef>,
): Promise<Opened> {
  const viewer = createViewer(cluster, context.signal);
  const install = await installIn(viewer, options);
  const spc = await classIn(viewer, ref);
  const status = valueIn(await readClassStatus(viewer, ref));
  const settings = await readWorkerSettings(viewer, install);
  const earlier = [spc.metadata.annotations?.[CLASS_ANNOTATIONS.refresh], status?.observedRefresh];
  const request = { value: new Date(context.clock.now()).toISOString(), earlier };
  const cloudName = valueIn(settings)?.["cloud-name"] ?? DEFAULT_CLOUD;
  // If the worker has synced the class, identity bindings are on, or the class does not need them.
  const identityBindings = valueIn(settings)?.["identity-bindings"] === "true" || conditionOf(status, "Synced")?.status === "True";
  const defect = syncDefect(spc, { cloudName, identityBindings });
  const fetching = fetchingOf(spc, status, settings);
  const pace = await readPace(viewer, install);
  return { refreshing: { cluster, context, viewer, ref, request, cloudName, defect, fetching }, pace };
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
  const { defect } = refreshing;
  const wrong = `warning: no refresh helps class ${ref.namespace}/${ref.name} until someone corrects it:`;
  const notes = [
    ...(defect === undefined ? [] : [`${wrong} ${defect.message} (${defect.reason})`]),
    ...[...refusals, ...unseen].map((why) => `note: ${why}`),
  ];
  return { code: isWaited && !isUpToDate ? EXIT.found : EXIT.fine, output, notes };
}

async function readPace(viewer: Viewer, install: string): Promise<DriverPace> {
  const reading = await readNodeSide(viewer, "driver", install);
  if (reading.kind !== "seen") return driverPace(undefined);
  const registered = await viewer.object<CsiDriver>(RESOURCES.csiDrivers, { name: CSI_DRIVER });
  return driverPace(driverFacts(reading.value.found, valueIn(registered)));
}

const FIELD_MANAGER = "keyvault-injector-refresh";

/** Maximum number of concurrent requests for pods: each results in a query to the vault. */
const PODS_AT_A_TIME = 4;

interface RefreshQuestion {
  readonly kube: Cluster["kube"];
  readonly signal: AbortSignal;
  /** New value of the annotation. */
  readonly value: string;
}

/** Makes the worker query the vault for the class; throws {@link CommandFailure} if the API server refuses the request. */
async function askWorker(asking: RefreshQuestion, spc: Required<ObjectRef>): Promise<void> {
  const refusal = await annotate(asking, RESOURCES.secretProviderClasses, spc);
  if (refusal !== undefined) throw refusal;
}

/**
 * Makes the kubelets sync the pods. A kubelet syncs a pod immediately if an annotation of the pod changes, and version 1.6 of the driver
 * mounts again at each sync. Resolves with the refusals; after the first one, the function tries no further pod.
 */
async function askKubelets(asking: RefreshQuestion, namespace: string, pods: readonly string[]): Promise<readonly string[]> {
  const waiting = [...pods];
  const refusals: string[] = [];
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined && refusals.length === 0; name = waiting.shift()) {
      const refusal = await annotate(asking, RESOURCES.pods, { namespace, name });
      if (refusal !== undefined) refusals.push(refusal.message);
    }
  };
  await Promise.all(Array.from({ length: PODS_AT_A_TIME }, worker));
  return refusals;
}

/** Sets the same annotation on a class or a pod. Resolves with the refusal. Ignores a pod that no longer exists. */
async function annotate(
  { kube, value, signal }: RefreshQuestion,
  resource: Resource,
  ref: Required<ObjectRef>,
): Promise<CommandFailure | undefined> {
  const patch = { metadata: { annotations: { [CLASS_ANNOTATIONS.refresh]: value } } };
  try {
    await kube.mergePatch(resource, ref, patch, { fieldManager: FIELD_MANAGER }, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code === "NotFound" && resource === RESOURCES.pods) return undefined;
    return new CommandFailure(refusalText(`patch ${resource.plural} ${ref.namespace}/${ref.name}`, error), { cause: error });
  }
}

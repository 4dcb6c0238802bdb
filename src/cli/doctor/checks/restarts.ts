import { POD_ANNOTATIONS } from "../../../domain/annotations.ts";
import { memberOf } from "../../../domain/json-members.ts";
import { type KubeObject, RESOURCES, type Resource } from "../../../domain/kubernetes.ts";
import type { RolloutReason } from "../../../domain/reasons.ts";
import { parseWindow, WINDOW_ADVICE } from "../../../domain/schedule/restart-window.ts";
import { rotatedIn } from "../../../domain/sync/rotated-condition.ts";
import { readStatus, type SecretProviderClassSync } from "../../../domain/sync/stored-status.ts";
import { MORE_RESOURCES } from "../../shared/resources.ts";
import { restartAdvice, restartStanding } from "../../shared/restarts.ts";
import { readWorkerSettings, workerSettingProblems } from "../../shared/settings-in-force.ts";
import { listed } from "../../shared/viewer.ts";
import { type CheckResult, type InstallContext, on } from "./check.ts";

/** Kinds that can specify a restart window: Namespaces, and workloads that the worker restarts. */
const PLACES: readonly Resource[] = [
  RESOURCES.namespaces,
  MORE_RESOURCES.deployments,
  MORE_RESOURCES.statefulSets,
  MORE_RESOURCES.daemonSets,
];

/** Checks whether restarts can begin, whether windows are valid, and where restarts wait for someone. An invalid window never opens. */
export async function checkRestarts({ viewer, namespace }: InstallContext): Promise<readonly CheckResult[]> {
  const worker = await readWorkerSettings(viewer, namespace);
  if (worker.kind !== "seen") return [on.restarts.skipped(worker)];
  const settings = worker.value;
  if (settings["restart-workloads"] === "false") return [on.restarts.fine("--restart-workloads is false: the worker restarts nothing")];
  const refused = await workerSettingProblems(viewer, namespace);
  const results: CheckResult[] =
    refused.length === 0 ? [...modeResults(settings["restart-mode"])] : [on.restarts.skip(NOT_STARTED, "see the check deployments")];
  const unread = new Set<string>();
  let read = 0;
  for (const resource of PLACES) {
    const reading = await viewer.all<KubeObject>(resource);
    if (reading.kind !== "seen") {
      results.push(on.restarts.skipped(reading));
      continue;
    }
    const windows = reading.value.flatMap(windowsOf);
    read += windows.length;
    for (const window of windows) {
      const found = windowResult(window);
      if (found.length > 0) unread.add(window.namespace);
      results.push(...found);
    }
  }
  const statuses = await viewer.all<SecretProviderClassSync>(RESOURCES.secretProviderClassSyncs);
  if (statuses.kind === "unseen") results.push(on.restarts.skipped(statuses));
  results.push(...standingResults(listed(statuses), { mode: settings["restart-mode"], unread }));
  if (results.length > 0) return results;
  return [on.restarts.fine(read === 0 ? "no restart window is set" : `${read} restart windows are valid`)];
}

const NOT_STARTED = "it is not known whether restarts begin: the worker does not start with its settings";

interface SaidElsewhere {
  readonly mode: string | undefined;
  /** Namespaces with an invalid window. */
  readonly unread: ReadonlySet<string>;
}

/** Returns one finding for each namespace and reason: the conditions of all classes in a namespace say nearly the same. */
function standingResults(statuses: readonly SecretProviderClassSync[], elsewhere: SaidElsewhere): readonly CheckResult[] {
  const said = statuses.flatMap(({ metadata: { namespace = "" }, status }) => {
    const rotated = rotatedIn(readStatus(status));
    return rotated === undefined || isSaid(rotated.reason, namespace, elsewhere) ? [] : [{ namespace, rotated }];
  });
  const groups = Map.groupBy(said, ({ namespace, rotated }) => `${namespace}/${rotated.reason}`);
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, [first]]): readonly CheckResult[] => {
      if (first === undefined) return [];
      const { namespace, rotated } = first;
      const fix = restartAdvice(rotated);
      const standing = restartStanding(rotated);
      if (standing === "halted")
        return [on.restarts.fail(`Namespace ${namespace}: a failed restart halts all others: ${rotated.message}`, fix)];
      return standing === "held" ? [on.restarts.warn(`Namespace ${namespace}: ${rotated.message}`, fix)] : [];
    });
}

function isSaid(reason: RolloutReason, namespace: string, { mode, unread }: SaidElsewhere): boolean {
  if (reason === "RestartsPaused") return mode === "paused";
  if (reason === "DryRun") return mode === "dry-run";
  return reason === "InvalidWindow" && unread.has(namespace);
}

function modeResults(mode: string | undefined): readonly CheckResult[] {
  const fix = "set --restart-mode=act when restarts should begin";
  if (mode === "paused") return [on.restarts.warn("--restart-mode is paused: no restart begins", fix)];
  return mode === "dry-run" ? [on.restarts.warn("--restart-mode is dry-run: restarts are only reported", fix)] : [];
}

interface FoundWindow {
  /** Object for messages, such as `Deployment team/web`. */
  readonly title: string;
  readonly text: string;
  /** Namespace in which the window applies. */
  readonly namespace: string;
}

function windowsOf(object: KubeObject): readonly FoundWindow[] {
  const { kind, metadata } = object;
  const title = `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
  const template = memberOf(memberOf(memberOf(object, "spec"), "template"), "metadata");
  const texts = [metadata.annotations?.[POD_ANNOTATIONS.restartWindow], memberOf(template, "annotations")[POD_ANNOTATIONS.restartWindow]];
  return texts.flatMap((text) => (typeof text === "string" ? [{ title, text, namespace: metadata.namespace ?? metadata.name }] : []));
}

function windowResult({ title, text }: FoundWindow): readonly CheckResult[] {
  const window = parseWindow(text);
  if (window.ok) return [];
  return [
    on.restarts.warn(`${title}: ${POD_ANNOTATIONS.restartWindow} is not a window, so no restart begins: ${window.error}`, WINDOW_ADVICE),
  ];
}

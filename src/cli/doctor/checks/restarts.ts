import { POD_ANNOTATIONS } from "../../../domain/annotations.ts";
import { memberOf } from "../../../domain/json-members.ts";
import { type KubeObject, RESOURCES, type Resource } from "../../../domain/kubernetes.ts";
import { parseWindow, WINDOW_ADVICE } from "../../../domain/rollout/window.ts";
import { MORE_RESOURCES } from "../../shared/resources.ts";
import { lookAtWorkerSettings } from "../../shared/settings-in-force.ts";
import { type CheckResult, type DoctorContext, on } from "./check.ts";

/** What may say when restarts begin: Namespaces, and what is restarted. */
const PLACES: readonly Resource[] = [
  RESOURCES.namespaces,
  MORE_RESOURCES.deployments,
  MORE_RESOURCES.statefulSets,
  MORE_RESOURCES.daemonSets,
];

/** Windows that can be read, and whether restarts begin at all. A window that cannot be read never opens. */
export async function checkRestarts({ viewer, namespace }: Pick<DoctorContext, "viewer" | "namespace">): Promise<readonly CheckResult[]> {
  const worker = await lookAtWorkerSettings(viewer, namespace);
  if (worker.kind !== "seen") return [on.restarts.skipped(worker)];
  const settings = worker.value;
  if (settings["restart-workloads"] === "false") return [on.restarts.fine("--restart-workloads is false: the worker restarts nothing")];
  const results: CheckResult[] = [...modeResults(settings["restart-mode"])];
  let read = 0;
  for (const resource of PLACES) {
    const look = await viewer.all<KubeObject>(resource);
    if (look.kind !== "seen") {
      results.push(on.restarts.skipped(look));
      continue;
    }
    const windows = look.value.flatMap(windowsOf);
    read += windows.length;
    results.push(...windows.flatMap(windowResult));
  }
  if (results.length > 0) return results;
  return [on.restarts.fine(read === 0 ? "no restart window is set" : `${read} restart windows can be read`)];
}

function modeResults(mode: string | undefined): readonly CheckResult[] {
  const fix = "set --restart-mode=act once restarts are to begin";
  if (mode === "paused") return [on.restarts.warn("--restart-mode is paused: no restart begins", fix)];
  return mode === "dry-run" ? [on.restarts.warn("--restart-mode is dry-run: restarts are only reported", fix)] : [];
}

interface FoundWindow {
  /** `Deployment team/web`, as messages name it. */
  readonly title: string;
  readonly text: string;
}

function windowsOf(object: KubeObject): readonly FoundWindow[] {
  const { kind, metadata } = object;
  const title = `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
  const template = memberOf(memberOf(memberOf(object, "spec"), "template"), "metadata");
  const texts = [metadata.annotations?.[POD_ANNOTATIONS.restartWindow], memberOf(template, "annotations")[POD_ANNOTATIONS.restartWindow]];
  return texts.flatMap((text) => (typeof text === "string" ? [{ title, text }] : []));
}

function windowResult({ title, text }: FoundWindow): readonly CheckResult[] {
  const window = parseWindow(text);
  if (window.ok) return [];
  return [
    on.restarts.warn(`${title}: ${POD_ANNOTATIONS.restartWindow} is no window, and no restart begins: ${window.error}`, WINDOW_ADVICE),
  ];
}

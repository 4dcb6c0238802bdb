import { INSTALL_ANNOTATIONS } from "../../domain/annotations.ts";
import { type Component, componentsOf, crdComponent } from "../../domain/healing/components.ts";
import { RESOURCES } from "../../domain/kubernetes.ts";
import type { KubeClient } from "../../domain/ports/kube-client.ts";
import { KubeError } from "../../domain/ports/kube-error.ts";
import type { KubeWatcher, Reflector } from "../../domain/ports/kube-watcher.ts";
import type { Logger } from "../../domain/ports/logger.ts";
import { type Outcome, WorkQueue } from "../../runtime/workqueue.ts";
import { patiently, RETRIES } from "../patience.ts";
import type { ProcessParts } from "../process-parts.ts";
import type { ComponentCopies } from "./component-copies.ts";
import { ComponentMemory } from "./component-memory.ts";
import type { ComponentMetrics } from "./component-metrics.ts";
import { createComponentReport } from "./component-report.ts";
import { healComponent } from "./heal-component.ts";
import type { HealContext, HealingOptions } from "./heal-context.ts";
import { isGoing, readInstall } from "./install-state.ts";
import { askRight, RightMemory, SLOWEST_MS } from "./node-side-rights.ts";

/** Copies and watches are not there yet: look again (milliseconds). */
const STARTING_MS = 200;
/** Rights that were taken away come back without an event that could still be seen (milliseconds). */
const WITHOUT_RIGHTS_MS = 5_000;
/** The key of the install's own state, beside those of its components. */
const INSTALL = "install";
/** Of a handful of objects: more would gain nothing. */
const WORKERS = 4;

export interface ComponentsOptions {
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly namespace: string;
  /** CRDs are healed elsewhere; here it is reported what others add to them. */
  readonly healing: Omit<HealingOptions, "heal">;
  readonly copies: ComponentCopies;
  readonly process: Pick<ProcessParts, "clock" | "events" | "logger" | "random">;
}

/** Heals and reports every component of the install, whenever a watch shows a change of it. */
export interface Components {
  run(signal: AbortSignal): Promise<void>;
  /** The copy of a component appeared, changed or went. */
  lookAt(id: string): void;
}

interface Watched {
  readonly component: Component;
  readonly memory: ComponentMemory;
  readonly right: RightMemory;
  reflector: Reflector<true> | undefined;
  stop: AbortController;
}

export function startComponents(options: ComponentsOptions, signal: AbortSignal): Components {
  const { kube, watcher, namespace, healing, copies } = options;
  const { clock, events, logger, random } = options.process;
  const { crds, componentMetrics: metrics } = healing;
  const context: HealContext = {
    kube,
    namespace,
    crds,
    clock,
    copies,
    report: createComponentReport({ namespace, events, logger, metrics }),
  };
  const components = componentsOf(namespace).filter(
    ({ isNodeSide, isWebhook }) => (healing.healNodeSide || !isNodeSide) && (healing.healWebhook || !isWebhook),
  );
  const watched = new Map<string, Watched>(
    [...components, ...crds.map(({ metadata }) => crdComponent(metadata.name))].map((component) => [
      component.id,
      { component, memory: new ComponentMemory(), right: new RightMemory(), reflector: undefined, stop: new AbortController() },
    ]),
  );
  const queue = new WorkQueue({
    workers: WORKERS,
    backoff: RETRIES,
    clock,
    logger: logger.child({ queue: "components" }),
    random,
    handle: (id, handleSignal) =>
      patiently(async () => {
        if (id === INSTALL) return reconcileInstall(handleSignal);
        const entry = watched.get(id);
        if (entry === undefined) return { kind: "done" };
        if (entry.component.isNodeSide) {
          const pause = await pauseForRight(entry, handleSignal);
          if (pause !== undefined) return { kind: "requeueAfter", milliseconds: pause };
        }
        entry.reflector ??= watch(entry);
        if (!copies.hasSynced || !entry.reflector.hasSynced) return { kind: "requeueAfter", milliseconds: STARTING_MS };
        return withinRights(context, entry, () => healComponent(context, entry, handleSignal));
      }),
  });
  const watch = (entry: Watched): Reflector<true> => {
    const { resource, ref, id } = entry.component;
    const where = ref.namespace === undefined ? {} : { namespace: ref.namespace };
    entry.stop = new AbortController();
    return watcher.reflect<true>(
      { resource, ...where, fieldSelector: `metadata.name=${ref.name}`, project: () => true, onChange: () => queue.add(id) },
      AbortSignal.any([signal, entry.stop.signal]),
    );
  };
  /**
   * Asked before the first watch, and before anything is written: what was dropped with its right is not ours any more. Undefined: go on. What
   * is known of a component outlasts a right that is missing for a while; nothing is written meanwhile.
   */
  const pauseForRight = async (entry: Watched, handleSignal: AbortSignal): Promise<number | undefined> => {
    const { component, memory, right } = entry;
    // Whether the process before this one has healed it.
    if (!copies.hasSynced) return STARTING_MS;
    const answer = await askRight(kube, component, handleSignal);
    const now = clock.now();
    right.note(answer, now);
    if (answer === "granted") return undefined;
    // Whoever gives the right back may be about to make the component anew.
    memory.absentSince = undefined;
    if (entry.reflector === undefined && copies.textOf(component.id) === undefined) return SLOWEST_MS;
    if (!right.isGone(now)) return right.pause(now);
    await copies.remove(component.id, handleSignal);
    entry.stop.abort();
    entry.reflector = undefined;
    context.report.dropped(component);
    return SLOWEST_MS;
  };
  const reconcileAll = (): void => [...watched.keys()].forEach((id) => queue.add(id));
  const installed = { kube, watcher, namespace, metrics, logger };
  const reconcileInstall = watchInstall({ ...installed, onChange: () => queue.add(INSTALL), onHealing: reconcileAll }, signal);
  reconcileAll();
  return { run: (running) => queue.run(running), lookAt: (id) => queue.add(id) };
}

/** The loss of its own rights is what the worker has to report without them: in the log and the metrics, which need none. */
async function withinRights({ report }: HealContext, { component }: Watched, look: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof KubeError && error.code === "Forbidden")) throw error;
    report.damaged(component, "ComponentDamaged", "the worker no longer has permission to heal it; apply the manifests again");
    return { kind: "requeueAfter", milliseconds: WITHOUT_RIGHTS_MS };
  }
}

/** Of the mark that a prepared uninstall leaves on the install's Namespace. */
interface InstallWatch extends Pick<ComponentsOptions, "kube" | "watcher" | "namespace"> {
  readonly metrics: ComponentMetrics;
  readonly logger: Logger;
  /** The mark, or the deletion of the Namespace, has changed. */
  readonly onChange: () => void;
  /** Nothing keeps a component from being healed, as far as the Namespace says. */
  readonly onHealing: () => void;
}

/** Reconciles the install's own state: what waited while it was marked goes on, whichever of the reads before has failed. */
function watchInstall(
  { kube, watcher, namespace, metrics, logger, onChange, onHealing }: InstallWatch,
  signal: AbortSignal,
): (handleSignal: AbortSignal) => Promise<Outcome> {
  let wasGoing = false;
  watcher.reflect<string>(
    {
      resource: RESOURCES.namespaces,
      fieldSelector: `metadata.name=${namespace}`,
      project: ({ metadata }) => JSON.stringify([metadata.annotations?.[INSTALL_ANNOTATIONS.uninstalling], metadata.deletionTimestamp]),
      onChange: (_ref, { previous, current }) => {
        if (previous !== current) onChange();
      },
    },
    signal,
  );
  return async (handleSignal) => {
    const isUninstalling = isGoing(await readInstall({ kube, namespace }, handleSignal));
    metrics.isUninstalling.set(isUninstalling ? 1 : 0);
    if (isUninstalling !== wasGoing)
      logger.info(
        isUninstalling
          ? "the install is being removed; healing has stopped"
          : "the install is no longer being removed; healing has resumed",
        {
          namespace,
        },
      );
    wasGoing = isUninstalling;
    // Also where no read before has seen the mark: a component may have.
    if (!isUninstalling) onHealing();
    return { kind: "done" };
  };
}

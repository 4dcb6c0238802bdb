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

/** Time in milliseconds until the next reconcile while the copies or watches have not synced. */
const STARTING_MS = 200;
/** Time in milliseconds until the next reconcile without permissions. The worker gets no event when the permissions are restored. */
const WITHOUT_RIGHTS_MS = 5_000;
/** Queue key of the install's own state, beside those of its components. */
const INSTALL = "install";
/** The install has few components, so more workers would gain nothing. */
const WORKERS = 4;

export interface ComponentsOptions {
  readonly kube: KubeClient;
  readonly watcher: KubeWatcher;
  readonly namespace: string;
  /** Other code heals the CRDs. This code reports what others add to them. */
  readonly healing: Omit<HealingOptions, "heal">;
  readonly copies: ComponentCopies;
  readonly process: Pick<ProcessParts, "clock" | "events" | "logger" | "random">;
}

/** Heals or reports each component of the install when a watch shows that it changed. */
export interface Components {
  run(signal: AbortSignal): Promise<void>;
  /** Call this when the copy of a component appears, changes or disappears. */
  requeue(id: string): void;
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
   * Returns the time in milliseconds to wait if the worker has no permission for the component; undefined if it has. The worker checks this
   * before the first watch and before every write: a component whose permission the installer removed no longer belongs to the install. The
   * worker keeps its copy and memory of the component if the permission is missing only for a while, and writes nothing in that time.
   */
  const pauseForRight = async (entry: Watched, handleSignal: AbortSignal): Promise<number | undefined> => {
    const { component, memory, right } = entry;
    // The copies show whether an earlier process healed the component.
    if (!copies.hasSynced) return STARTING_MS;
    const answer = await askRight(kube, component, handleSignal);
    const now = clock.now();
    right.note(answer, now);
    if (answer === "granted") return undefined;
    // The installer that restores the permission may be about to recreate the component.
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
  return { run: (running) => queue.run(running), requeue: (id) => queue.add(id) };
}

/** Reports that the worker lost its permissions. The log and the metrics need none. Throws every other error. */
async function withinRights({ report }: HealContext, { component }: Watched, check: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof KubeError && error.lacksPermission)) throw error;
    report.damaged(component, "ComponentDamaged", "the worker no longer has permission to heal it; apply the manifests again");
    return { kind: "requeueAfter", milliseconds: WITHOUT_RIGHTS_MS };
  }
}

/** Watch of the mark that `uninstall --prepare` leaves on the Namespace of the install. */
interface InstallWatch extends Pick<ComponentsOptions, "kube" | "watcher" | "namespace"> {
  readonly metrics: ComponentMetrics;
  readonly logger: Logger;
  /** Called when the mark or the deletionTimestamp of the Namespace changes. */
  readonly onChange: () => void;
  /** Called when the Namespace does not prevent healing. */
  readonly onHealing: () => void;
}

/**
 * Returns the function that reconciles the install's own state. It starts the reconciles that waited for the mark to go, even if an earlier
 * read failed.
 */
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
    // Start them even if no earlier read here saw the mark: the reconcile of a component may have seen it.
    if (!isUninstalling) onHealing();
    return { kind: "done" };
  };
}

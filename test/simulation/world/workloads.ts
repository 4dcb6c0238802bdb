/** Deployments, as their controller and kubelets keep them: pods are replaced when the template changes, start, become ready, and crash. */
import { EPOCH } from "../time/context.ts";
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { Cluster, Json } from "./cluster.ts";
import { type Controls, controlsIn } from "./controls.ts";
import type { Driver, Files } from "./driver.ts";

export const ROTATED = "keyvault-injector.dev/rotated";
export const RESTART_ON_ROTATION = "keyvault-injector.dev/restart-on-rotation";

const MERGE_PATCH = "application/merge-patch+json";
const CONTROLLER = "system:serviceaccount:kube-system:deployment-controller";
const KUBELET = "system:node:node-1";

/** Average time in milliseconds after which a controller or a kubelet notices something. */
const NOTICE_MS = 150;
/** Average time in milliseconds between the start of a container and its readiness. */
const READY_MS = 6_000;
/** Time between two tries to start a container that lacks a Secret. */
const RETRY_MS = 10_000;
/** Back-off of a container that crashes. */
const CRASH_BACKOFF = { firstMs: 10_000, longestMs: 300_000 };

export interface SimulatedPod {
  readonly name: string;
  readonly uid: string;
  readonly template: string;
  /** Time since which the pod is ready; undefined if it is not. Virtual milliseconds. */
  readyAt: number | undefined;
  /** The last time span of readiness that has ended. */
  wasReady: { readonly from: number; readonly until: number } | undefined;
  /** Content of its Secrets at its start, by Secret and key; undefined if it has not started. */
  startedWith: ReadonlyMap<string, string> | undefined;
  /** Versions in its files at its start, by class; undefined if it has not started. */
  startedFiles: ReadonlyMap<string, Files> | undefined;
  /** Time of that start; virtual milliseconds. */
  startedAt: number | undefined;
  restarts: number;
}

export interface SimulatedWorkload {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly pods: readonly SimulatedPod[];
  /** Secrets that the template uses; undefined if one of its classes does not exist. */
  readonly secrets: readonly string[] | undefined;
  /** Classes of the template that are only mounted. */
  readonly mounts: readonly string[];
  /** Whether the template requests restarts. */
  readonly asks: boolean;
  /** The owner's settings for restarts. */
  readonly controls: Controls;
  readonly templateStamp: string | undefined;
  readonly podsStamp: string | undefined;
  /** Whether all pods have the current template and are ready. */
  readonly isComplete: boolean;
  /** Time since which it is complete. */
  readonly completeSince: number | undefined;
}

/** Current problem of the pods of a namespace. */
export type PodIll = "never ready" | "crashing";

interface Template extends Json {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>>; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: Json & {
    readonly volumes?: readonly { readonly csi?: { readonly volumeAttributes?: Readonly<Record<string, string>> } }[];
    readonly containers?: readonly { readonly envFrom?: readonly { readonly secretRef?: { readonly name?: string } }[] }[];
  };
}

interface Deployment {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly replicas?: number; readonly progressDeadlineSeconds?: number; readonly template: Template };
}

interface Known {
  readonly key: string;
  readonly uid: string;
  readonly pods: SimulatedPod[];
  /** Template of the last step. */
  template: string;
  progressedAt: number;
  /** The time of progress whose deadline is scheduled. */
  awaited: number;
  completeSince: number | undefined;
  status: string;
}

export interface WorkloadsOptions {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Returns the synced Secrets of a class by its `namespace/name`; undefined if there is no such class. */
  readonly secretsOf: (classKey: string) => readonly string[] | undefined;
  readonly isMounted: (namespace: string, className: string) => boolean;
  readonly driver: Driver;
  /** Called when a pod that mounts the class comes, or when a pod goes. */
  readonly onPod: (namespace: string, pod: string, className: string | undefined) => void;
}

/**
 * Returns the pod to remove next: one more than wanted, old pods that are not ready before others. Otherwise, a second template would wait
 * for the pods of the first one.
 */
function leaving(pods: readonly SimulatedPod[], template: string, wanted: number): SimulatedPod | undefined {
  const isReady = ({ readyAt }: SimulatedPod): boolean => readyAt !== undefined;
  const fresh = pods.filter((pod) => pod.template === template);
  const old = pods.filter((pod) => pod.template !== template).toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)));
  const surplus = [...old, ...fresh.toReversed()].slice(0, Math.max(0, pods.length - wanted));
  const oldOnes = surplus.filter((pod) => old.includes(pod) && (!isReady(pod) || pods.filter(isReady).length > wanted));
  const tooMany = fresh.length > wanted ? surplus.filter((pod) => fresh.includes(pod)) : [];
  return [...oldOnes, ...tooMany][0];
}

export class Workloads {
  readonly ills = new Map<string, PodIll>();
  readonly #options: WorkloadsOptions;
  readonly #known = new Map<string, Known>();
  readonly #due = new Set<string>();
  #serial = 0;

  constructor(options: WorkloadsOptions) {
    this.#options = options;
  }

  /** Call this when someone wrote the Deployment. */
  note(namespace: string, name: string): void {
    this.#syncLater(`${namespace}/${name}`, this.#options.random.delay(NOTICE_MS));
  }

  /** Call this when a pod was deleted. If someone other than its controller deleted it, the controller replaces it. */
  notePodGone(namespace: string, name: string): void {
    for (const known of this.#known.values()) {
      const gone = known.pods.findIndex((pod) => pod.name === name && known.key.startsWith(`${namespace}/`));
      if (gone < 0) continue;
      const [pod] = known.pods.splice(gone, 1);
      if (pod !== undefined) this.#options.driver.unmount(pod.uid);
      this.#options.onPod(namespace, name, undefined);
      this.#syncLater(known.key, this.#options.random.delay(NOTICE_MS));
    }
  }

  all(): readonly SimulatedWorkload[] {
    return [...this.#known.values()].flatMap((known) => this.#describe(known) ?? []);
  }

  of(namespace: string, name: string): SimulatedWorkload | undefined {
    const known = this.#known.get(`${namespace}/${name}`);
    return known === undefined ? undefined : this.#describe(known);
  }

  #describe(known: Known): SimulatedWorkload | undefined {
    const deployment = this.#read(known.key);
    if (deployment?.metadata.uid !== known.uid) return undefined;
    const { metadata, spec } = deployment;
    const annotations = spec.template.metadata?.annotations ?? {};
    const template = JSON.stringify(spec.template);
    const wanted = spec.replicas ?? 1;
    const { pods } = known;
    const isComplete = pods.length === wanted && pods.every((pod) => pod.template === template && pod.readyAt !== undefined) && wanted > 0;
    return {
      namespace: metadata.namespace,
      name: metadata.name,
      uid: metadata.uid,
      pods,
      secrets: this.#usedBy(metadata.namespace, spec.template),
      mounts: this.#mountedBy(metadata.namespace, spec.template),
      asks: annotations[RESTART_ON_ROTATION] === "true",
      controls: controlsIn(metadata.annotations),
      templateStamp: annotations[ROTATED],
      podsStamp: metadata.annotations?.[ROTATED],
      isComplete,
      completeSince: isComplete ? known.completeSince : undefined,
    };
  }

  #read(key: string): Deployment | undefined {
    const [namespace = "", name = ""] = key.split("/");
    return this.#options.cluster.server.object("deployments.apps", name, namespace) as Deployment | undefined;
  }

  #syncLater(key: string, milliseconds: number): void {
    if (this.#due.has(key)) return;
    this.#due.add(key);
    this.#options.scheduler.schedule(milliseconds, () => {
      this.#due.delete(key);
      this.#sync(key);
    });
  }

  /** Does one step of a rollout: adds a pod, at most one more than wanted, or deletes an old one if enough pods are ready. */
  #sync(key: string): void {
    const deployment = this.#read(key);
    let known = this.#known.get(key);
    if (known !== undefined && known.uid !== deployment?.metadata.uid) {
      for (const pod of known.pods) this.#deletePod(key, pod);
      this.#known.delete(key);
      known = undefined;
    }
    if (deployment === undefined) return;
    const { now } = this.#options.scheduler;
    known ??= {
      key,
      uid: deployment.metadata.uid,
      pods: [],
      template: "",
      progressedAt: now,
      awaited: -1,
      completeSince: undefined,
      status: "",
    };
    this.#known.set(key, known);
    const wanted = deployment.spec.replicas ?? 1;
    const template = JSON.stringify(deployment.spec.template);
    // A new ReplicaSet is progress.
    if (known.template !== template) known.progressedAt = now;
    known.template = template;
    const fresh = known.pods.filter((pod) => pod.template === template);
    const goes = leaving(known.pods, template, wanted);
    if (goes !== undefined) this.#remove(known, goes);
    else if (fresh.length < wanted && known.pods.length < wanted + 1) this.#create(known, deployment, template);
    this.#report(known, deployment);
    if (goes !== undefined || (fresh.length < wanted && known.pods.length < wanted + 1)) this.#syncLater(key, NOTICE_MS);
  }

  #remove(known: Known, pod: SimulatedPod): void {
    known.pods.splice(known.pods.indexOf(pod), 1);
    known.progressedAt = this.#options.scheduler.now;
    this.#deletePod(known.key, pod);
  }

  #deletePod(key: string, pod: SimulatedPod): void {
    const [namespace = ""] = key.split("/");
    this.#options.driver.unmount(pod.uid);
    const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0 };
    this.#options.cluster.request("DELETE", `/api/v1/namespaces/${namespace}/pods/${pod.name}`, body, { user: CONTROLLER });
    this.#options.onPod(namespace, pod.name, undefined);
  }

  #create(known: Known, { metadata, spec }: Deployment, template: string): void {
    const { cluster, onPod, random, scheduler } = this.#options;
    const { namespace, name } = metadata;
    const podName = `${name}-${++this.#serial}`;
    const { labels, annotations } = spec.template.metadata ?? {};
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: podName, labels, annotations }, spec: spec.template.spec };
    const { status, body: made } = cluster.request("POST", `/api/v1/namespaces/${namespace}/pods`, body, { user: CONTROLLER });
    if (status >= 300) return;
    const pod: SimulatedPod = {
      name: podName,
      uid: (made as { metadata?: { uid?: string } }).metadata?.uid ?? "",
      template,
      readyAt: undefined,
      wasReady: undefined,
      startedWith: undefined,
      startedFiles: undefined,
      startedAt: undefined,
      restarts: 0,
    };
    known.pods.push(pod);
    known.progressedAt = scheduler.now;
    const className = classesOf(spec.template)[0];
    if (className !== undefined) onPod(namespace, pod.name, className);
    this.#later(known, pod, random.delay(NOTICE_MS), () => this.#start(known, pod, spec.template));
  }

  /** Starts the container, which reads its environment now and becomes ready later. */
  #start(known: Known, pod: SimulatedPod, template: Template): void {
    const { random } = this.#options;
    const [namespace = ""] = known.key.split("/");
    const files = this.#filesFor(namespace, pod, template);
    const read = files === undefined ? undefined : this.#secretsFor(namespace, template);
    if (read === undefined) {
      // Also after a crash: the container no longer runs with the earlier values.
      pod.startedWith = undefined;
      this.#later(known, pod, RETRY_MS, () => this.#start(known, pod, template));
      return;
    }
    pod.startedWith = read;
    pod.startedFiles = files;
    pod.startedAt = this.#options.scheduler.now;
    const become = (): void => {
      if (this.ills.get(namespace) === "never ready") this.#later(known, pod, RETRY_MS, become);
      else this.#becomeReady(known, pod, template);
    };
    this.#later(known, pod, random.delay(READY_MS), become);
  }

  #becomeReady(known: Known, pod: SimulatedPod, template: Template): void {
    const { scheduler, random } = this.#options;
    const [namespace = ""] = known.key.split("/");
    pod.readyAt = scheduler.now;
    known.progressedAt = scheduler.now;
    this.#tellPod(known, pod);
    if (this.ills.get(namespace) !== "crashing") return;
    // The container has no readiness probe, so it is ready as soon as it runs.
    this.#later(known, pod, random.delay(3_000), () => this.#crash(known, pod, template));
  }

  #crash(known: Known, pod: SimulatedPod, template: Template): void {
    pod.wasReady = { from: pod.readyAt ?? 0, until: this.#options.scheduler.now };
    pod.readyAt = undefined;
    pod.restarts += 1;
    this.#tellPod(known, pod);
    const backoff = Math.min(CRASH_BACKOFF.firstMs * 2 ** (pod.restarts - 1), CRASH_BACKOFF.longestMs);
    this.#later(known, pod, backoff, () => this.#start(known, pod, template));
  }

  #tellPod(known: Known, pod: SimulatedPod): void {
    const [namespace = ""] = known.key.split("/");
    const { cluster } = this.#options;
    const isReady = pod.readyAt !== undefined;
    const lastTransitionTime = `${new Date(EPOCH + this.#options.scheduler.now).toISOString().slice(0, 19)}Z`;
    const status = {
      phase: "Running",
      conditions: [{ type: "Ready", status: isReady ? "True" : "False", lastTransitionTime }],
      containerStatuses: [{ name: "app", ready: isReady, restartCount: pod.restarts, image: "app", imageID: "" }],
    };
    const where = `/api/v1/namespaces/${namespace}/pods/${pod.name}/status`;
    cluster.request("PATCH", where, { status }, { contentType: MERGE_PATCH, user: KUBELET });
    this.#syncLater(known.key, this.#options.random.delay(NOTICE_MS));
  }

  #usedBy(namespace: string, template: Template): readonly string[] | undefined {
    const ofClasses = classesOf(template).map((name) => this.#options.secretsOf(`${namespace}/${name}`));
    if (ofClasses.includes(undefined)) return undefined;
    return [...ofClasses.flatMap((names) => names ?? []), ...secretsIn(template)];
  }

  #mountedBy(namespace: string, template: Template): readonly string[] {
    return classesOf(template).filter((name) => this.#options.isMounted(namespace, name));
  }

  /** Returns the files of the mounted classes; undefined if one of the classes cannot be mounted. */
  #filesFor(namespace: string, { name, uid }: SimulatedPod, template: Template): ReadonlyMap<string, Files> | undefined {
    const files = new Map<string, Files>();
    for (const className of this.#mountedBy(namespace, template)) {
      const mounted = this.#options.driver.mount({ namespace, name, uid, className });
      if (mounted === undefined) return undefined;
      files.set(className, mounted);
    }
    return files;
  }

  /** Returns the data of the Secrets; undefined if a Secret that a container names is missing. */
  #secretsFor(namespace: string, template: Template): ReadonlyMap<string, string> | undefined {
    const { cluster } = this.#options;
    const named = secretsIn(template);
    const read = new Map<string, string>();
    for (const name of named) if (cluster.server.object("secrets", name, namespace) === undefined) return undefined;
    for (const name of new Set([...(this.#usedBy(namespace, template) ?? []), ...named])) {
      const { data = {} } = (cluster.server.object("secrets", name, namespace) ?? {}) as { data?: Readonly<Record<string, string>> };
      for (const [key, value] of Object.entries(data)) read.set(`${name}/${key}`, value);
    }
    return read;
  }

  #report(known: Known, { metadata, spec }: Deployment): void {
    const { cluster, scheduler } = this.#options;
    const template = JSON.stringify(spec.template);
    const wanted = spec.replicas ?? 1;
    const updated = known.pods.filter((pod) => pod.template === template).length;
    const available = known.pods.filter(({ readyAt }) => readyAt !== undefined).length;
    const isDone = updated === wanted && known.pods.length === wanted && available === wanted;
    known.completeSince = isDone ? (known.completeSince ?? scheduler.now) : undefined;
    const deadlineMs = (spec.progressDeadlineSeconds ?? 600) * 1_000;
    const isLate = !isDone && scheduler.now - known.progressedAt >= deadlineMs;
    const reason = isDone ? "NewReplicaSetAvailable" : isLate ? "ProgressDeadlineExceeded" : "ReplicaSetUpdated";
    const status = {
      observedGeneration: metadata.generation,
      replicas: known.pods.length,
      updatedReplicas: updated,
      readyReplicas: available,
      availableReplicas: available,
      conditions: [{ type: "Progressing", status: isLate ? "False" : "True", reason }],
    };
    if (!isDone && !isLate && known.awaited !== known.progressedAt) {
      known.awaited = known.progressedAt;
      scheduler.schedule(known.progressedAt + deadlineMs + 1 - scheduler.now, () => this.#syncLater(known.key, 0));
    }
    const text = JSON.stringify(status);
    if (known.status === text) return;
    known.status = text;
    const where = `/apis/apps/v1/namespaces/${metadata.namespace}/deployments/${metadata.name}/status`;
    cluster.request("PATCH", where, { status }, { contentType: MERGE_PATCH, user: CONTROLLER });
  }

  /** Schedules an action for a pod, if the pod still exists then. */
  #later(known: Known, pod: SimulatedPod, milliseconds: number, action: () => void): void {
    this.#options.scheduler.schedule(milliseconds, () => {
      if (known.pods.includes(pod)) action();
    });
  }
}

function classesOf({ spec }: Template): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ csi }) => csi?.volumeAttributes?.["secretProviderClass"] ?? []);
}

function secretsIn({ spec }: Template): readonly string[] {
  return (spec?.containers ?? []).flatMap(({ envFrom = [] }) => envFrom.flatMap(({ secretRef }) => secretRef?.name ?? []));
}

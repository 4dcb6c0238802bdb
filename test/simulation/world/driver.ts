/**
 * The Secrets Store CSI driver with its provider, on the nodes of the cluster: it mounts files, polls the vaults for new versions, and
 * records the versions of each pod's files.
 */
import type { Random } from "../time/random.ts";
import type { Scheduler } from "../time/scheduler.ts";
import type { WantedClass } from "./classes.ts";
import type { Cluster } from "./cluster.ts";
import type { Team } from "./team.ts";
import { currentOf } from "./vaults.ts";

const STATUSES = "/apis/secrets-store.csi.x-k8s.io/v1";
const CLASSES = "secretproviderclasses.secrets-store.csi.x-k8s.io";
const DRIVER = "system:serviceaccount:kube-system:secrets-store-csi-driver";
const NODE = "node-1";

/** The driver's own default (milliseconds). */
const POLL_MS = 120_000;

/** Average time between a change of a file and its record (milliseconds). */
const RECORD_MS = 300;

/** Versions by the driver's name for the objects: `secret/name`. */
export type Files = ReadonlyMap<string, string>;

export interface MountingPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly className: string;
}

/** The content of a pod's record since a moment. */
export interface Recorded {
  /** Virtual milliseconds. */
  readonly at: number;
  readonly files: Files;
}

interface Mount {
  readonly pod: MountingPod;
  files: Files;
  /** Oldest first. */
  readonly recorded: Recorded[];
}

export interface DriverOptions {
  readonly cluster: Cluster;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly teamOf: (namespace: string) => Team | undefined;
}

export class Driver {
  /** Whether the driver neither mounts nor polls. */
  isAway = false;
  /** Factor by which the driver polls less often. */
  lag = 1;
  readonly #options: DriverOptions;
  /** Keys are uids of pods. */
  readonly #mounts = new Map<string, Mount>();

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#rotateLater();
  }

  /** Mounts the class, and returns the pod's files; undefined if the mount fails, in which case the kubelet tries again. */
  mount(pod: MountingPod): Files | undefined {
    const known = this.#mounts.get(pod.uid);
    if (known !== undefined) return known.files;
    const files = this.isAway ? undefined : this.#fetch(pod);
    if (files === undefined) return undefined;
    const { namespace, name, uid, className } = pod;
    const body = {
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClassPodStatus",
      metadata: {
        name: nameOf(pod),
        namespace,
        labels: { "internal.secrets-store.csi.k8s.io/node-name": NODE },
        ownerReferences: [{ apiVersion: "v1", kind: "Pod", name, uid }],
      },
      status: {
        podName: name,
        secretProviderClassName: className,
        mounted: true,
        targetPath: `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi/secrets/mount`,
        objects: objectsOf(files),
      },
    };
    const { status } = this.#options.cluster.request("POST", `${STATUSES}/namespaces/${namespace}/secretproviderclasspodstatuses`, body, {
      user: DRIVER,
    });
    if (status >= 300) return undefined;
    this.#mounts.set(uid, { pod, files, recorded: [{ at: this.#options.scheduler.now, files }] });
    return files;
  }

  unmount(uid: string): void {
    this.#mounts.delete(uid);
  }

  filesOf(uid: string): Files | undefined {
    return this.#mounts.get(uid)?.files;
  }

  /** Returns all records of the pod's files, oldest first. */
  recordsOf(uid: string): readonly Recorded[] {
    return this.#mounts.get(uid)?.recorded ?? [];
  }

  /** Returns the files that a pod would get that mounts the class now; undefined if the mount would fail. */
  #fetch({ namespace, className }: Pick<MountingPod, "namespace" | "className">): Files | undefined {
    const { cluster, teamOf } = this.#options;
    const team = teamOf(namespace);
    const wanted = team?.mounted.get(className);
    if (team === undefined || wanted === undefined || cluster.server.object(CLASSES, className, namespace) === undefined) return undefined;
    return filesOf(team, wanted);
  }

  #rotateLater(): void {
    const { scheduler, random } = this.#options;
    scheduler.schedule(POLL_MS * this.lag * random.between(0.9, 1.1), () => {
      if (!this.isAway) for (const mount of this.#mounts.values()) this.#rotate(mount);
      this.#rotateLater();
    });
  }

  #rotate(mount: Mount): void {
    const files = this.#fetch(mount.pod);
    if (files === undefined || isSame(files, mount.files)) return;
    mount.files = files;
    const { scheduler, random } = this.#options;
    scheduler.schedule(random.delay(RECORD_MS), () => this.#record(mount, files));
  }

  #record(mount: Mount, files: Files): void {
    const { cluster, scheduler } = this.#options;
    const { pod } = mount;
    const where = `${STATUSES}/namespaces/${pod.namespace}/secretproviderclasspodstatuses/${nameOf(pod)}`;
    const body = { status: { objects: objectsOf(files) } };
    const { status } = cluster.request("PATCH", where, body, { contentType: "application/merge-patch+json", user: DRIVER });
    if (status < 300) mount.recorded.push({ at: scheduler.now, files });
  }
}

/** Returns the files that the vault provides for the class; undefined if it does not provide one of the objects. */
export function filesOf({ vault }: Pick<Team, "vault">, { entries }: WantedClass): Files | undefined {
  const files = new Map<string, string>();
  for (const { object, type } of entries) {
    const found = vault.objects.get(object);
    const version = found === undefined ? undefined : currentOf(found)?.version;
    if (version === undefined) return undefined;
    files.set(`${type}/${object}`, version);
  }
  return files;
}

export function isSame(one: Files, other: Files): boolean {
  return one.size === other.size && [...one].every(([object, version]) => other.get(object) === version);
}

function nameOf({ namespace, name, className }: MountingPod): string {
  return `${name}-${namespace}-${className}`;
}

function objectsOf(files: Files): readonly { readonly id: string; readonly version: string }[] {
  return [...files].map(([id, version]) => ({ id, version }));
}

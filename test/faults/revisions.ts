import { createHash } from "node:crypto";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type ObjectRef, RESOURCES, type Secret } from "../../src/domain/kubernetes.ts";
import { objectKey } from "../../src/domain/object-key.ts";
import { FIELD_MANAGER } from "../../src/sync/field-manager.ts";
import type { ControlPlane } from "../support/cluster/control-plane.ts";
import { kubeAccess } from "../support/cluster/kube-access.ts";
import type { Cell } from "./cell.ts";

/** One state of a Secret that the API server stored. */
export interface Revision {
  readonly uid: string;
  /** Version of its only object. Empty if the Secret does not contain it. */
  readonly version: string;
  /** Digest of data, labels and annotations. */
  readonly content: string;
  /** Whether the worker wrote it last. */
  readonly isOurs: boolean;
}

/** All states of the synced Secrets in a control plane, recorded by a watch with the administrator's rights. */
export class Revisions {
  readonly #stop = new AbortController();
  readonly #states = new Map<string, (Revision | undefined)[]>();
  readonly #access;

  constructor(plane: ControlPlane) {
    this.#access = kubeAccess(plane.kubeconfigPath);
    this.#access.watcher().reflect<Revision>(
      {
        resource: RESOURCES.secrets,
        labelSelector: `${MANAGED_LABEL}=true`,
        project: revisionOf,
        onChange: (ref, { current }) => this.#note(ref, current),
      },
      this.#stop.signal,
    );
  }

  /** Oldest first. Undefined where the Secret was deleted. */
  of(namespace: string, name: string): readonly (Revision | undefined)[] {
    return this.#states.get(objectKey({ namespace, name })) ?? [];
  }

  /** Number of the cell's existing Secrets. */
  present(cell: Cell): number {
    return cell.names.filter((name) => this.of(cell.namespace, name).at(-1) !== undefined).length;
  }

  /** Number of writes that the API server stored for the cell. */
  count(cell: Cell): number {
    return cell.names.reduce((sum, name) => sum + this.of(cell.namespace, name).filter((state) => state !== undefined).length, 0);
  }

  /** Number of the cell's Secrets whose version is at least that of the mark. */
  reached(cell: Cell, mark: ReadonlyMap<string, number>): number {
    return cell.names.filter((name) => {
      const version = this.of(cell.namespace, name).at(-1)?.version ?? "";
      return cell.indexOf(name, version) >= (mark.get(name) ?? 0);
    }).length;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#access.config.close();
  }

  #note(ref: ObjectRef, state: Revision | undefined): void {
    const key = objectKey(ref);
    this.#states.set(key, [...(this.#states.get(key) ?? []), state]);
  }
}

function revisionOf(object: Secret): Revision {
  const { uid = "", labels = {}, annotations = {}, managedFields = [] } = object.metadata;
  const objects = annotations[SECRET_ANNOTATIONS.objects] ?? "";
  const latest = managedFields.reduce((last, { time = "" }) => (time > last ? time : last), "");
  return {
    uid,
    version: objects.slice(objects.indexOf("@") + 1),
    content: createHash("sha256")
      .update(JSON.stringify([object.data ?? {}, labels, annotations]))
      .digest("hex"),
    isOurs: managedFields.some(({ manager, time = "" }) => manager === FIELD_MANAGER && time === latest),
  };
}

/** States that must never be stored: an older version over a newer one, or the same version again. One sentence for each. */
export function doubleWrites(revisions: Revisions, cell: Cell): readonly string[] {
  return cell.names.flatMap((name) => {
    let newest = -1;
    let before: Revision | undefined;
    return revisions.of(cell.namespace, name).flatMap((state) => {
      const previous = before;
      before = state;
      if (state === undefined) return [];
      const index = cell.indexOf(name, state.version);
      const isOlder = state.isOurs && index >= 0 && index < newest;
      newest = Math.max(newest, index);
      if (isOlder) return [`${cell.namespace}/${name}: version ${index} was written over version ${newest}`];
      const isRepeated = previous?.uid === state.uid && previous.content === state.content && state.isOurs;
      return isRepeated ? [`${cell.namespace}/${name}: version ${index} was written twice`] : [];
    });
  });
}

import { refOfKey } from "../../domain/object-key.ts";
import { usesOf } from "../../domain/rollout/uses.ts";
import type { RolloutWorkloads } from "./rollout-workloads.ts";

type Workloads = Pick<RolloutWorkloads, "hasSynced" | "unlisted" | "ofNamespace" | "defaultsOf">;

const NONE: ReadonlySet<string> = new Set();

/**
 * Classes that some workload uses which asks for restarts. Of those that mirror nothing the vault is asked for this reason alone: of all
 * others nothing is.
 */
export class FollowedClasses {
  readonly #workloads: Workloads;
  /** Names by namespace, as the workloads are now; absent where they have to be gone through. */
  readonly #current = new Map<string, ReadonlySet<string>>();
  /** The same as {@link changesIn} last told them. */
  readonly #told = new Map<string, ReadonlySet<string>>();

  constructor(workloads: Workloads) {
    this.#workloads = workloads;
  }

  /** Whether the class (`namespace/name`) is one; undefined while the workloads that may be are not listed. */
  has(classKey: string): boolean | undefined {
    if (!this.#workloads.hasSynced) return undefined;
    const { namespace, name } = refOfKey(classKey);
    if (this.#namesIn(namespace).has(name)) return true;
    return this.#workloads.unlisted.length === 0 ? false : undefined;
  }

  /** A workload of the namespace, or a default of it, has changed. */
  note(namespace: string): void {
    this.#current.delete(namespace);
  }

  /** Classes (`namespace/name`) that have become one since the last time, or ceased to be one. */
  changesIn(namespace: string): readonly string[] {
    if (!this.#workloads.hasSynced) return [];
    const before = this.#told.get(namespace) ?? NONE;
    const now = this.#namesIn(namespace);
    if (now.size === 0) this.#told.delete(namespace);
    else this.#told.set(namespace, now);
    const changed = [...[...now].filter((name) => !before.has(name)), ...[...before].filter((name) => !now.has(name))];
    return changed.map((name) => `${namespace}/${name}`);
  }

  #namesIn(namespace: string): ReadonlySet<string> {
    const known = this.#current.get(namespace);
    if (known !== undefined) return known;
    const workloads = this.#workloads.ofNamespace(namespace);
    if (workloads.length === 0) return NONE;
    const defaults = this.#workloads.defaultsOf(namespace);
    const asking = workloads.map((workload) => usesOf(workload, defaults)).filter(({ asksForRestarts }) => asksForRestarts);
    const names = new Set(asking.flatMap(({ classes }) => classes));
    this.#current.set(namespace, names);
    return names;
  }
}

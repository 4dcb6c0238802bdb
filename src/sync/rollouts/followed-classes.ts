import { refOfKey } from "../../domain/object-key.ts";
import { usesOf } from "../../domain/rollout/uses.ts";
import type { RolloutWorkloads } from "./rollout-workloads.ts";

type Workloads = Pick<RolloutWorkloads, "hasSynced" | "unlisted" | "ofNamespace" | "defaultsOf">;

const NONE: ReadonlySet<string> = new Set();

/**
 * Classes of workloads that request restarts. If such a class has no synced Secrets, this is the only reason why the worker queries the
 * vault for it. For other classes without synced Secrets, the worker does not query the vault.
 */
export class FollowedClasses {
  readonly #workloads: Workloads;
  /** Class names by namespace for the current workloads; absent if the worker has to go through the workloads. */
  readonly #current = new Map<string, ReadonlySet<string>>();
  /** Class names by namespace as of the last call of {@link changesIn}. */
  readonly #reported = new Map<string, ReadonlySet<string>>();

  constructor(workloads: Workloads) {
    this.#workloads = workloads;
  }

  /**
   * Whether a workload that requests restarts uses the class (`namespace/name`); undefined while workloads that may do so are not listed.
   */
  has(classKey: string): boolean | undefined {
    if (!this.#workloads.hasSynced) return undefined;
    const { namespace, name } = refOfKey(classKey);
    if (this.#namesIn(namespace).has(name)) return true;
    return this.#workloads.unlisted.length === 0 ? false : undefined;
  }

  /** Call this when a workload of the namespace, or a default of the Namespace, changes. */
  note(namespace: string): void {
    this.#current.delete(namespace);
  }

  /** Returns the classes (`namespace/name`) whose use by such workloads has begun or ended since the last call. */
  changesIn(namespace: string): readonly string[] {
    if (!this.#workloads.hasSynced) return [];
    const before = this.#reported.get(namespace) ?? NONE;
    const now = this.#namesIn(namespace);
    if (now.size === 0) this.#reported.delete(namespace);
    else this.#reported.set(namespace, now);
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

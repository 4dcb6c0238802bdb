/**
 * Options of the slots of `--max-rollouts`. The worker counts slots by the restarts that each namespace has under way. A namespace without
 * a slot waits in line, so that a namespace with a hundred workloads waits behind one with a single workload. Reconciles of the namespaces
 * rebuild all of this: another leader begins with an empty line.
 */
export interface ClusterSlotsOptions {
  /** `--max-rollouts` */
  readonly most: number;
  /** Returns the namespaces with workloads that may request restarts. */
  readonly namespaces: () => readonly string[];
  /**
   * Returns the number of workloads of the namespace whose restart seems to be under way. Called only until the namespace has been
   * reconciled.
   */
  readonly unseenIn: (namespace: string) => number;
  /** Called if there may be a slot for the namespace. */
  readonly wake: (namespace: string) => void;
}

export interface SlotClaim {
  readonly namespace: string;
  /** Number of restarts that are under way and have not failed. */
  readonly underWay: number;
  /** Number of restarts that could begin now. */
  readonly wanted: number;
}

export class ClusterSlots {
  readonly #options: ClusterSlotsOptions;
  readonly #underWay = new Map<string, number>();
  /** Waiting namespaces, in the order of their claims. */
  readonly #line = new Set<string>();

  constructor(options: ClusterSlotsOptions) {
    this.#options = options;
  }

  /**
   * Returns how many of the wanted restarts begin. They count from now on. For the rest, the namespace waits behind the namespaces that
   * already wait.
   */
  claim({ namespace, underWay, wanted }: SlotClaim): number {
    this.#underWay.set(namespace, underWay);
    const granted = Math.min(wanted, this.#shareOf(namespace));
    this.#underWay.set(namespace, underWay + granted);
    if (granted > 0 || wanted === 0) this.#line.delete(namespace);
    if (granted < wanted) this.#line.add(namespace);
    this.#wakeNext(namespace);
    return granted;
  }

  /**
   * Call this if the reconcile of the namespace failed, so that no other namespace waits behind it. Its restarts that are under way still
   * count.
   */
  leaveLine(namespace: string): void {
    if (this.#line.delete(namespace)) this.#wakeNext(namespace);
  }

  /** Call this if no workload of the namespace requests restarts any more. */
  forget(namespace: string): void {
    this.#underWay.delete(namespace);
    this.leaveLine(namespace);
  }

  /**
   * Returns the number of slots that the namespace can use. Reserves one slot for each namespace before it in line. Also reserves one for
   * each namespace behind it, unless this would leave none for the namespace itself.
   */
  #shareOf(namespace: string): number {
    const others = [...this.#line].filter((each) => each !== namespace).length;
    const left = this.#free() - this.#ahead(namespace);
    return left <= 0 ? 0 : Math.max(1, left - (others - this.#ahead(namespace)));
  }

  #free(): number {
    let used = 0;
    for (const count of this.#underWay.values()) used += count;
    const { namespaces, unseenIn } = this.#options;
    for (const namespace of namespaces()) if (!this.#underWay.has(namespace)) used += unseenIn(namespace);
    return this.#options.most - used;
  }

  /** Returns the number of namespaces that are before it in line. */
  #ahead(namespace: string): number {
    let count = 0;
    for (const each of this.#line) {
      if (each === namespace) return count;
      count += 1;
    }
    return count;
  }

  #wakeNext(claimant: string): void {
    let free = this.#free();
    for (const namespace of this.#line) {
      if (free <= 0) return;
      if (namespace !== claimant) this.#options.wake(namespace);
      free -= 1;
    }
  }
}

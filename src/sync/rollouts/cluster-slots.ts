/**
 * Which namespaces may restart workloads under `--max-rollouts`. Slots are counted by what each namespace has under way; who does not get one
 * stands in a line of namespaces, so that one with a hundred workloads waits behind one with a single one. Everything here is found again by
 * looks at the namespaces: another leader begins with an empty line.
 */
export interface ClusterSlotsOptions {
  /** `--max-rollouts` */
  readonly most: number;
  /** Those with workloads that may ask. */
  readonly namespaces: () => readonly string[];
  /** How many workloads of the namespace look as if their restart was under way. Asked only while the namespace was not looked at yet. */
  readonly unseenIn: (namespace: string) => number;
  /** There may be a slot for the namespace. */
  readonly wake: (namespace: string) => void;
}

export interface SlotClaim {
  readonly namespace: string;
  /** Restarts that are under way, and have not failed. */
  readonly underWay: number;
  /** Restarts that could begin now. */
  readonly wanted: number;
}

export class ClusterSlots {
  readonly #options: ClusterSlotsOptions;
  readonly #underWay = new Map<string, number>();
  /** In the order of their claims. */
  readonly #line = new Set<string>();

  constructor(options: ClusterSlotsOptions) {
    this.#options = options;
  }

  /** How many of the wanted restarts begin: they count from now on. The rest waits behind the namespaces that wait already. */
  claim({ namespace, underWay, wanted }: SlotClaim): number {
    this.#underWay.set(namespace, underWay);
    const granted = Math.min(wanted, this.#shareOf(namespace));
    this.#underWay.set(namespace, underWay + granted);
    if (granted > 0 || wanted === 0) this.#line.delete(namespace);
    if (granted < wanted) this.#line.add(namespace);
    this.#wakeNext(namespace);
    return granted;
  }

  /** It could not be looked at: nobody waits behind it. What it has under way still counts. */
  leaveLine(namespace: string): void {
    if (this.#line.delete(namespace)) this.#wakeNext(namespace);
  }

  /** Nothing in it asks any more. */
  forget(namespace: string): void {
    this.#underWay.delete(namespace);
    this.leaveLine(namespace);
  }

  /** At least one for each that is in the line before and behind it, as far as there are. */
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

  /** Namespaces that asked before. */
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

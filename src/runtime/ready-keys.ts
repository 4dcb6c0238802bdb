/** A key that was handed out. */
export interface Taken {
  readonly key: string;
  /** Unix milliseconds when it became due. */
  readonly since: number;
  readonly group: string | undefined;
}

export interface Groups {
  /** What the key's handler may have to wait for; undefined: nothing that others wait for too. */
  readonly of: (key: string) => string | undefined;
  /** Keys of one group that are handled at the same time. */
  readonly share: number;
}

/** Keys that are due, in the order in which they became so. Of a group no more than its share is out at a time: the rest lets others pass. */
export class ReadyKeys {
  readonly #groups: Groups | undefined;
  /** All of them, with the time they became due. */
  readonly #since = new Map<string, number>();
  readonly #next = new Set<string>();
  /** With the group that has a place for them again: they have waited longer than those above. */
  readonly #released = new Map<string, string>();
  readonly #parked = new Map<string, Set<string>>();
  readonly #out = new Map<string, number>();

  constructor(groups: Groups | undefined) {
    this.#groups = groups;
  }

  get size(): number {
    return this.#since.size;
  }

  /** Unix milliseconds since when the first of them has been due. */
  get oldest(): number | undefined {
    return this.#since.values().next().value;
  }

  add(key: string, now: number): void {
    if (this.#since.has(key)) return;
    this.#since.set(key, now);
    this.#next.add(key);
  }

  /** The next whose group has a place. It has to be given back when its handler has ended. */
  take(): Taken | undefined {
    for (const [key, from] of this.#released) {
      this.#released.delete(key);
      const group = this.#groups?.of(key);
      // It is in another group by now, and leaves the place to the next of the old one.
      if (group !== from) this.#release(from);
      if (!this.#isFull(group)) return this.#handOut(key, group);
      this.#park(key, group);
    }
    for (const key of this.#next) {
      this.#next.delete(key);
      const group = this.#groups?.of(key);
      if (!this.#isFull(group)) return this.#handOut(key, group);
      this.#park(key, group);
    }
    return undefined;
  }

  giveBack({ group }: Taken): void {
    if (group === undefined) return;
    const left = (this.#out.get(group) ?? 1) - 1;
    if (left === 0) this.#out.delete(group);
    else this.#out.set(group, left);
    this.#release(group);
  }

  #release(group: string): void {
    const parked = this.#parked.get(group);
    const [key] = parked ?? [];
    if (parked === undefined || key === undefined) return;
    parked.delete(key);
    if (parked.size === 0) this.#parked.delete(group);
    this.#released.set(key, group);
  }

  #isFull(group: string | undefined): group is string {
    return group !== undefined && (this.#out.get(group) ?? 0) >= (this.#groups?.share ?? Number.POSITIVE_INFINITY);
  }

  #handOut(key: string, group: string | undefined): Taken {
    const since = this.#since.get(key) ?? 0;
    this.#since.delete(key);
    if (group !== undefined) this.#out.set(group, (this.#out.get(group) ?? 0) + 1);
    return { key, since, group };
  }

  #park(key: string, group: string): void {
    const parked = this.#parked.get(group) ?? new Set();
    this.#parked.set(group, parked.add(key));
  }
}

/** Counts how often properties of objects are read: what a search costs, whatever the machine. */
export class CountedReads {
  count = 0;

  /** Stands for the object, and for all that is in it. */
  of<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (inner, key, receiver) => {
        this.count += 1;
        return Reflect.get(inner, key, receiver);
      },
    });
  }

  ofEach<T extends object>(targets: readonly T[]): readonly T[] {
    return targets.map((target) => this.of(target));
  }
}

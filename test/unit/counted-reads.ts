/** Counts property reads of objects, which shows the cost of a search on any machine. */
export class CountedReads {
  count = 0;

  /** Returns a proxy that counts each read of a property of the object. It does not count reads in nested objects. */
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

/** What waits, by namespace: taken in turns, and of one namespace never two at a time. */
export class NamespaceTurns<T> {
  /** In the order of the turns. */
  readonly #waiting = new Map<string, T[]>();
  readonly #out = new Set<string>();

  add(namespace: string, item: T): void {
    const ofNamespace = this.#waiting.get(namespace);
    if (ofNamespace === undefined) this.#waiting.set(namespace, [item]);
    else ofNamespace.push(item);
  }

  /** The first of the namespace whose turn it is. {@link NamespaceTurns.end} has to follow. */
  take(): { readonly namespace: string; readonly item: T } | undefined {
    for (const [namespace, items] of this.#waiting) {
      if (this.#out.has(namespace)) continue;
      const [item, ...rest] = items;
      this.#waiting.delete(namespace);
      if (rest.length > 0) this.#waiting.set(namespace, rest);
      if (item === undefined) continue;
      this.#out.add(namespace);
      return { namespace, item };
    }
    return undefined;
  }

  end(namespace: string): void {
    this.#out.delete(namespace);
  }
}

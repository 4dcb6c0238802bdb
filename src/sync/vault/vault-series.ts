/** Classes name vaults, and whoever writes classes could name thousands: metrics tell so many apart. */
const MOST = 200;

const OTHER = "other";

interface SeriesOptions {
  /** The series of a label are wanted. */
  readonly begin: (label: string) => void;
  /** No vault has the label any more. */
  readonly end: (label: string) => void;
}

/** Which vaults have time series of their own: so many at a time, and none that no class names any more. Others forget those with it. */
export class VaultSeries {
  readonly #options: SeriesOptions;
  readonly #labels = new Map<string, string>();
  /** The vault of each class, as it was last asked. */
  readonly #vaultOf = new Map<string, string>();
  readonly #listeners: ((isNamed: (vaultUrl: string) => boolean) => void)[] = [];
  /** Classes come and go: so many are remembered before those that went are looked for. */
  #tidyAt = 2 * MOST;
  /** So do the vaults that one class names in turn. */
  #tidyLabelsAt = 2 * MOST;
  #isClass: ((classKey: string) => boolean) | undefined;

  constructor(options: SeriesOptions) {
    this.#options = options;
  }

  /** Host name of the vault, or `other` where too many have series already. */
  labelOf(vaultUrl: string): string {
    const key = vaultUrl.toLowerCase();
    const known = this.#labels.get(key);
    if (known !== undefined) return known;
    if (this.#labels.size >= this.#tidyLabelsAt) this.dropUnnamed();
    const label = this.#labels.size < MOST ? new URL(vaultUrl).hostname : OTHER;
    this.#labels.set(key, label);
    this.#options.begin(label);
    return label;
  }

  noteUse(classKey: string, vaultUrl: string): void {
    this.#vaultOf.set(classKey, vaultUrl.toLowerCase());
    // A scrape does the same; but there may be none.
    if (this.#vaultOf.size > this.#tidyAt) this.dropUnnamed();
  }

  /** How to know whether a class is there. Nothing is dropped before this is called. */
  observe(isClass: (classKey: string) => boolean): void {
    this.#isClass = isClass;
  }

  /** `listener` learns which vaults classes name, each time that the others are dropped. */
  onDrop(listener: (isNamed: (vaultUrl: string) => boolean) => void): void {
    this.#listeners.push(listener);
  }

  /** Ends the series of vaults that no class names. One that is asked all the same, by a request under way, has series once more. */
  dropUnnamed(): void {
    const isClass = this.#isClass;
    if (isClass === undefined) return;
    for (const key of this.#vaultOf.keys()) if (!isClass(key)) this.#vaultOf.delete(key);
    this.#tidyAt = 2 * (this.#vaultOf.size + MOST);
    const named = new Set(this.#vaultOf.values());
    const before = new Set(this.#labels.values());
    for (const vault of this.#labels.keys()) if (!named.has(vault)) this.#labels.delete(vault);
    this.#tidyLabelsAt = 2 * (this.#labels.size + MOST);
    const after = new Set(this.#labels.values());
    for (const label of before) if (!after.has(label)) this.#options.end(label);
    for (const listener of this.#listeners) listener((vaultUrl) => named.has(vaultUrl.toLowerCase()));
  }
}

import { backendHasRoom, tenantHasRoom } from "../domain/schedule/fair-share.ts";

/** Whose work a key is. */
export interface Party {
  readonly tenant: string;
  /** What the key's handler may have to wait for; undefined: nothing that others wait for too. */
  readonly backend: string | undefined;
  /** Workers that the key takes all at once; 1 where not given. */
  readonly size?: number;
}

/** How workers are shared. Without it each key has a tenant of its own. */
export interface Sharing {
  readonly of: (key: string) => Party;
  /** Keys of one tenant that are handled at the same time and wait for the same backend, at most. */
  readonly perBackend: number;
}

/** A key that was handed out. */
export interface Taken extends Party {
  readonly key: string;
  /** Unix milliseconds when it became due. */
  readonly since: number;
}

/**
 * Keys that are due. Tenants take turns, and so do the backends of a tenant; keys of one backend come in the order in which they became
 * due. How many of a tenant are out at a time depends on how many workers are free: see `domain/schedule/fair-share.ts`.
 */
export class ReadyKeys {
  readonly #workers: number;
  readonly #sharing: Sharing | undefined;
  /** All of them, with the time they became due and where they wait. */
  readonly #waiting = new Map<string, Taken>();
  /** By tenant and backend, whoever's turn is next in front. */
  readonly #turns = new Map<string, Map<string | undefined, Set<string>>>();
  readonly #running = new RunningCounts();

  constructor(workers: number, sharing: Sharing | undefined) {
    this.#workers = workers;
    this.#sharing = sharing;
  }

  get size(): number {
    return this.#waiting.size;
  }

  hasBesides(keys: ReadonlySet<string>): boolean {
    for (const key of this.#waiting.keys()) if (!keys.has(key)) return true;
    return false;
  }

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Keys of the tenant that wait. */
  waitingOf(tenant: string): number {
    let count = 0;
    for (const keys of this.#turns.get(tenant)?.values() ?? []) count += keys.size;
    return count;
  }

  /** Unix milliseconds since when the first of them has been due. */
  get oldest(): number | undefined {
    return this.#waiting.values().next().value?.since;
  }

  /** Added again, it keeps its time, and waits for what it would wait for by now. */
  add(key: string, now: number): void {
    const before = this.#waiting.get(key);
    const { tenant, backend, size = 1 } = this.#sharing?.of(key) ?? { tenant: key, backend: undefined };
    if (before?.tenant === tenant && before.backend === backend) return;
    if (before !== undefined) this.#leaveTurn(before);
    this.#waiting.set(key, { key, since: before?.since ?? now, tenant, backend, size });
    const backends = this.#turns.get(tenant) ?? new Map<string | undefined, Set<string>>();
    this.#turns.set(tenant, backends.set(backend, (backends.get(backend) ?? new Set()).add(key)));
  }

  delete(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    this.#leaveTurn(waiting);
  }

  /** The next that may have a worker. It has to be given back when its handler has ended. */
  take(): Taken | undefined {
    const free = this.#workers - this.#running.all;
    if (free <= 0) return undefined;
    let isSaving = false;
    for (const [tenant, backends] of this.#turns) {
      if (this.#sharing !== undefined && !tenantHasRoom(this.#running.ofTenant(tenant), free)) continue;
      for (const keys of backends.values()) {
        const [key] = keys;
        const taken = key === undefined ? undefined : this.#waiting.get(key);
        if (taken === undefined || (isSaving && sizeOf(taken) > 1)) continue;
        if (this.#hasRoom(taken, free)) return this.#handOut(taken);
        isSaving ||= this.#isStarved(taken);
      }
    }
    return undefined;
  }

  /** The same key with more workers, where its tenant may have them and nobody is starved; otherwise undefined, and nothing has changed. */
  grow(taken: Taken, size: number): Taken | undefined {
    const more = size - sizeOf(taken);
    if (!tenantHasRoom(this.#running.ofTenant(taken.tenant), this.#workers - this.#running.all, more)) return undefined;
    for (const backends of this.#turns.values())
      for (const [key = ""] of backends.values()) {
        const first = this.#waiting.get(key);
        if (first !== undefined && this.#isStarved(first)) return undefined;
      }
    this.#running.add({ ...taken, size: more }, 1);
    return { ...taken, size };
  }

  giveBack(taken: Taken): void {
    this.#running.add(taken, -1);
  }

  #hasRoom(party: Party, free: number): boolean {
    if (this.#sharing === undefined) return true;
    if (!tenantHasRoom(this.#running.ofTenant(party.tenant), free, sizeOf(party))) return false;
    if (party.backend === undefined) return true;
    return backendHasRoom(this.#running.ofBackend(party.backend), free) && this.#running.of(party) < this.#sharing.perBackend;
  }

  /** Of a tenant that has nothing, and too large for what is free: until it fits, nothing goes to others that are larger than a single one. */
  #isStarved(waiting: Taken): boolean {
    return sizeOf(waiting) > 1 && this.#running.ofTenant(waiting.tenant) === 0;
  }

  #handOut(taken: Taken): Taken {
    this.#waiting.delete(taken.key);
    this.#leaveTurn(taken);
    this.#toTheEnd(taken);
    this.#running.add(taken, 1);
    return taken;
  }

  #leaveTurn({ key, tenant, backend }: Taken): void {
    const backends = this.#turns.get(tenant);
    const keys = backends?.get(backend);
    keys?.delete(key);
    if (keys?.size === 0) backends?.delete(backend);
    if (backends?.size === 0) this.#turns.delete(tenant);
  }

  #toTheEnd({ tenant, backend }: Party): void {
    const backends = this.#turns.get(tenant);
    if (backends === undefined) return;
    this.#turns.delete(tenant);
    this.#turns.set(tenant, backends);
    const keys = backends.get(backend);
    if (keys === undefined) return;
    backends.delete(backend);
    backends.set(backend, keys);
  }
}

/** How many keys are in handlers' hands, whose, and behind what. */
class RunningCounts {
  all = 0;
  readonly #byTenant = new Map<string, number>();
  readonly #byBackend = new Map<string, number>();
  readonly #byParty = new Map<string, number>();

  of(party: Party): number {
    return this.#byParty.get(partyKey(party)) ?? 0;
  }

  ofTenant(tenant: string): number {
    return this.#byTenant.get(tenant) ?? 0;
  }

  ofBackend(backend: string): number {
    return this.#byBackend.get(backend) ?? 0;
  }

  add(party: Party, sign: 1 | -1): void {
    const change = sign * sizeOf(party);
    this.all += change;
    count(this.#byTenant, party.tenant, change);
    count(this.#byParty, partyKey(party), change);
    if (party.backend !== undefined) count(this.#byBackend, party.backend, change);
  }
}

function sizeOf({ size = 1 }: Party): number {
  return size;
}

function partyKey({ tenant, backend = "" }: Party): string {
  return JSON.stringify([tenant, backend]);
}

function count(counts: Map<string, number>, name: string, change: number): void {
  const next = (counts.get(name) ?? 0) + change;
  if (next > 0) counts.set(name, next);
  else counts.delete(name);
}

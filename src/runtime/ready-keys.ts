import { backendHasRoom, tenantHasRoom } from "../domain/schedule/fair-share.ts";

/** The tenant and the backend that a key works for. */
export interface Party {
  readonly tenant: string;
  /** Backend that the key's handler may have to wait for; undefined if others do not wait for it, too. */
  readonly backend: string | undefined;
  /** Number of workers that the key takes at once; default 1. */
  readonly size?: number;
}

/** Rules by which keys share workers. Without them, each key is its own tenant. */
export interface Sharing {
  readonly of: (key: string) => Party;
  /** Maximum number of keys of one tenant that run at the same time and wait for the same backend. */
  readonly perBackend: number;
}

/** A key that was handed out. */
export interface Taken extends Party {
  readonly key: string;
  /** Unix milliseconds at which it became due. */
  readonly since: number;
}

/**
 * Keys that are due. Tenants take turns, and so do the backends of a tenant; keys of one backend come in the order in which they became
 * due. The number of free workers determines how many keys of a tenant run at a time: see `domain/schedule/fair-share.ts`.
 */
export class ReadyKeys {
  readonly #workers: number;
  readonly #sharing: Sharing | undefined;
  /** All waiting keys, with the time at which they became due, and their tenant and backend. */
  readonly #waiting = new Map<string, Taken>();
  /** By tenant and backend. The next one whose turn it is comes first. */
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

  /** Returns the number of keys of the tenant that wait. */
  waitingOf(tenant: string): number {
    let count = 0;
    for (const keys of this.#turns.get(tenant)?.values() ?? []) count += keys.size;
    return count;
  }

  /** Unix milliseconds at which the first of them became due. */
  get oldest(): number | undefined {
    return this.#waiting.values().next().value?.since;
  }

  /** Adds a key. If it waits already, it keeps its time, but moves to the tenant and backend that it has now. */
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

  /** Returns the next key that may have a worker. Give it back when its handler has ended. */
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

  /**
   * Returns the same key with more workers if its tenant may have them and no key is starved. Otherwise returns undefined, and nothing has
   * changed.
   */
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

  /** Whether the key needs several workers and its tenant has none. Until it fits, no other key that needs several gets them. */
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

/** Numbers of workers in use: in total, by tenant, and by backend. */
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

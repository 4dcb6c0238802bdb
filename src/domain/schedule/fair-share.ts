/**
 * Decides whether a tenant can take one more of a limited number of shared slots. The thresholds depend on the free slots, as in the shared
 * buffers of network switches (Choudhury and Hahne, 1998). A single tenant gets half, several tenants get less each, and the rest stays
 * free for the next tenant. The method never interrupts running work, so it also suits work that cannot be interrupted.
 */

/** A backend can hold this many times the number of free slots: three quarters of all if there is no other work. */
const BACKEND_FACTOR = 3;

/**
 * `running`: slots that the tenant holds. `size`: number of slots that it requests. It gets all or none, as if it took one after the other.
 */
export function tenantHasRoom(running: number, free: number, size = 1): boolean {
  return running + size - 1 < free - (size - 1);
}

/** `running`: slots of all tenants that wait for the backend. */
export function backendHasRoom(running: number, free: number): boolean {
  return running < BACKEND_FACTOR * free;
}

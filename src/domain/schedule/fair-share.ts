/**
 * Who may take one more of a number of slots that many share. The thresholds move with what is free, as in the shared buffers of network
 * switches (Choudhury and Hahne, 1998): alone a tenant gets half, among several each gets less, and what nobody holds is there for whoever
 * comes next. Nobody has to be stopped for that, so it holds for work that cannot be interrupted.
 */

/** A backend may hold so many times as much as is free: three quarters of all, where nothing else is going on. */
const BACKEND_FACTOR = 3;

/** `running`: slots that the tenant holds. `size`: how many more it asks for; it gets all or none, as if it took one after the other. */
export function tenantHasRoom(running: number, free: number, size = 1): boolean {
  return running + size - 1 < free - (size - 1);
}

/** `running`: slots in which somebody waits for the backend, whichever tenant. */
export function backendHasRoom(running: number, free: number): boolean {
  return running < BACKEND_FACTOR * free;
}

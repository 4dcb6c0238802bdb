import { keyOf } from "../../../src/domain/object-key.ts";
import type { FetchMirror } from "../../../src/sync/vault/mirror.ts";
import type { ValuesInHand } from "../../../src/sync/vault/values-in-hand.ts";

/** Releases the values of a class after its fetch, as the worker's queue does after a reconcile. */
export function endingValues(values: ValuesInHand, mirror: FetchMirror): FetchMirror {
  return async (spc, request, signal) => {
    try {
      return await mirror(spc, request, signal);
    } finally {
      values.end(keyOf(spc));
    }
  };
}

import { keyOf } from "../../../src/domain/object-key.ts";
import type { FetchMirror } from "../../../src/sync/vault/mirror.ts";
import type { ValuesInHand } from "../../../src/sync/vault/values-in-hand.ts";

/** As the worker's queue does once a class is reconciled: its values are no longer in hand. */
export function endingValues(values: ValuesInHand, mirror: FetchMirror): FetchMirror {
  return async (spc, request, signal) => {
    try {
      return await mirror(spc, request, signal);
    } finally {
      values.end(keyOf(spc));
    }
  };
}

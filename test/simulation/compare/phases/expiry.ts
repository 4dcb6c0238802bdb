import type { Batch } from "../batch.ts";
import { PLACES, typeOf } from "../generate/places.ts";
import type { Operation } from "../operation.ts";
import { namespace } from "./ground.ts";

/** Pages of a list that the server no longer remembers, and versions that do not exist. */
export function expiryBatch(seed: number): Batch {
  const serial = `expiry${seed}`;
  const name = `${serial}-x`;
  const place = PLACES.secrets;
  const secret = (of: string): Operation => ({
    verb: "create",
    place,
    namespace: name,
    name: of,
    body: { ...typeOf(place), metadata: { name: of } },
  });
  const change: Operation = { verb: "merge", place, namespace: name, name: "b", body: { metadata: { labels: { app: "a" } } } };
  const page: Operation = { verb: "page", place, namespace: name, query: { limit: "2" } };
  return {
    serial,
    setup: [namespace(name), ...["a", "b", "c", "d", "e"].map(secret)],
    operations: [
      page,
      change,
      { ...page, afterCompaction: true, awaits: "Expired" },
      // From here on with the token from the refusal.
      page,
      page,
      { verb: "list", place, namespace: name, query: { resourceVersion: "99999999999" } },
      { verb: "list", place, namespace: name, query: { resourceVersion: "$listed", limit: "1" } },
      { verb: "list", place, namespace: name, query: { continue: "not a token" } },
    ],
    watches: [],
    states: [{ place, namespace: name }],
  };
}

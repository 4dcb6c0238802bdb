import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { KubeClient, ReadResult } from "../../src/domain/ports/kube-client.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { createClassLookup } from "../../src/webhook/class-lookup.ts";
import type { ClassLookupResult } from "../../src/webhook/live-lookup.ts";
import { aClass } from "../support/fixtures/pods.ts";

const ref = { namespace: "default", name: "akvprovider-demo" };
const emptyCache = { get: () => undefined };

/** A client that returns the given answer. `read` is generic in the port, so that a test can return any answer of the API server. */
function kubeThat(answer: (signal: AbortSignal) => Promise<ReadResult<never>>): Pick<KubeClient, "read"> {
  return { read: async (_resource, _ref, signal) => answer(signal) };
}

describe("the lookup of a class", () => {
  test("takes the cached one without a read", async () => {
    const kube = kubeThat(async () => assert.fail("read"));
    const lookUp = createClassLookup({ classes: { get: () => aClass() }, kube });

    assert.deepEqual(await lookUp(ref), { kind: "found", class: aClass() });
  });

  test("reads one that the cache lacks, and says what the API server said", async () => {
    const answers: readonly [ReadResult<never>, string][] = [
      [{ kind: "found", object: aClass() as never }, "found"],
      [{ kind: "absent" }, "missing"],
      [{ kind: "unserved" }, "unknown"],
    ];
    for (const [answer, kind] of answers) {
      const lookUp = createClassLookup({ classes: emptyCache, kube: kubeThat(async () => answer) });
      assert.equal((await lookUp(ref)).kind, kind);
    }
  });

  test("shares one read among all who ask for the class at once, and reads anew later", async () => {
    let reads = 0;
    const results: ClassLookupResult[] = [];
    const kube = kubeThat(async () => {
      reads += 1;
      return { kind: "absent" };
    });
    const lookUp = createClassLookup({ classes: emptyCache, kube, onLookup: (result) => results.push(result) });

    await Promise.all(Array.from({ length: 50 }, () => lookUp(ref)));
    assert.equal(reads, 1);
    await lookUp(ref);
    assert.equal(reads, 2);
    assert.equal(results.filter((result) => result === "missing").length, 51);
  });

  /** The live reads of `lookUp` end when the test settles them. */
  function withOpenReads(): {
    readonly begun: readonly PromiseWithResolvers<ReadResult<never>>[];
    readonly lookUp: ReturnType<typeof createClassLookup>;
  } {
    const begun: PromiseWithResolvers<ReadResult<never>>[] = [];
    const kube = kubeThat(() => {
      const read = Promise.withResolvers<ReadResult<never>>();
      begun.push(read);
      return read.promise;
    });
    return { begun, lookUp: createClassLookup({ classes: emptyCache, kube }) };
  }

  test("RC20-5: believes no absence that was read before it was asked, and shares what is found", async () => {
    const { begun, lookUp } = withOpenReads();
    const early = lookUp(ref);
    await nextTurn();
    const later = [lookUp(ref), lookUp(ref), lookUp(ref)];
    begun[0]?.resolve({ kind: "absent" });
    assert.equal((await early).kind, "missing");
    await nextTurn();
    const latest = lookUp(ref);
    begun[1]?.resolve({ kind: "found", object: aClass() as never });
    const checked = await Promise.all([...later, latest]);
    assert.deepEqual(
      checked.map(({ kind }) => kind),
      ["found", "found", "found", "found"],
    );
    assert.equal(begun.length, 2, "one read for all who came while the first was under way");
  });

  test("RV6: shares the next read with all who joined one without an answer", async () => {
    const { begun, lookUp } = withOpenReads();
    const first = lookUp(ref);
    const atOnce = lookUp(ref);
    await nextTurn();
    const later = [lookUp(ref), lookUp(ref)];
    begun[0]?.reject(new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } }));
    assert.equal((await first).kind, "unknown");
    await nextTurn();
    begun[1]?.resolve({ kind: "found", object: aClass() as never });
    const joined = await Promise.all([atOnce, ...later]);
    assert.deepEqual(
      joined.map(({ kind }) => kind),
      ["found", "found", "found"],
    );
    assert.equal(begun.length, 2, "one read for all who joined the one without an answer");
  });

  test("RV6: gives up after the second read without an answer", async () => {
    let reads = 0;
    const kube = kubeThat(async () => {
      reads += 1;
      throw new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
    });
    const lookUp = createClassLookup({ classes: emptyCache, kube });
    const outcomes = await Promise.all([lookUp(ref), lookUp(ref), lookUp(ref)]);

    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["unknown", "unknown", "unknown"],
    );
    assert.equal(reads, 2);
  });

  test("knows nothing when the API server refuses, and gives up on one that does not answer", async () => {
    const refusing = kubeThat(async () => {
      throw new KubeError("Unavailable", "no answer", { retry: { kind: "backoff" } });
    });
    const silent = kubeThat(
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    );

    assert.deepEqual(await createClassLookup({ classes: emptyCache, kube: refusing })(ref), { kind: "unknown" });
    // AbortSignal.timeout alone does not keep the process alive. A listening server would.
    const alive = setTimeout(() => undefined, 10_000);
    assert.deepEqual(await createClassLookup({ classes: emptyCache, kube: silent })(ref), { kind: "unknown" });
    clearTimeout(alive);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import jsonpatch from "fast-json-patch";
import type { AdmissionDecision } from "../../src/domain/admission/decision.ts";
import { parseJson } from "../../src/domain/admission/parse-json.ts";
import { completeReview } from "../../src/domain/admission/response.ts";
import { decodeReview } from "../../src/domain/admission/review.ts";
import { volumeNameFor } from "../../src/domain/injection/class-mounts.ts";
import type { ClassFact } from "../../src/domain/injection/credentials.ts";
import type { NamespaceFact } from "../../src/domain/injection/effective-annotations.ts";
import { readPod } from "../../src/domain/injection/pod.ts";
import { closeRequest, openRequest } from "../../src/domain/injection/pod-admission.ts";
import { aClass, aReview } from "../support/fixtures/pods.ts";
import { defaults, writing } from "../support/webhook/decide-pod.ts";
import { additionsIn, changesIn } from "./injection-additions.ts";
import { podWithInventedFields } from "./injection-pods.ts";

const settings = { version: "1.2.3", strictAnnotations: false };

const fact: fc.Arbitrary<ClassFact> = fc.constantFrom<ClassFact>(
  { kind: "missing" },
  { kind: "unknown" },
  { kind: "found", class: aClass() },
  { kind: "found", class: aClass({ clientID: "c" }) },
  { kind: "found", class: aClass({ useVMManagedIdentity: "true" }) },
  writing({ db: ["KEY"], web: ["P_KEY"] }),
);
/** Annotations of the Namespace: mostly valid ones, including some that apply only to other pods. */
const namespace: fc.Arbitrary<NamespaceFact> = fc.oneof(
  fc.constantFrom<NamespaceFact>({ kind: "missing" }, defaults({})),
  fc
    .record(
      {
        "mount-path": fc.constantFrom("/default", "c=/c"),
        containers: fc.constantFrom("-log", "-nobody"),
        "credentials-secret": fc.constantFrom("team", "none"),
        "env-from": fc.constantFrom("db", "Bad"),
        "volume-name": fc.constantFrom("fresh", "c=d"),
      },
      { requiredKeys: [] },
    )
    .map(defaults),
);
const facts = fc.record({ a: fact, b: fact, "a.b": fact }).map((known) => new Map(Object.entries(known)));

function decide(pod: unknown, known: ReadonlyMap<string, ClassFact>, on?: NamespaceFact): AdmissionDecision {
  const review = decodeReview(aReview(pod));
  assert.ok(review.ok);
  const opened = openRequest(review.value, settings, on);
  return opened.kind === "decided" ? opened.decision : closeRequest(opened.request, known, settings);
}

const ALLOWED_ADDITIONS = [
  /^\/metadata\/labels(\/keyvault-injector\.dev\/injected)?$/,
  /^\/metadata\/annotations\/keyvault-injector\.dev\/status$/,
  /^\/spec\/volumes(\/\*)?$/,
  /^\/spec\/(initContainers|containers)\/\*\/(volumeMounts|envFrom)(\/\*)?$/,
];

describe("any pod with any annotations", () => {
  test("is decided without a throw, patched by additions only, and then needs no patch, whatever is now known of its classes", () => {
    const outcomes = new Map<string, number>();
    fc.assert(
      fc.property(podWithInventedFields, facts, facts, namespace, (pod, known, later, on) => {
        const before = JSON.stringify(pod);
        const decision = decide(pod, known, on);
        outcomes.set(decision.reason, (outcomes.get(decision.reason) ?? 0) + 1);
        assert.equal(JSON.stringify(pod), before, "the pod itself was changed");
        completeReview("u", decision);
        if (decision.kind !== "patched") return;

        const patched = jsonpatch.applyPatch(JSON.parse(before), structuredClone(decision.patch), true).newDocument;
        assert.deepEqual(changesIn(pod, patched), []);
        const strange = additionsIn(pod, patched).filter((path) => !ALLOWED_ADDITIONS.some((allowed) => allowed.test(path)));
        assert.deepEqual(strange, []);
        assert.deepEqual(pick(decide(patched, known, on)), { kind: "unchanged", reason: "AlreadyInjected" });
        if (hasVolumeWithoutCredentials(pod)) return;
        const again = decide(patched, weaker(known, later), on);
        assert.deepEqual(pick(again), { kind: "unchanged", reason: "AlreadyInjected" });
      }),
      { numRuns: 1500, seed: 20261124 },
    );
    // The control: the generator reaches each outcome.
    for (const reason of ["Injected", "InvalidAnnotation", "ContainerNotFound", "VolumeNameTaken", "MountPathTaken", "EnvTaken"]) {
      assert.ok((outcomes.get(reason) ?? 0) > 5, `${reason}: ${outcomes.get(reason) ?? 0} of 1500`);
    }
  });

  test("is checked by a comparison that does find a change, a loss, a move and a strange addition", () => {
    const pod = { metadata: { labels: { a: "1" } }, spec: { volumes: [{ name: "a" }, { name: "b" }] } };

    assert.deepEqual(changesIn(pod, { ...pod, metadata: { labels: { a: "2" } } }), ["/metadata/labels/a"]);
    assert.deepEqual(changesIn(pod, { ...pod, metadata: { labels: {} } }), ["/metadata/labels/a"]);
    assert.deepEqual(changesIn(pod, { ...pod, spec: { volumes: [{ name: "b" }, { name: "a" }] } }), [
      "/spec/volumes/0/name",
      "/spec/volumes/1/name",
    ]);
    assert.deepEqual(changesIn({ spec: { x: null } }, { spec: { x: 1 } }), ["/spec/x"]);
    assert.deepEqual(additionsIn(pod, { ...pod, spec: { ...pod.spec, hostNetwork: true } }), ["/spec/hostNetwork"]);
  });
});

function pick({ kind, reason }: AdmissionDecision): object {
  return { kind, reason };
}

/**
 * While the webhook does not know whether the class needs credentials, it accepts the pod's own volume without a reference. As soon
 * as the webhook knows that the class needs them, such a volume is not enough.
 */
function hasVolumeWithoutCredentials(pod: unknown): boolean {
  const read = readPod(pod);
  assert.ok(read.ok);
  return read.value.volumes.some(({ csi }) => csi !== undefined && csi.credentialsSecret === undefined);
}

/**
 * Returns facts that the webhook may have about the same classes a moment later, without an edit: a class that it found may be
 * unavailable, and a class that was unavailable may be found.
 */
function weaker(known: ReadonlyMap<string, ClassFact>, later: ReadonlyMap<string, ClassFact>): ReadonlyMap<string, ClassFact> {
  const unknown: ClassFact = { kind: "unknown" };
  return new Map([...known].map(([name, fact]) => [name, fact.kind === "found" ? unknown : (later.get(name) ?? unknown)]));
}

describe("volume names", () => {
  test("of any class are DNS labels, the same each time", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
        fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,120}[a-z0-9])?$/),
        (base, name) => {
          const volumeName = volumeNameFor(base, name);
          assert.match(volumeName, /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
          assert.equal(volumeNameFor(base, name), volumeName);
        },
      ),
      { seed: 20261124 },
    );
  });
});

describe("the JSON reader", () => {
  test("agrees with JSON.parse on whatever JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const parsed = parseJson(text);
        assert.ok(parsed.ok);
        assert.equal(JSON.stringify(parsed.value), JSON.stringify(value));
      }),
      { seed: 20261124 },
    );
  });

  test("never throws on any text", () => {
    const piece = fc.constantFrom("{", "}", "[", "]", '"', "\\", ":", ",", "a", "1", " ", '"a":', "\\u0061");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        parseJson(pieces.join(""));
      }),
      { seed: 20261124, numRuns: 1000 },
    );
  });
});

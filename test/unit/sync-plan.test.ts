import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MANAGED_LABEL, SECRET_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { type ObservedSecret, ownedFields } from "../../src/domain/sync/observed-secret.ts";
import { metadataFor, planSecret, type SecretAction, unwantedFields, type WantedSecret } from "../../src/domain/sync/secret-plan.ts";

function wanted(changes: Partial<WantedSecret> = {}): WantedSecret {
  return {
    name: "app",
    type: "Opaque",
    labels: { team: "a" },
    annotations: {},
    keys: ["password"],
    objects: ["secret/DemoSecret@1"],
    fingerprint: "v1:aa",
    ...changes,
  };
}

/** The Secret as the worker wrote it for the class `demo`. */
function observed(changes: Partial<ObservedSecret> = {}): ObservedSecret {
  const { labels, annotations } = metadataFor(wanted(), "demo");
  return {
    ref: { namespace: "team", name: "app" },
    uid: "secret-1",
    resourceVersion: "5",
    type: "Opaque",
    immutable: false,
    labels,
    annotations,
    owned: { data: ["password"], labels: Object.keys(labels), annotations: Object.keys(annotations) },
    isContentIntact: true,
    ...changes,
  };
}

function plan(secret: WantedSecret, live: ObservedSecret | undefined, claimants: readonly string[] = []): SecretAction {
  return planSecret(secret, { className: "demo", observed: live, isClaimedBy: (name) => claimants.includes(name) });
}

describe("the plan for a Secret", () => {
  test("creates one that is not there", () => {
    assert.deepEqual(plan(wanted(), undefined), { kind: "create" });
  });

  test("keeps one that is as it should be", () => {
    assert.deepEqual(plan(wanted(), observed()), { kind: "keep" });
  });

  test("applies new content onto the very object that it saw", () => {
    const action = plan(wanted({ fingerprint: "v1:bb" }), observed());

    assert.equal(action.kind, "apply");
    assert.deepEqual(action.kind === "apply" ? action.onto : undefined, { uid: "secret-1", resourceVersion: observed().resourceVersion });
  });

  test("repairs edited data, labels and annotations, and says which", () => {
    const edits = [
      observed({ isContentIntact: false }),
      observed({ labels: { [MANAGED_LABEL]: "true" } }),
      observed({ annotations: { ...observed().annotations, [SECRET_ANNOTATIONS.objects]: "" } }),
    ];

    const reasons = edits.map((edited) => plan(wanted(), edited)).map((action) => (action.kind === "apply" ? action.why : action.kind));

    assert.deepEqual(reasons, ["its data was edited", "its labels were edited", "its annotations were edited"]);
  });

  test("leaves keys, labels and annotations of others alone", () => {
    const shared = observed({ labels: { ...observed().labels, extra: "x" }, annotations: { ...observed().annotations, note: "y" } });

    assert.deepEqual(plan(wanted(), shared), { kind: "keep" });
  });

  describe("SW-1: with the label by which Argo CD finds the objects of an Application", () => {
    const labels = { team: "a", "app.kubernetes.io/instance": "shop" };
    const ours = {
      "argocd.argoproj.io/sync-options": "Prune=false",
      "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    };

    test("SW-1: has the annotations that make Argo CD leave it alone, as it has no owner", () => {
      const { annotations } = metadataFor(wanted({ labels, annotations: { note: "x" } }), "demo");
      assert.deepEqual(annotations, { ...metadataFor(wanted(), "demo").annotations, note: "x", ...ours });
    });

    test("SW-1: is completed if a former release wrote it without them", () => {
      const former = observed({ labels: { ...labels, [MANAGED_LABEL]: "true" } });
      assert.equal(plan(wanted({ labels }), former).kind, "apply");
    });

    test("SW-1: loses them with the label", () => {
      const { labels: written, annotations } = metadataFor(wanted({ labels }), "demo");
      const owned = { data: ["password"], labels: Object.keys(written), annotations: Object.keys(annotations) };
      const action = plan(wanted(), observed({ labels: written, annotations, owned }));
      const removed = { data: [], labels: ["app.kubernetes.io/instance"], annotations: Object.keys(ours) };
      assert.deepEqual(action.kind === "apply" ? action.removed : action, removed);
    });
  });

  test("removes a key of ours that is no longer wanted", () => {
    const owned = { ...observed().owned, data: ["password", "user"] };

    const action = plan(wanted(), observed({ owned }));

    assert.deepEqual(action.kind === "apply" ? action.removed.data : [], ["user"]);
  });

  test("replaces one whose type changed, because no API server changes a type", () => {
    assert.equal(plan(wanted({ type: "kubernetes.io/basic-auth" }), observed()).kind, "replace");
  });

  test("replaces an immutable one only when its content has to change", () => {
    assert.equal(plan(wanted(), observed({ immutable: true })).kind, "keep");
    assert.equal(plan(wanted({ fingerprint: "v1:bb" }), observed({ immutable: true })).kind, "replace");
  });

  test("takes back one whose annotation was edited to name a class that does not claim it", () => {
    const action = plan(wanted(), observed({ annotations: { ...observed().annotations, [SECRET_ANNOTATIONS.class]: "nobody" } }));

    assert.equal(action.kind === "apply" ? action.why : action.kind, "its annotations were edited");
  });

  test("refuses one that another class writes, naming it", () => {
    const action = plan(wanted(), observed({ annotations: { [SECRET_ANNOTATIONS.class]: "other" } }), ["other"]);

    assert.match(action.kind === "conflict" ? action.message : "", /written by the class other/);
  });

  test("leaves a Secret that nobody has yet to an older class, but not one that the class has", () => {
    const facts = { className: "demo", isClaimedBy: () => false, preferredOwner: "older" };

    const fresh = planSecret(wanted(), { ...facts, observed: undefined });
    assert.match(fresh.kind === "conflict" ? fresh.message : "", /written by the class older, and the class demo also names that Secret/);
    assert.deepEqual(planSecret(wanted(), { ...facts, observed: observed() }), { kind: "keep" });
  });
});

describe("the fields of a manager", () => {
  test("are those of its creates and its applies together", () => {
    const owned = ownedFields(
      [
        { manager: "keyvault-injector-sync", operation: "Update", fieldsV1: { "f:data": { "f:a": {} } } },
        {
          manager: "keyvault-injector-sync",
          operation: "Apply",
          fieldsV1: { "f:data": { ".": {}, "f:b": {} }, "f:metadata": { "f:labels": { "f:team": {} } } },
        },
        { manager: "somebody", operation: "Update", fieldsV1: { "f:data": { "f:c": {} } } },
      ],
      "keyvault-injector-sync",
    );

    assert.deepEqual(owned, { data: ["a", "b"], labels: ["team"], annotations: [] });
  });
});

test("AT20-9b: what the worker wrote under the name of what every object has, and nobody wants any more, is removed", () => {
  const owned = { data: [], labels: ["constructor", "team"], annotations: ["toString"] };
  const unwanted = unwantedFields(owned, [], { labels: { team: "a" }, annotations: {} });
  assert.deepEqual(unwanted, { data: [], labels: ["constructor"], annotations: ["toString"] });
});

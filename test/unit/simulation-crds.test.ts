import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { deletionsAreLeft } from "../simulation/invariants/crds.ts";
import { SYNC_USER } from "../simulation/world/world.ts";
import { StagedWorld } from "../support/worker/staged-world.ts";

const CRDS = "customresourcedefinitions.apiextensions.k8s.io";
const NAME = "secretproviderclasses.secrets-store.csi.x-k8s.io";

describe("the simulation's invariant of retried deletions of CRDs", () => {
  let staged: StagedWorld;
  let violations: string[];

  function written(reason: string, retried: string | undefined, user = SYNC_USER): void {
    const annotations = retried === undefined ? {} : { "keyvault-injector.dev/deletion-retried": retried };
    const conditions = [{ type: "Established" }, { type: "Terminating", reason }];
    staged.put(CRDS, NAME, { metadata: { uid: "1", annotations }, status: { conditions } });
    staged.written({ resource: CRDS, name: NAME, user });
  }

  beforeEach(() => {
    staged = new StagedWorld();
    violations = [];
    deletionsAreLeft.watch?.(staged.world, (text) => violations.push(text));
  });

  for (const reason of ["InstanceDeletionPending", "InstanceDeletionInProgress"]) {
    test(`finds a retry at ${reason}`, () => {
      written(reason, undefined);
      assert.deepEqual(violations, []);
      written(reason, "first");
      assert.deepEqual(violations, [`the deletion of ${NAME} is retried at ${reason}`]);
    });
  }

  for (const reason of ["InstanceDeletionFailed", "InstanceDeletionCheck"]) {
    test(`is content with retries at ${reason}, and with what the API server does after them`, () => {
      written(reason, "first");
      written(reason, "second");
      written("InstanceDeletionInProgress", "second", "system:apiserver");
      written("InstanceDeletionInProgress", "second");
      assert.deepEqual(violations, []);
    });
  }
});

import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { apiRequest, JSON_PATCH } from "../support/cluster/api-request.ts";
import { controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { installProduct } from "../support/cluster/product.ts";
import { at, MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { eventually } from "../support/time/eventually.ts";
import { CLASS_CRD, STATUS_CRD } from "../support/worker/sync-world.ts";

const refusal = controlPlaneRefusal();

const OLDER = path.join(MANIFESTS, "releases/0.1.0/crds.yaml");

describe("definitions of 0.1.0, which Helm does not upgrade", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  test("are brought up to date by the worker at its start, and keep what a newer driver added", async () => {
    const plane = await startControlPlane();
    const product = await installProduct(plane);
    try {
      await plane.kubectl(["replace", "-f", OLDER]);
      const schema = async (name: string): Promise<unknown> => {
        const { body } = await apiRequest(plane, {
          method: "GET",
          path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`,
        });
        return at(body, "spec", "versions", 0, "schema", "openAPIV3Schema", "properties");
      };
      const added = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/addedLater";
      const { status } = await apiRequest(plane, {
        method: "PATCH",
        path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CLASS_CRD}`,
        contentType: JSON_PATCH,
        body: [{ op: "add", path: added, value: { type: "string" } }],
      });
      assert.equal(status, 200);
      assert.equal(
        at(await schema(STATUS_CRD), "status", "properties", "observedRefresh"),
        undefined,
        "the older definition has no such field",
      );

      await product.start("sync");

      await eventually(async () => at(await schema(STATUS_CRD), "status", "properties", "observedRefresh") !== undefined, {
        what: "this version's field of the status",
      });
      assert.deepEqual(at(await schema(CLASS_CRD), "spec", "properties", "addedLater"), { type: "string" });
    } finally {
      await product.stop();
      await plane.stop();
    }
  });
});

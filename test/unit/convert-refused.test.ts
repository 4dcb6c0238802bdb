import assert from "node:assert/strict";
import { test } from "node:test";
import { convertObjects } from "../../src/domain/convert/convert.ts";
import { fieldText } from "../../src/domain/convert/peer-object.ts";

const OPTIONS = {
  tenantId: undefined,
  clientId: undefined,
  serviceAccount: undefined,
  identityId: undefined,
  isPartial: false,
  isAdopting: false,
};

test("SW4: an ExternalSecret of a version that is not supported is refused, and no field of it is warned of", () => {
  const apiVersion = "external-secrets.io/v1alpha1";
  const object = { apiVersion, kind: "ExternalSecret", metadata: { name: "db", namespace: "shop" }, spec: { somethingNew: 1 } };
  const { remarks } = convertObjects([{ object, kind: "ExternalSecret", name: "db", namespace: "shop" }], OPTIONS);

  assert.deepEqual(
    remarks.map(({ severity, path }) => `${severity} ${fieldText(path)}`),
    ["error apiVersion"],
  );
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AdmissionRequest } from "../simulation/api/interface.ts";
import type { JsonObject } from "../simulation/api/json.ts";
import { SECRETS } from "../simulation/api/policies/secrets.ts";
import { at, listAt, readManifests } from "../support/cluster/shipped-manifests.ts";

const P = "keyvault-injector.dev";

/** Refusals of the policy if the worker takes over a Secret for this class, and the owner of the Secret wrote this consent. */
function refusals(consent: string | undefined, forClass: string | undefined): readonly string[] {
  const kept: JsonObject = consent === undefined ? {} : { [`${P}/adoptable-by`]: consent };
  const added: JsonObject = { [`${P}/adopted`]: "true", ...(forClass === undefined ? {} : { [`${P}/class`]: forClass }) };
  const secret = (labels: JsonObject, annotations: JsonObject): JsonObject => ({
    type: "Opaque",
    metadata: { name: "db", namespace: "team", labels, annotations },
  });
  const request = {
    operation: "UPDATE",
    name: "db",
    namespace: "team",
    object: secret({ [`${P}/managed`]: "true" }, { ...kept, ...added }),
    oldObject: secret({}, kept),
  } as unknown as AdmissionRequest; // The policy reads nothing else.
  return SECRETS.rules(request)
    .filter(({ holds }) => !holds)
    .map(({ message }) => message);
}

describe("the policy on Secrets, where the worker takes one over", () => {
  test("AT20-8: takes no empty consent for one", () => {
    assert.deepEqual(refusals("shop", "shop"), []);
    for (const [consent, forClass] of [
      ["", undefined],
      ["", ""],
      [" ", " "],
      ["shop", undefined],
      ["shop", "other"],
      [undefined, undefined],
    ] as const)
      assert.equal(refusals(consent, forClass).length, 2, JSON.stringify([consent, forClass]));
  });

  test("AT20-8: asks for a name as the shipped one does", () => {
    const [policy] = readManifests("policies/sync-secrets.yaml");
    const adoption = listAt(policy, "spec", "variables").find((variable) => at(variable, "name") === "isAdoption");
    assert.match(
      String(at(adoption, "expression")),
      /annotations\['keyvault-injector\.dev\/adoptable-by'\]\.trim\(\) != '' &&.*annotations\[\?'keyvault-injector\.dev\/class'\] ==/s,
    );
  });
});

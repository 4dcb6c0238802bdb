import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { GUARDRAILS } from "../../src/sync/guardrails.ts";
import { at, listAt, MANIFESTS, readManifests } from "../support/cluster/shipped-manifests.ts";

const SYNC_USER = "system:serviceaccount:keyvault-injector:keyvault-injector-sync";
/**
 * Policies that check classes, Gateways, and Ingresses against the rights of their authors. If one of them is missing, the worker
 * limits its own actions, too.
 */
const OF_AUTHORS = ["keyvault-injector-class-identities", "keyvault-injector-gateway-identities"];

test("S7: the worker tries each policy on its own account, and the one that keeps classes from lending what their author may not use", () => {
  const policies = readdirSync(path.join(MANIFESTS, "policies"))
    .flatMap((file) => readManifests(path.join("policies", file)))
    .filter(({ kind }) => kind === "ValidatingAdmissionPolicy");
  const onTheWorker = policies
    .filter((policy) => String(at(listAt(policy, "spec", "matchConditions")[0], "expression")).includes(`username == '${SYNC_USER}'`))
    .map(({ metadata }) => metadata.name);
  assert.ok(onTheWorker.length > 5);

  assert.deepEqual([...GUARDRAILS].sort(), [...OF_AUTHORS, ...onTheWorker].sort());
});

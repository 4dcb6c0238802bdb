import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, test } from "node:test";
import { parse } from "yaml";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import { ROLLOUT_REASONS, SYNC_REASONS } from "../../src/domain/reasons.ts";
import { nextStatus } from "../../src/domain/sync/class-status.ts";
import type { ClassStatus } from "../../src/domain/sync/status-fields.ts";
import { builtProgram, programRefusal } from "../e2e/support/binaries.ts";
import { at, MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { SimulatedWorld } from "../support/simulation/world.ts";

const refusal = programRefusal(["argo-lua"]);
const KEY = "resource.customizations.health.keyvault-injector.dev_SecretProviderClassSync";
const script = String(at(parse(readFileSync(path.join(MANIFESTS, "gitops/argocd/argocd-cm.yaml"), "utf8")), "data", KEY));

interface Health {
  readonly status?: string;
  readonly message?: string;
  readonly error?: string;
}

type Said = Pick<ClassStatus["conditions"][number], "type" | "status" | "reason">;

const condition = (type: Said["type"], status: Said["status"], reason: Said["reason"]) => ({
  type,
  status,
  reason,
  message: `about ${type}`,
});
const withConditions = (...conditions: readonly unknown[]) => ({ status: { observedGeneration: 1, secrets: [], conditions } });
const synced = condition("Synced", "True", "Synced");

let interpreter: string;

/** Runs the script on Argo CD's interpreter. */
function healthOf(objects: readonly unknown[], source = script): readonly Health[] {
  const input = objects.map((object) => JSON.stringify({ script: source, object })).join("\n");
  const { status, stdout, stderr } = spawnSync(interpreter, { input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Health);
}

describe("Argo CD's health of a SecretProviderClassSync", { skip: refusal === undefined ? false : `SKIPPED: ${refusal}` }, () => {
  before(async () => {
    interpreter = await builtProgram("argo-lua");
  });

  test("is progress before the worker has said anything", () => {
    const expected = { status: "Progressing", message: "the worker has not said anything yet" };
    assert.deepEqual(healthOf([{}, { status: {} }, withConditions()]), [expected, expected, expected]);
  });

  test("is good where the Secrets are as they should be, with the worker's words", () => {
    const all = withConditions(synced, condition("Fresh", "True", "Synced"), condition("Rotated", "True", "Rotated"));
    const healthy = { status: "Healthy", message: "about Synced" };
    assert.deepEqual(healthOf([withConditions(synced), all]), [healthy, healthy]);
  });

  test("is good where the vault is not asked because no pod mounts the class, and suspended where the class is switched off", () => {
    const unused = withConditions(synced, condition("Fresh", "Unknown", "Synced"));
    const off = withConditions(condition("Synced", "Unknown", "SwitchedOff"), condition("Fresh", "Unknown", "SwitchedOff"));
    assert.deepEqual(healthOf([unused, off]), [
      { status: "Healthy", message: "about Synced" },
      { status: "Suspended", message: "SwitchedOff: about Synced" },
    ]);
  });

  test("says of every reason whether it passes by itself, waits for people by their setting, or needs them", () => {
    const passing: readonly string[] = ["Unreachable", "Throttled", "Frozen"];
    const failures = SYNC_REASONS.filter((reason) => reason !== "Synced" && reason !== "SwitchedOff");
    assert.deepEqual(
      healthOf(failures.map((reason) => withConditions(condition("Synced", "False", reason)))).map(({ status, message }) => [
        status,
        message,
      ]),
      failures.map((reason) => [passing.includes(reason) ? "Progressing" : "Degraded", `${reason}: about Synced`]),
    );
    const expected: Readonly<Record<string, string>> = {
      Restarting: "Progressing",
      Paused: "Suspended",
      OnDelete: "Suspended",
      AwaitingFiles: "Progressing",
      NoVersions: "Healthy",
    };
    const rollouts = ROLLOUT_REASONS.filter((reason) => reason !== "Rotated" && reason !== "Restarted");
    assert.deepEqual(
      healthOf(rollouts.map((reason) => withConditions(synced, condition("Rotated", "False", reason)))).map(({ status }) => status),
      rollouts.map((reason) => expected[reason] ?? "Degraded"),
    );
  });

  test("goes by what the worker itself says of progress and failure, and counts Synced no second time", () => {
    const failing = (why: "Stalled" | "Reconciling", reason: Said["reason"]) =>
      withConditions(condition("Ready", "False", reason), condition(why, "True", reason), condition("Synced", "False", reason));
    const cases = [
      withConditions(condition("Ready", "True", "Synced"), synced),
      failing("Stalled", "PartialSync"),
      failing("Reconciling", "PartialSync"),
      failing("Reconciling", "CredentialsMissing"),
      withConditions(condition("Ready", "Unknown", "SwitchedOff"), condition("Synced", "Unknown", "SwitchedOff")),
      withConditions(condition("Ready", "True", "Synced"), synced, condition("Fresh", "False", "Unauthorized")),
    ];
    assert.deepEqual(healthOf(cases), [
      { status: "Healthy", message: "about Ready" },
      { status: "Degraded", message: "PartialSync: about Ready" },
      { status: "Progressing", message: "PartialSync: about Ready" },
      { status: "Progressing", message: "CredentialsMissing: about Ready" },
      { status: "Suspended", message: "SwitchedOff: about Ready" },
      { status: "Degraded", message: "Unauthorized: about Fresh" },
    ]);
  });

  test("SW12: is what kstatus says of the worker's whole status, whatever its reason", () => {
    const outcomes = SYNC_REASONS.filter((reason) => reason !== "SwitchedOff").map((reason) => ({
      generation: 1,
      reason,
      message: "why",
      isFresh: reason === "Synced",
      secrets: [],
    }));
    const statuses = outcomes.map((outcome) => nextStatus(outcome, undefined, 0));
    const healths = healthOf(statuses.map((status) => ({ status }))).map(({ status }) => status);
    const kstatus = statuses.map((status) => {
      const said = status?.conditions.flatMap(({ type, status }) => (status === "True" ? [type] : [])) ?? [];
      return said.includes("Stalled") ? "Degraded" : said.includes("Reconciling") ? "Progressing" : "Healthy";
    });
    assert.deepEqual(
      healths.map((health, index) => [outcomes[index]?.reason, health]),
      kstatus.map((health, index) => [outcomes[index]?.reason, health]),
    );
    // Every possible result is among them.
    assert.equal(new Set(healths).size, 3);
  });

  test("F1: follows the worker's own statuses of a class that is edited so that it fails, and mended", async () => {
    const world = new SimulatedWorld();
    const place = { namespace: "team", name: "app" };
    world.vaults.set("db");
    await world.clock.advance(600_000);
    const leader = world.lead();
    const said: (string | undefined)[] = [];
    for (const objects of [["db"], ["absent"], ["db"]]) {
      world.apply({ ...place, objects });
      await world.clock.advance(1_000);
      said.push(healthOf([world.cluster.get(RESOURCES.secretProviderClassSyncs, place)])[0]?.status);
    }
    await leader.stop();
    assert.deepEqual(said, ["Healthy", "Degraded", "Healthy"]);
  });

  test("is the worst of the conditions, whatever their order", () => {
    const conditions = [synced, condition("Fresh", "False", "Unreachable"), condition("Guarded", "False", "GuardrailsMissing")];
    const expected = { status: "Degraded", message: "GuardrailsMissing: about Guarded" };
    assert.deepEqual(healthOf([withConditions(...conditions), withConditions(...conditions.toReversed())]), [expected, expected]);
  });

  test("would be told apart by an interpreter that fails", () => {
    assert.match(healthOf([{}], "return os.getenv('HOME')")[0]?.error ?? "", /attempt to index/);
    assert.match(healthOf([{}], "return {")[0]?.error ?? "", /syntax error/);
    assert.equal(healthOf([{}], "return 1")[0]?.error, "the script returns no table");
  });
});

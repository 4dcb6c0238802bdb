import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Budget, exhaustedBudget, observeBudget } from "../../src/domain/rollout/budget.ts";
import { selectsLabels } from "../../src/domain/rollout/label-selector.ts";

function budget(status: object, selector: unknown = { matchLabels: { app: "web" } }): Budget {
  const object = {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "pdb", generation: 2 },
    spec: { selector },
    status,
  };
  return observeBudget(object);
}

const OPEN = { observedGeneration: 2, expectedPods: 3, disruptionsAllowed: 1 };
const web = { labels: { app: "web", tier: "front" } };

describe("a PodDisruptionBudget allows a restart", () => {
  const rows: readonly (readonly [string, Budget, boolean])[] = [
    ["while a pod may be disrupted", budget(OPEN), true],
    ["not while none may", budget({ ...OPEN, disruptionsAllowed: 0 }), false],
    ["of no pods", budget({ ...OPEN, disruptionsAllowed: 0, expectedPods: 0 }), true],
    ["not before its controller has seen it", budget({}), false],
    ["not before its controller has seen what it says now", budget({ ...OPEN, observedGeneration: 1 }), false],
    ["of pods that it does not cover", budget({ ...OPEN, disruptionsAllowed: 0 }, { matchLabels: { app: "other" } }), true],
    ["where it selects no pod", budget({ ...OPEN, disruptionsAllowed: 0 }, null), true],
    ["not where it covers every pod, and allows none", budget({ ...OPEN, disruptionsAllowed: 0 }, {}), false],
  ];
  for (const [what, each, isAllowed] of rows) {
    test(what, () => assert.equal(exhaustedBudget({ workload: web, budgets: [each], taken: new Set() }) === undefined, isAllowed));
  }

  test("that another restart has not begun under", () => {
    assert.deepEqual(exhaustedBudget({ workload: web, budgets: [budget(OPEN)], taken: new Set(["pdb"]) }), { name: "pdb", why: "taken" });
  });
});

describe("a selector matches labels", () => {
  const rows: readonly (readonly [string, object, boolean])[] = [
    ["where it says nothing", {}, true],
    ["that it names", { matchLabels: { app: "web" } }, true],
    ["all that it names", { matchLabels: { app: "web", tier: "back" } }, false],
    ["in a list", { matchExpressions: [{ key: "tier", operator: "In", values: ["front", "back"] }] }, true],
    ["in no list without the label", { matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] }, false],
    ["not in a list, also without the label", { matchExpressions: [{ key: "zone", operator: "NotIn", values: ["a"] }] }, true],
    ["not in a list that has it", { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["front"] }] }, false],
    ["that exist", { matchExpressions: [{ key: "tier", operator: "Exists" }] }, true],
    ["that do not exist", { matchExpressions: [{ key: "zone", operator: "DoesNotExist" }] }, true],
    [
      "AT20-9b: that do not exist, under the name of what every object has",
      {
        matchExpressions: [{ key: "constructor", operator: "DoesNotExist" }],
      },
      true,
    ],
    [
      "AT20-9b: that exist, under the name of what every object has",
      {
        matchExpressions: [{ key: "toString", operator: "Exists" }],
      },
      false,
    ],
    ["never by an operator that is none", { matchExpressions: [{ key: "tier", operator: "Gt", values: ["1"] }] }, false],
  ];
  for (const [what, selector, expected] of rows) test(what, () => assert.equal(selectsLabels({ ...selector }, web.labels), expected));
});

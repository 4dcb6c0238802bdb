import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS, GRANT_ANNOTATIONS } from "../../src/domain/annotations.ts";
import { mirrorConsentOf, takesFrom } from "../../src/domain/grants/mirror-consent.ts";
import { MAX_TARGETS, mirrorTargets } from "../../src/domain/grants/mirror-targets.ts";
import { planClass } from "../../src/sync/classes/plan.ts";
import { classOf, observationOf, SETTINGS } from "../support/fixtures/class-facts.ts";

const KEY = "team/demo";

const namespaceWith = (name: string, from: string | undefined, deletionTimestamp?: string) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name,
    ...(from === undefined ? {} : { annotations: { [GRANT_ANNOTATIONS.mirrorsFrom]: from } }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
  },
});

const targetsOf = (mirrorTo: string) => mirrorTargets(classOf({ annotations: { [CLASS_ANNOTATIONS.mirrorTo]: mirrorTo } }));

describe("the consent of a Namespace", () => {
  const taken: readonly (readonly [string | undefined, boolean])[] = [
    [KEY, true],
    ["team/*", true],
    ["other/*, team/demo ,", true],
    [undefined, false],
    ["", false],
    ["*", false],
    ["*/*", false],
    ["team/dem*", false],
    ["tea/*", false],
    ["team", false],
    ["team/demo-2", false],
    ["team/demo;team/other", false],
  ];
  for (const [from, isTaken] of taken) {
    test(`${from === undefined ? "without annotation" : JSON.stringify(from)} takes ${isTaken ? "the class's Secrets" : "nothing of the class"}`, () => {
      assert.equal(takesFrom(mirrorConsentOf(namespaceWith("target", from)), KEY), isTaken);
    });
  }

  test("counts nowhere in kube-system", () => {
    assert.deepEqual(mirrorConsentOf(namespaceWith("kube-system", KEY)), { from: [], isTerminating: false });
  });

  test("is that of a Namespace that goes away, where it does", () => {
    assert.deepEqual(mirrorConsentOf(namespaceWith("target", KEY, "2026-01-01T00:00:00Z")), { from: [KEY], isTerminating: true });
  });
});

describe("the namespaces that a class names", () => {
  test("are those of a comma list, each once", () => {
    assert.deepEqual(targetsOf(" team-a,team-b,, team-a "), { namespaces: ["team-a", "team-b"], problems: [] });
    assert.deepEqual(mirrorTargets(classOf()), { namespaces: [], problems: [] });
  });

  test("leave out what is no name, and the class's own namespace, and say so", () => {
    const { namespaces, problems } = targetsOf("Team_A,team,team-b;team-c,team-d");

    assert.deepEqual(namespaces, ["team-d"]);
    assert.deepEqual(problems, [
      'annotation keyvault-injector.dev/mirror-to: "Team_A" is not the name of a namespace; write names separated by commas',
      "annotation keyvault-injector.dev/mirror-to: team is the class's own namespace; remove it",
      'annotation keyvault-injector.dev/mirror-to: "team-b;team-c" is not the name of a namespace; write names separated by commas',
    ]);
  });

  test("are at most so many, and the message says how many there are", () => {
    const { namespaces, problems } = targetsOf(Array.from({ length: MAX_TARGETS + 1 }, (_, index) => `n${index}`).join(","));

    assert.equal(namespaces.length, 64);
    assert.deepEqual(problems, [
      "annotation keyvault-injector.dev/mirror-to: only the first 64 of 65 namespaces get copies; spread them over several classes",
    ]);
  });

  test("A19-1: take a few lines to say what is wrong, however many words are", () => {
    const { problems } = targetsOf(Array.from({ length: 1_000 }, (_, index) => `A${index}`).join(","));

    assert.equal(problems.length, 11);
    assert.equal(problems.at(-1), "annotation keyvault-injector.dev/mirror-to: 990 more like these");
  });

  test("A19-1: are none of a text that is far too long, and no copy goes for it", () => {
    assert.deepEqual(targetsOf("a,".repeat(100_000)), {
      namespaces: [],
      problems: [
        "annotation keyvault-injector.dev/mirror-to: it has more than 8192 characters; spread the namespaces over several classes",
      ],
    });
  });

  test("A19-4: are read once of each class, however many copies ask", () => {
    const spc = classOf({ annotations: { [CLASS_ANNOTATIONS.mirrorTo]: "team-a" } });

    assert.equal(mirrorTargets(spc), mirrorTargets(spc));
  });

  test("get nothing from a worker that may not read Secrets, and the class's author learns it", () => {
    const spc = classOf({ annotations: { [CLASS_ANNOTATIONS.mirrorTo]: "team-a" } });
    const { actions } = planClass(observationOf({ spc, secrets: { named: [], unread: new Set(), isBlind: true } }), SETTINGS);

    assert.deepEqual(
      actions.filter(({ kind }) => kind === "warn"),
      [
        {
          kind: "warn",
          topic: "annotations",
          problems: [
            "annotation keyvault-injector.dev/mirror-to: with --secret-access=blind there are no copies, because the worker is not allowed to read what it would copy",
          ],
        },
      ],
    );
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { maxStale, maxStaleProblem } from "../../src/domain/schedule/class-annotations.ts";
import { Claims } from "../../src/domain/sync/claims.ts";
import { countExpiring, firstExpiries } from "../../src/domain/sync/class-figures.ts";
import { type ClassOutcome, conditionOf, nextStatus } from "../../src/domain/sync/class-status.ts";
import { heldKeys, heldSecrets } from "../../src/domain/sync/key-status.ts";
import { dateNotices, nextDate } from "../../src/domain/sync/object-dates.ts";
import { lastForeignWrite } from "../../src/domain/sync/observed-secret.ts";
import type { ClassStatus, SecretStatus } from "../../src/domain/sync/status-fields.ts";
import { summarize } from "../../src/domain/sync/summarize.ts";

const NOW = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const DAY = 86_400_000;

function aClass(
  name: string,
  changes: { annotations?: Record<string, string>; created?: string; secretName?: string } = {},
): SecretProviderClass {
  const { annotations = {}, created = "2026-01-01T00:00:00Z", secretName = "app" } = changes;
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass",
    metadata: { name, namespace: "team", annotations, creationTimestamp: created },
    spec: { provider: "azure", secretObjects: [{ secretName, type: "Opaque", data: [] }] },
  };
}

function outcome(changes: Partial<ClassOutcome> = {}): ClassOutcome {
  return {
    generation: 1,
    reason: "Synced",
    message: "1 of 1 Secrets are up to date",
    isFresh: true,
    secrets: [{ name: "app", state: "Synced", data: [] }],
    ...changes,
  };
}

/** Returns the status after these steps. Each step builds on the status that the previous one stored. */
function history(...steps: readonly (readonly [now: number, outcome: ClassOutcome])[]): ClassStatus | undefined {
  let stored: ClassStatus | undefined;
  for (const [now, step] of steps) stored = nextStatus(step, stored, now) ?? stored;
  return stored;
}

const unreachable = { reason: "Unreachable", message: "no answer", isFresh: false } as const;

describe("the freshness of a class", () => {
  test("turns stale only after the time that the class allows, and names the reason behind it", () => {
    const failing = (now: number) => [now, outcome({ ...unreachable, lastSuccess: NOW, maxStale: 10 * MINUTE })] as const;

    assert.equal(conditionOf(history([NOW, outcome()], failing(NOW + 10 * MINUTE)), "Fresh")?.reason, "Unreachable");
    const stale = conditionOf(history([NOW, outcome()], failing(NOW + 10 * MINUTE + 1)), "Fresh");
    assert.equal(stale?.reason, "Stale");
    assert.equal(stale?.message, "no successful check since 2026-01-01T00:00:00Z, which is longer than 10m; Unreachable: no answer");
  });

  test("is never stale without a limit, and never before a first success", () => {
    const late = NOW + 1_000 * DAY;

    assert.equal(conditionOf(history([late, outcome({ ...unreachable, lastSuccess: NOW })]), "Fresh")?.reason, "Unreachable");
    assert.equal(conditionOf(history([late, outcome({ ...unreachable, maxStale: MINUTE })]), "Fresh")?.reason, "Unreachable");
  });

  test("tells why an object that no Secret needs could not be had", () => {
    const notFresh = { reason: "ObjectNotFound", message: "there is none" } as const;
    const status = history([NOW, outcome({ isFresh: false, notFresh })]);

    assert.equal(conditionOf(status, "Synced")?.status, "True");
    assert.equal(conditionOf(status, "Fresh")?.reason, "ObjectNotFound");
  });

  test("is unknown while the vault is not asked", () => {
    assert.equal(conditionOf(history([NOW, outcome({ isFresh: undefined, secrets: [] })]), "Fresh")?.status, "Unknown");
  });
});

describe("the time of the last successful check", () => {
  test("is exact as soon as a check fails, and does not change after that", () => {
    const lastSuccess = NOW + 50 * MINUTE;
    const failing = (now: number) => [now, outcome({ ...unreachable, lastSuccess })] as const;

    assert.equal(history([NOW, outcome()], failing(NOW + 55 * MINUTE))?.lastSuccessfulCheckTime, "2026-01-01T00:50:00Z");
    const first = history([NOW, outcome()], failing(NOW + 55 * MINUTE));
    assert.equal(nextStatus(failing(0)[1], first, NOW + 56 * MINUTE), undefined);
  });

  test("is exact where anything else of the status changes, and alone is written hourly", () => {
    const first = history([NOW, outcome()]);
    const at = (minutes: number, changes: Partial<ClassOutcome> = {}) => {
      const now = NOW + minutes * MINUTE;
      return nextStatus(outcome({ lastSuccess: now - 1_000, ...changes }), first, now);
    };
    const rotated = { secrets: [{ name: "app", state: "Synced" as const, data: [{ key: "k", object: "secret/db", version: "2" }] }] };

    assert.equal(at(59), undefined);
    assert.equal(at(7, rotated)?.lastSuccessfulCheckTime, "2026-01-01T00:06:59Z");
    assert.equal(at(7, { refresh: "1" })?.lastSuccessfulCheckTime, "2026-01-01T00:06:59Z");
    assert.equal(at(60)?.lastSuccessfulCheckTime, "2026-01-01T00:59:59Z");
    // A reconcile that does not query the vault is not a check.
    assert.equal(at(7, { isFresh: undefined, lastSuccess: undefined })?.lastSuccessfulCheckTime, "2026-01-01T00:00:00Z");
  });

  test("brings no write of its own: after a status is written, the same outcome writes nothing", () => {
    const first = history([NOW, outcome()]);
    const refreshed = (minutes: number) => outcome({ refresh: "1", lastSuccess: NOW + minutes * MINUTE });
    const written = nextStatus(refreshed(7), first, NOW + 7 * MINUTE);

    assert.ok(written);
    for (const minutes of [7, 8, 66]) assert.equal(nextStatus(refreshed(minutes), written, NOW + minutes * MINUTE), undefined);
    assert.ok(nextStatus(refreshed(67), written, NOW + 67 * MINUTE));
  });

  test("is at most half as old as the class allows", () => {
    const first = history([NOW, outcome()]);

    assert.equal(nextStatus(outcome({ maxStale: 20 * MINUTE }), first, NOW + 9 * MINUTE), undefined);
    assert.equal(nextStatus(outcome({ maxStale: 20 * MINUTE }), first, NOW + 10 * MINUTE)?.lastSuccessfulCheckTime, "2026-01-01T00:10:00Z");
  });
});

describe("the annotation max-stale", () => {
  const stating = (text: string): SecretProviderClass => aClass("demo", { annotations: { [CLASS_ANNOTATIONS.maxStale]: text } });

  test("takes a Go duration that is longer than the poll interval, and says what to write instead", () => {
    assert.equal(maxStale(stating("1h")), 60 * MINUTE);
    assert.equal(maxStaleProblem(stating("1h"), 2 * MINUTE), undefined);
    assert.equal(maxStale(stating("soon")), undefined);
    assert.match(maxStaleProblem(stating("soon"), 2 * MINUTE) ?? "", /max-stale: "soon" is not a duration/);
    assert.match(maxStaleProblem(stating("2m"), 2 * MINUTE) ?? "", /2m is not longer than the 2m between two checks/);
    assert.match(maxStaleProblem(stating("1h"), undefined) ?? "", /rotation is turned off/);
    assert.equal(maxStaleProblem(aClass("demo"), 2 * MINUTE), undefined);
  });
});

describe("the keys of a Secret that is not written", () => {
  const stored = [
    { key: "user", object: "secret/user", version: "1", expires: "2026-02-01T00:00:00Z" },
    { key: "password", object: "secret/password", version: "1" },
  ];

  test("say what the Secret holds, what failed, and what waits for it", () => {
    const found = [
      { key: "user", object: "secret/user", version: "2" },
      { key: "password", object: "secret/password", state: "ObjectDisabled" as const, message: "disabled" },
    ];

    assert.deepEqual(heldKeys(found, stored), [
      { ...stored[0], state: "PartialSync", message: "held back until the Secret's other objects are available" },
      { ...stored[1], state: "ObjectDisabled", message: "disabled" },
    ]);
  });

  test("have no state where the vault has what the Secret holds, and no version before anything was written", () => {
    assert.deepEqual(heldKeys([{ key: "user", object: "secret/user", version: "1" }], stored), [stored[0]]);
    assert.deepEqual(heldKeys([{ key: "new", object: "secret/new", state: "ObjectNotFound" }], stored), [
      { key: "new", object: "secret/new", state: "ObjectNotFound" },
    ]);
  });

  test("of a class that nothing could be learnt of keep their versions under its reason", () => {
    const before: readonly SecretStatus[] = [{ name: "app", state: "Synced", data: stored }];

    const [app, other] = heldSecrets(["app", "other"], before, "Throttled");

    assert.deepEqual(
      app?.data.map(({ version, state }) => [version, state]),
      [
        ["1", "Throttled"],
        ["1", "Throttled"],
      ],
    );
    assert.deepEqual(other, { name: "other", state: "Throttled", data: [] });
  });
});

describe("the word for a class", () => {
  const good: SecretStatus = { name: "good", state: "Synced", data: [] };
  const bad: SecretStatus = { name: "bad", state: "Conflict", message: "taken", data: [] };

  test("is that of its Secrets, or PartialSync where some are well", () => {
    assert.equal(summarize([good]).reason, "Synced");
    assert.deepEqual(summarize([bad]), { reason: "Conflict", message: "taken" });
    assert.deepEqual(summarize([good, bad]), { reason: "PartialSync", message: "1 of 2 Secrets are up to date; bad: taken" });
  });
});

describe("the dates of objects", () => {
  const keyed = (object: string, dates: { expires?: string; notBefore?: string }) => ({ key: object, object, version: "1", ...dates });
  const secrets: readonly SecretStatus[] = [
    {
      name: "app",
      state: "Synced",
      data: [
        keyed("secret/soon", { expires: "2026-01-20T00:00:00Z" }),
        keyed("secret/soon", { expires: "2026-01-20T00:00:00Z" }),
        keyed("secret/late", { expires: "2026-06-01T00:00:00Z" }),
        keyed("secret/over", { expires: "2025-12-01T00:00:00Z" }),
        keyed("secret/early", { notBefore: "2026-03-01T00:00:00Z" }),
      ],
    },
  ];
  const options = { now: NOW, warning: 30 * DAY };

  test("are told once for each object that ends soon, has ended or has not begun", () => {
    assert.deepEqual(
      dateNotices(secrets, options).map(({ object, reason }) => `${object} ${reason}`),
      ["secret/soon@1 ObjectExpiring", "secret/over@1 ObjectExpired", "secret/early@1 ObjectNotYetValid"],
    );
  });

  test("say when they are to be looked at next", () => {
    assert.equal(nextDate(secrets, options), Date.UTC(2026, 0, 20));
    assert.equal(nextDate([], options), undefined);
  });

  test("go into the metric in the order in which they end, the first hundred of them", () => {
    const status = { ...(history([NOW, outcome()]) as ClassStatus), secrets }; // The step above always returns a status.
    const first = firstExpiries([{ key: "team/demo", status }]);

    assert.deepEqual(
      first.map(({ object }) => object),
      ["secret/over", "secret/soon", "secret/late"],
    );
    const many = Array.from({ length: 60 }, (_, index) => ({ key: `team/class-${index}`, status }));
    assert.equal(firstExpiries(many).length, 100);
  });

  test("are counted by how soon they end, all of them, each with those that end before", () => {
    const status = { ...(history([NOW, outcome()]) as ClassStatus), secrets };
    const many = Array.from({ length: 60 }, (_, index) => ({ key: `team/class-${index}`, status }));

    assert.deepEqual(
      [...countExpiring(many, NOW)],
      [
        ["expired", 60],
        ["7d", 60],
        ["30d", 120],
        ["90d", 120],
      ],
    );
    assert.deepEqual([...countExpiring([], NOW).values()], [0, 0, 0, 0]);
  });
});

describe("who wrote a Secret last besides us", () => {
  const ours = { manager: "ours", time: "2026-01-02T00:00:00Z" };
  const early = { manager: "older", time: "2026-01-01T00:00:00Z" };

  test("is the manager of the latest entry, in the second of our own or later", () => {
    const edit = { manager: "kubectl-edit", time: "2026-01-02T00:00:00Z" };
    const patch = { manager: "kubectl-patch", time: "2026-01-03T00:00:00Z" };

    assert.deepEqual(lastForeignWrite([edit, ours, early], "ours"), edit);
    assert.deepEqual(lastForeignWrite([ours, patch, edit], "ours"), patch);
  });

  test("is nobody where all that is there came before our last write", () => {
    assert.equal(lastForeignWrite([ours, early], "ours"), undefined);
    assert.equal(lastForeignWrite([ours], "ours"), undefined);
  });
});

describe("claims on a Secret", () => {
  test("come from the oldest class to the youngest, by name where they are of one second, and end with the class or its word", () => {
    const claims = new Claims();
    const [zebra, ant, bee] = [aClass("zebra"), aClass("ant", { created: "2026-01-02T00:00:00Z" }), aClass("bee")];
    for (const current of [ant, zebra, bee]) claims.note({ previous: undefined, current });

    const names = (): readonly string[] => claims.of("team", "app").map(({ metadata }) => metadata.name);
    assert.deepEqual(names(), ["bee", "zebra", "ant"]);
    claims.note({ previous: zebra, current: aClass("zebra", { secretName: "other" }) });
    claims.note({ previous: bee, current: undefined });
    assert.deepEqual(names(), ["ant"]);
    assert.deepEqual(claims.of("another", "app"), []);
  });
});

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CLASS, NEW, OLD, SECRET, STATUS, whereIs } from "../support/cli/where.ts";
import type { Manifest } from "../support/cluster/shipped-manifests.ts";
import {
  classVolume,
  mountedStatus,
  timeAt,
  usedClass,
  usedPod,
  usedPodStatus,
  usedSecret,
  usedStatus,
} from "../support/fixtures/used-objects.ts";

const MADE_UP = "c".repeat(32);
const container = { volumeMounts: [{ name: "secrets", mountPath: "/mnt" }] };

/** A pod that mounts a class, and the driver's record of it. */
function mounting(namespace: string, version: string, writtenAt: number, className = "web"): readonly Manifest[] {
  return [
    usedPod("web-1", { namespace, started: 5, container, volumes: [classVolume(className)] }),
    usedPodStatus("web-1", { namespace, className, versions: { "secret/db-pass": version }, writtenAt }),
  ];
}

const FORGED = { namespace: "aaa-tenant", objects: ["secret/db-pass"], secrets: { x: { password: "db-pass" } } };

/** A class of another namespace that names the object, and a Secret with the marks of the worker, which anybody may write there. */
function forged(version: string): readonly Manifest[] {
  return [
    usedClass("x", FORGED),
    usedSecret("x", { namespace: "aaa-tenant", className: "x", objects: `secret/db-pass@${version}`, createdAt: 5_000 }),
  ];
}

async function statesIn(namespace: string, objects: readonly Manifest[]) {
  const { code, object } = await whereIs(objects, "secret/db-pass");
  const states = [...object.secrets, ...object.containers].filter((each) => each.namespace === namespace).map(({ state }) => state);
  return { code, object, states };
}

describe("A1: what one namespace says of the newest version", () => {
  const shop = [CLASS, SECRET, STATUS, ...mounting("shop", OLD, 40)];
  const mountOnly = (namespace: string, facts = {}) => usedClass("web", { namespace, objects: ["secret/db-pass"], ...facts });

  for (const [name, version] of [
    ["an older version", OLD],
    ["a made-up version", MADE_UP],
  ] as const) {
    test(`A1: changes nothing in another where a Secret claims ${name}`, async () => {
      const { code, object, states } = await statesIn("shop", [...forged(version), ...shop]);
      assert.deepEqual([code, object.current.version, states], [1, NEW, ["current", "old"]]);
    });

    test(`A1: changes nothing in another without a status of the worker where a Secret claims ${name}`, async () => {
      const { states } = await statesIn("shop", [...forged(version), CLASS, SECRET, ...mounting("shop", OLD, 40)]);
      assert.deepEqual(states, ["current", "old"]);
    });
  }

  test("A1: counts in it, and the report names what nobody confirms", async () => {
    const { object, states } = await statesIn("aaa-tenant", [...forged(MADE_UP), ...shop]);
    assert.deepEqual(states, ["current"]);
    assert.deepEqual(object.unconfirmed, [{ namespace: "aaa-tenant", version: MADE_UP, seen: "2023-11-01T01:23:20Z" }]);
  });

  test("A1: counts in another where the worker has written it into the status", async () => {
    const { code, object, states } = await statesIn("other", [...shop, mountOnly("other"), ...mounting("other", OLD, 40)]);
    assert.deepEqual([code, object.current.version, states, object.unconfirmed], [1, NEW, ["old"], undefined]);
  });

  const MOVED = [{ key: "password", object: "secret/db-pass", version: MADE_UP, since: 5_000, updated: 5_000, expires: 6_000 }];
  const moved = (observed: number, state?: string): readonly Manifest[] => {
    const [spc, secret] = forged(MADE_UP);
    const status = usedStatus("x", { x: MOVED.map((key) => ({ ...key, ...(state === undefined ? {} : { state }) })) }, "aaa-tenant");
    const metadata = { ...spc?.metadata, generation: 2 };
    const said = { ...(status as { status?: object }).status, observedClassGeneration: observed };
    return [{ ...spc, metadata } as Manifest, secret as Manifest, { ...status, status: said }];
  };

  for (const [name, objects] of [
    ["that the worker has not checked since the edit", moved(1)],
    ["whose new vault refuses it", moved(2, "Forbidden")],
  ] as const) {
    test(`A1: changes nothing in another where it is of the former vault of a class ${name}`, async () => {
      const { object, states } = await statesIn("shop", [...objects, ...shop]);
      assert.deepEqual([object.current.version, object.expires, states], [NEW, "2023-11-01T02:30:00Z", ["current", "old"]]);
    });
  }

  test("A1: changes nothing in another where it is of a status that outlived its class", async () => {
    const [, secret] = forged(MADE_UP);
    const recreated = usedClass("x", { ...FORGED, createdAt: 6_000 });
    const status = usedStatus("x", { x: MOVED }, "aaa-tenant");
    const left = { ...status, metadata: { ...status.metadata, creationTimestamp: timeAt(4_000) } } as Manifest;
    const { object, states } = await statesIn("shop", [recreated, secret as Manifest, left, ...shop]);
    assert.deepEqual([object.current.version, states], [NEW, ["current", "old"]]);
  });

  test("A1: counts in another where the worker has checked the class since its edit", async () => {
    const { object, states } = await statesIn("shop", [...moved(2), ...shop]);
    assert.deepEqual([object.current.version, object.expires, states], [MADE_UP, "2023-11-01T01:40:00Z", ["old", "old"]]);
  });

  const only = mountOnly("shop", { createdAt: 1 });
  for (const [name, facts, expected] of [
    ["counts in another where the driver wrote it for a class that was never edited", { createdAt: 1 }, "old"],
    ["changes nothing in another where its class was edited", { createdAt: 1, generation: 2 }, "current"],
    ["changes nothing in another where its class is younger than the driver's record", { createdAt: 900 }, "current"],
  ] as const) {
    test(`A1: ${name}`, async () => {
      const other = [mountOnly("other", facts), ...mounting("other", MADE_UP, 300)];
      const { states } = await statesIn("shop", [only, ...mounting("shop", NEW, 100), ...other]);
      assert.deepEqual(states, [expected]);
    });
  }

  test("A1: changes nothing in another where only the driver wrote it, and the vault's time of a version is known", async () => {
    const other = [mountOnly("other", { createdAt: 1 }), ...mounting("other", MADE_UP, 300)];
    const { object, states } = await statesIn("shop", [...shop, ...other]);
    assert.deepEqual([object.current.version, states], [NEW, ["current", "old"]]);
  });

  test("A1: counts in another where the worker states the vault of what a class only mounts", async () => {
    const known = mountedStatus("web", [{ object: "secret/db-pass", version: NEW, since: 100 }], "other");
    const { states } = await statesIn("shop", [only, ...mounting("shop", OLD, 40), mountOnly("other"), known]);
    assert.deepEqual(states, ["old"]);
  });
});

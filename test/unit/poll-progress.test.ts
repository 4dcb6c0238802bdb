import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { RESOURCES, type SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { KubeError } from "../../src/domain/ports/kube-error.ts";
import { VaultError } from "../../src/domain/ports/vault-error.ts";
import { MAX_CLASS_CHARACTERS } from "../../src/domain/provider-class/held-class.ts";
import { classOf, INTERVAL, type Leader, SimulatedWorld } from "../support/simulation/world.ts";

const OTHERS = 12;
const TROUBLED = { namespace: "other", name: "app" };
const LONG = { "keyvault-injector.dev/rotation-poll-interval": "24h" };

let world: SimulatedWorld;
let leader: Leader;
let renew: () => number | undefined;

async function givenClasses(): Promise<void> {
  world = new SimulatedWorld();
  world.vaults.set("db", "x");
  await world.clock.advance(600_000);
  for (let index = 0; index < OTHERS; index++)
    world.apply({ namespace: `team-${index}`, name: "app", objects: ["db"], vault: `vault-${index}` });
}

function lead(before: number | undefined): void {
  leader = world.lead({ progress: { before, observe: (until) => (renew = until) } });
}

/** Leads on, and renews the lease every 15 s. */
async function leadOn(polls: number): Promise<void> {
  for (let renewal = 0; renewal < polls * 8; renewal++) {
    await world.clock.advance(INTERVAL / 8);
    renew();
  }
}

/** Milliseconds since the moment up to which all polls are made, as the lease says it. */
function behind(): number {
  return world.clock.now() - (renew() ?? 0);
}

/** The lists that the next leader asks for at once, which begins five seconds after this one ended. */
async function listsOfNext(): Promise<number> {
  const before = renew();
  await leader.stop();
  await world.clock.advance(5_000);
  world.vaults.taken();
  lead(before);
  await world.clock.advance(2_000);
  return world.vaults.taken().filter((request) => request.includes("list")).length;
}

function largeClass(): SecretProviderClass {
  const spc = classOf({ ...TROUBLED, objects: ["x"] });
  return { ...spc, metadata: { ...spc.metadata, annotations: { note: "x".repeat(MAX_CLASS_CHARACTERS + 1_000) } } };
}

function refusal(): KubeError {
  return new KubeError("Unavailable", "HTTP 500", { retry: { kind: "backoff" }, status: 500 });
}

type Trouble = () => void;

const TROUBLES: Readonly<Record<string, Trouble>> = {
  "is too large": () => {
    world.cluster.put(RESOURCES.secretProviderClasses, largeClass());
  },
  "was edited, and whose snapshot is refused": () => {
    world.cluster.fault = ({ resource, ref }) =>
      resource === RESOURCES.controllerRevisions && ref.namespace === TROUBLED.namespace ? refusal() : undefined;
    world.apply({ ...TROUBLED, objects: ["x", "db"], vault: "vault-x", annotations: LONG });
  },
  "is new, and whose snapshot is refused": () => {
    world.cluster.fault = ({ resource, ref }) =>
      resource === RESOURCES.controllerRevisions && ref.namespace === TROUBLED.namespace ? refusal() : undefined;
    world.apply({ ...TROUBLED, name: "new", objects: ["x"], vault: "vault-x" });
  },
  "has a status that is refused": () => {
    world.cluster.fault = ({ resource, ref }) =>
      resource === RESOURCES.secretProviderClassSyncs && ref.namespace === TROUBLED.namespace ? refusal() : undefined;
    world.vaults.set("x");
  },
};

describe("the moment up to which all polls are made", () => {
  beforeEach(async () => {
    await givenClasses();
    world.apply({ ...TROUBLED, objects: ["x"], vault: "vault-x" });
    lead(undefined);
    await leadOn(5);
  });

  for (const [which, begin] of Object.entries(TROUBLES))
    test(`W12: is not held up by a class that ${which}`, async () => {
      begin();
      await leadOn(6);

      assert.ok(behind() <= INTERVAL / 4, `${behind()} ms behind`);
      const asked = await listsOfNext();
      assert.ok(asked <= OTHERS / 2, `${asked} lists for ${OTHERS} classes at rest`);
      await leader.stop();
    });

  test("W12: is held up by a poll that nobody has made, as long as its class claims to be fresh", async () => {
    world.vaults.signIn = () => ({
      error: new VaultError("Unreachable", "no answer", { retry: { kind: "backoff" }, origin: "vault" }),
      afterMs: 1_000_000,
    });
    await leadOn(2);
    assert.ok(behind() > INTERVAL / 2, `${behind()} ms behind`);
    const stopped = leader.stop();
    await world.clock.advance(2_000_000);
    await stopped;
  });
});

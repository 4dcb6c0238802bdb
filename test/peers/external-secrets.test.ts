/**
 * Compares the real External Secrets with our worker: both write the same bytes, and the commands of the how-to move from one to the other.
 */
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { programRefusal } from "../e2e/support/binaries.ts";
import { inParallel } from "../load/sync/vaults.ts";
import { controlPlaneRefusal } from "../support/cluster/control-plane.ts";
import { eventually } from "../support/time/eventually.ts";
import { mergePatch, reasonIs, secretPath, send } from "../support/worker/sync-world.ts";
import { type Comparison, compareSecrets, type KeptSecret } from "./support/compare.ts";
import { commandFor, commandsUnder, linesOf, type Moving } from "./support/how-to.ts";
import { NAMESPACE, type PeerWorld, startPeerWorld } from "./support/peer-world.ts";
import { documentedProperties, manifestsOf } from "./support/property-table.ts";
import { followSecrets, type SecretHistory } from "./support/secret-history.ts";

const refusal = controlPlaneRefusal() ?? programRefusal(["external-secrets"]);

const [FROM_FILES = "", FROM_CLUSTER = ""] = commandsUnder("1. Convert");
const [, LET_GO = "", DELETE = ""] = commandsUnder("3. Have the operator let go");
const [TAKE_OVER = "", CHECK = ""] = commandsUnder("4. Take the Secret over");

const SHARED = "shared-with-others";
/** File with the classes that `convert` created from the cluster's objects. */
const OF_CLUSTER = "classes-of-cluster.yaml";
/** Content that others wrote into the Secret into which an ExternalSecret merges. */
const THEIRS = { theirs: Buffer.from("not of the vault").toString("base64") };

let world: PeerWorld;
/** The Secrets before the move. */
let moving: readonly Moving[];
let first: ReadonlyMap<string, KeptSecret>;

async function letGo(each: Moving): Promise<void> {
  const { terminal } = world;
  if (each.creationPolicy !== "Merge") {
    const [patch = "", owners = ""] = linesOf(LET_GO).map((line) => commandFor(line, each));
    await terminal.expect(patch);
    await eventually(async () => (await terminal.expect(owners)) === "", {
      what: `no owner of Secret ${each.secret}`,
      every: 500,
      within: 60_000,
    });
  }
  await terminal.expect(commandFor(DELETE, each));
}

async function takeOver(all: readonly Moving[]): Promise<void> {
  const { terminal } = world;
  const [annotate = "", apply = ""] = linesOf(TAKE_OVER);
  await inParallel(all, (each) => terminal.expect(commandFor(annotate, each)));
  await terminal.expect(apply);
  await inParallel(all, async (each) => {
    const [isThere = "", isReady = "", managed = ""] = linesOf(CHECK).map((line) => commandFor(line, each));
    await terminal.expect(isThere);
    await terminal.expect(isReady);
    assert.equal(await terminal.expect(managed), "true", managed);
  });
}

function report(what: string, { secrets, keys, byMeaning, differences }: Comparison): void {
  console.log(`peers: ${what}: ${secrets} Secrets, ${keys} keys compared with External Secrets', ${differences.length} differ`);
  if (byMeaning.length > 0) console.log(`peers: of them in other bytes, as convert warns, and the same: ${byMeaning.join(", ")}`);
}

/** Plants differences: a value that is one byte longer, a missing key, an additional key, and another type. */
function planted(secrets: ReadonlyMap<string, KeptSecret>): ReadonlyMap<string, KeptSecret> {
  const of = (name: string): KeptSecret => secrets.get(name) ?? assert.fail(name);
  const [shared, texts, web] = [of(SHARED), of("texts"), of("web-tls")];
  const token = Buffer.concat([Buffer.from(shared.data["token"] ?? "", "base64"), Buffer.from("\n")]).toString("base64");
  const { lines: _, ...others } = texts.data;
  return new Map([
    [SHARED, { ...shared, data: { ...shared.data, token } }],
    ["texts", { ...texts, data: { ...others, more: "" } }],
    ["web-tls", { ...web, type: "Opaque" }],
  ]);
}

const follow = (secrets: ReadonlyMap<string, KeptSecret>): Promise<SecretHistory> => followSecrets(world.plane, NAMESPACE, secrets);

describe("the classes that convert prints, beside External Secrets", {
  skip: refusal === undefined ? false : `SKIPPED: ${refusal}`,
}, () => {
  before(async () => {
    world = await startPeerWorld();
    const body = { apiVersion: "v1", kind: "Secret", metadata: { name: SHARED }, data: THEIRS };
    await send(world.plane, { method: "POST", path: `/api/v1/namespaces/${NAMESPACE}/secrets`, body });
    await world.apply("manifests");
    moving = await world.externalSecrets();
    first = await world.secrets(moving.map(({ secret }) => secret));
  });
  after(async () => {
    await world?.stop();
  });

  test("are admitted by the API server, each, whether the ExternalSecrets come from files or from the cluster", async () => {
    const { terminal } = world;
    await terminal.expect(`${FROM_CLUSTER}\ncp classes.yaml ${OF_CLUSTER}`);
    await terminal.expect(FROM_FILES);
    for (const file of ["classes.yaml", OF_CLUSTER]) {
      const printed = await terminal.expect(`kubectl apply --dry-run=server -o name -f ${file}`);
      const admitted = printed
        .trim()
        .split("\n")
        .map((line) => path.basename(line));
      console.log(`peers: ${file}: ${admitted.length} of ${moving.length} classes admitted by a server-side dry run`);

      assert.deepEqual(admitted.sort(), moving.map(({ name }) => name).sort());
    }
  });

  test("lack what convert says, line by line, that it cannot convert, and the operator keeps it", async () => {
    const { terminal } = world;
    await world.apply("kept");
    const kept = (await world.externalSecrets()).filter(({ name }) => !moving.some((each) => each.name === name));
    const { code, stdout, stderr } = await terminal.type("keyvault-injector convert -f manifests/stores.yaml -f kept/");
    const named = new Set(
      [...stderr.matchAll(/^kept\/\S+\.yaml:\d+: ExternalSecret\/(\S+): error: spec\..*; .*$/gm)].map(([, name]) => name ?? ""),
    );

    assert.deepEqual([code, stdout], [1, ""]);
    assert.deepEqual([...named].sort(), kept.map(({ name }) => name).sort());
    assert.equal((await world.secrets(kept.map(({ secret }) => secret))).size, kept.length);
    console.log(`peers: ${moving.length} ExternalSecrets converted, ${kept.length} named as beyond it`);
  });

  test("take the Secrets over by the how-to's steps: none is ever missing or lacks a key, and each has the bytes that it had", async () => {
    const history = await follow(first);
    try {
      await inParallel(moving, letGo);
      await takeOver(moving);
      const comparison = compareSecrets(first, await world.secrets([...first.keys()]));

      report("moved", comparison);
      console.log(`peers: ${history.events} states of these Secrets watched on the way, ${history.gaps.length} without a Secret or a key`);
      assert.ok(first.size === moving.length && comparison.keys > 80 && history.events > 2 * moving.length);
      assert.deepEqual([comparison.differences, history.gaps], [[], []]);
    } finally {
      await history.stop();
    }
  });

  test("make the same bytes where no Secret was there before, by the classes of the cluster's objects", async () => {
    const { terminal, plane } = world;
    const own = moving.filter(({ secret }) => secret !== SHARED);
    const names = own.map(({ secret }) => secret);
    await terminal.expect(`kubectl delete secretproviderclass -n ${NAMESPACE} ${own.map(({ name }) => name).join(" ")}`);
    await terminal.expect(`kubectl delete secret -n ${NAMESPACE} ${names.join(" ")}`);
    await terminal.expect(`kubectl apply -f ${OF_CLUSTER}`);
    for (const { name } of own) await reasonIs(plane, { namespace: NAMESPACE, name }, "Synced");
    const ofOperator = new Map([...first].filter(([name]) => name !== SHARED));
    const comparison = compareSecrets(ofOperator, await world.secrets(names));

    report("made anew", comparison);
    assert.deepEqual(comparison.differences, []);
  });

  test("are compared by what finds a planted difference, and watched by what finds a Secret or a key that was missing", async () => {
    const { plane, terminal } = world;
    const secrets = await world.secrets([SHARED, "texts", "web-tls"]);
    const history = await follow(secrets);
    try {
      await mergePatch(plane, secretPath(NAMESPACE, SHARED), { data: { theirs: null } });
      await eventually(() => history.gaps.length > 0, { what: "the missing key" });
      await terminal.expect(`kubectl delete secret texts -n ${NAMESPACE}`);
      await eventually(() => history.gaps.length > 1, { what: "the missing Secret" });

      assert.deepEqual(compareSecrets(secrets, planted(secrets)).differences, [
        `${SHARED} token`,
        "texts lines",
        "texts more",
        "web-tls tls.crt",
        "web-tls tls.key",
      ]);
      assert.deepEqual(history.gaps.slice(0, 2), [`Secret ${SHARED} lacked the key theirs`, "Secret texts was missing"]);
    } finally {
      await history.stop();
    }
  });

  test("read a property otherwise where the how-to says so, and as it says", async () => {
    const { plane, terminal, emulator } = world;
    const documented = documentedProperties();
    for (const { object, value } of documented) await emulator.setSecret({ vault: "shop-prod", name: object, value });
    await world.create(manifestsOf(documented));
    const names = documented.map(({ object }) => object);
    const ofOperator = await world.secrets(names);
    const classes = await terminal.expect("keyvault-injector convert -f manifests/stores.yaml -f created.yaml");
    await terminal.expect(`kubectl delete externalsecret -n ${NAMESPACE} ${names.join(" ")}`);
    for (const name of names) await terminal.expect(`kubectl wait secret/${name} -n ${NAMESPACE} --for=delete`);
    await plane.kubectl(["apply", "-f", "-"], classes);
    for (const { object: name, ours } of documented)
      await reasonIs(plane, { namespace: NAMESPACE, name }, ours === undefined ? "InvalidObject" : "Synced");
    const ofClasses = await world.secrets(names);
    const textOf = (secrets: ReadonlyMap<string, KeptSecret>, name: string): string | undefined => {
      const written = secrets.get(name)?.data["value"];
      return written === undefined ? undefined : Buffer.from(written, "base64").toString();
    };

    assert.ok(documented.length >= 9);
    assert.deepEqual(
      documented.map((each) => ({ ...each, theirs: textOf(ofOperator, each.object), ours: textOf(ofClasses, each.object) })),
      documented,
    );
  });
});

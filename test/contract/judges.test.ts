/**
 * Compares our results with those of the shipped Azure provider and of the CSI driver's code for the same classes and files. Run with
 * KEYVAULT_INJECTOR_JUDGE_SEED=<number> for other generated cases.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";

import { programRefusal } from "../e2e/support/binaries.ts";
import { OPENSSL_MISSING } from "../support/fixtures/openssl.ts";
import { type Compared, compare, normalisationLines, type Tally, tally } from "./judge/comparison.ts";
import { generatedProviderCases } from "./judge/generated-provider.ts";
import { generatedSecretData } from "./judge/generated-secret-data.ts";
import { generatedUntidyCases } from "./judge/generated-untidy.ts";
import { LISTED_ROWS, type Outcome, QUOTED_VALUE } from "./judge/listed-rows.ts";
import { makeMaterial } from "./judge/material.ts";
import { makePlaces } from "./judge/provider-places.ts";
import { providerCases } from "./judge/provider-run.ts";
import { type ProviderWorld, startProviderWorld } from "./judge/provider-world.ts";
import { secretDataCases } from "./judge/secret-data-cases.ts";
import { MOUNT_NORMALISATION, ourSecretData, type SecretDataJudge, startSecretDataJudge } from "./judge/secret-data-judge.ts";
import { SECRET_DATA_ROWS } from "./judge/secret-data-rows.ts";
import { secretDataTlsCases } from "./judge/secret-data-tls-cases.ts";
import { PROVIDER_ROWS } from "./judge/spec-rows.ts";
import { LISTED_TEXTS, SPEC_TEXTS } from "./judge/spec-texts.ts";

const GO_MISSING = programRefusal(["secrets-store-csi-driver-provider-azure", "secret-data-judge"]);
const skip = GO_MISSING === undefined ? OPENSSL_MISSING : `SKIPPED: ${GO_MISSING}`;

/** Constant, so that a failed run can be repeated. */
const SEED = Number(process.env["KEYVAULT_INJECTOR_JUDGE_SEED"] ?? "20261124");
const GENERATED_CLASSES = 450;
const GENERATED_UNTIDY = 450;
const GENERATED_SECRET_DATA = 450;

const MIN_WRITTEN = 250;
const MIN_GENERATED = 1_000;
const MIN_SPEC_ROWS = 100;
const MAX_LISTED_ROWS = 12;

const SPEC_ROWS: readonly string[] = [...PROVIDER_ROWS, ...SECRET_DATA_ROWS];
const COMPATIBILITY = new URL("../../docs/reference/compatibility.md", import.meta.url);

describe("the Azure provider and the CSI driver", { skip }, () => {
  let world: ProviderWorld | undefined;
  let judge: SecretDataJudge | undefined;
  let cases: readonly Compared[] = [];
  let result: Tally;

  before(async () => {
    const material = makeMaterial();
    [world, judge] = await Promise.all([startProviderWorld(), startSecretDataJudge()]);
    const placeIn = await makePlaces(world, material);
    const written = [...secretDataCases(), ...secretDataTlsCases(material)];
    cases = [
      ...(await providerCases(world, placeIn)),
      ...(await secretDataCompared(judge, written)),
      ...(await generatedProviderCases(world, { seed: SEED, count: GENERATED_CLASSES, material, place: placeIn("public") })),
      ...(await generatedUntidyCases(world, { seed: SEED, count: GENERATED_UNTIDY, material, place: placeIn("public") })),
      ...(await generatedSecretData(judge, material, { seed: SEED, count: GENERATED_SECRET_DATA })),
    ];
    result = tally(cases, { specRows: SPEC_ROWS, listedRows: LISTED_ROWS });
    for (const line of [...normalisationLines(), MOUNT_NORMALISATION]) console.log(line);
    console.log(`seed ${SEED}; ${result.written} written cases, ${result.generated} generated ones`);
    console.log(`of the generated ones ${result.generatedDone} succeed in the judge and ${result.generatedRefused} fail`);
    for (const [row, count] of Object.entries(result.listedRows)) console.log(`listed difference ${row}: ${count} cases`);
    for (const line of result.lines) console.log(line);
  });

  after(async () => {
    await judge?.stop();
    await world?.stop();
  });

  test("agree with us on every case, but for the differences that the compatibility page lists", () => {
    assert.deepEqual(result.unexplained, []);
  });

  test("are asked about every row of the specification", () => {
    assert.deepEqual(result.uncoveredRows, []);
    assert.deepEqual(result.unknownRows, [], "rows that no list of rows has");
    assert.ok(SPEC_ROWS.length >= MIN_SPEC_ROWS);
    assert.equal(new Set(SPEC_ROWS).size, SPEC_ROWS.length);
  });

  test("give every error text of the specification, and so do we", () => {
    const given = (text: string, row: string | undefined) =>
      cases.some((one) => {
        const { ours, theirs } = one;
        if (theirs.kind !== "refused" || !theirs.message.includes(text)) return false;
        return row === undefined ? ours.kind === "refused" && ours.message.includes(text) : one.listed === row;
      });
    const missing = SPEC_TEXTS.filter((text) => !given(text, undefined));
    assert.deepEqual([...missing, ...LISTED_TEXTS.filter(([text, row]) => !given(text, row))], []);
    assert.ok(!given("a text that nobody gives", undefined));
    assert.ok(!given("pod name is not provided", undefined), "only the provider gives it");
  });

  test("are asked enough, and a third of it works and a third fails", () => {
    assert.ok(result.written >= MIN_WRITTEN, `${result.written} written cases`);
    assert.ok(result.generated >= MIN_GENERATED, `${result.generated} generated cases`);
    assert.ok(result.generatedDone * 3 >= result.generated, `${result.generatedDone} generated cases succeed`);
    assert.ok(result.generatedRefused * 3 >= result.generated, `${result.generatedRefused} generated cases fail`);
  });

  test("differ from us by no listed row that is gone, and by few", () => {
    assert.deepEqual(result.staleRows, [], "rows that no case shows");
    assert.ok(LISTED_ROWS.length <= MAX_LISTED_ROWS);
  });

  test("differ from us only by rows that the compatibility page has", () => {
    const page = readFileSync(COMPATIBILITY, "utf8");
    assert.deepEqual(
      LISTED_ROWS.filter((row) => !page.includes(`"${row}"`) && !page.includes(`\`${row}\``)),
      [],
    );
  });

  test("would show one changed byte of a file, and one changed word of an error", () => {
    const done = cases.find(({ ours }) => ours.kind === "done" && "file:secret1" in ours.parts);
    const refused = cases.find(({ id }) => id === "no vault name");
    assert.ok(done && refused);
    assert.equal(compare(done).kind, "equal");
    assert.equal(compare(refused).kind, "equal");
    assert.match(shown({ ...done, ours: withChangedByte(done.ours) }), /^file:secret1: ours .*, theirs /);
    assert.match(shown({ ...refused, ours: { kind: "refused", message: "keyvaultName is not given" } }), /is not given.*is not provided/s);
    const planted = [...cases, { ...done, id: "planted", ours: withChangedByte(done.ours) }];
    assert.equal(tally(planted, { specRows: [], listedRows: [] }).unexplained.length, result.unexplained.length + 1);
  });

  test("may not differ by a listed row in another way than it says", () => {
    const another: Outcome = { kind: "refused", message: "something else" };
    const listed = cases.filter((one) => compare(one).kind === "listed");
    assert.deepEqual(new Set(listed.map(({ listed: row }) => row)), new Set(LISTED_ROWS));
    for (const one of listed) {
      assert.equal(compare({ ...one, theirs: another }).kind, "unexplained", one.id);
      assert.equal(compare({ ...one, ours: another }).kind, "unexplained", one.id);
      assert.equal(compare({ ...one, listed: "no such row" }).kind, "unexplained", one.id);
    }
  });
});

async function secretDataCompared(
  judge: SecretDataJudge,
  written: readonly ReturnType<typeof secretDataCases>[number][],
): Promise<readonly Compared[]> {
  const compared: Compared[] = [];
  for (const { id, rows, listed = QUOTED_VALUE, ...question } of written) {
    const sides = { ours: ourSecretData(question), theirs: await judge.ask(question) };
    compared.push({ id: `Secret data: ${id}`, rows, isGenerated: false, ...sides, listed });
  }
  return compared;
}

function withChangedByte(outcome: Outcome): Outcome {
  assert.ok(outcome.kind === "done");
  const bytes = Buffer.from(outcome.parts["file:secret1"] ?? "", "base64");
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return { kind: "done", parts: { ...outcome.parts, "file:secret1": bytes.toString("base64") } };
}

function shown(changed: Compared): string {
  const verdict = compare(changed);
  assert.equal(verdict.kind, "unexplained");
  return verdict.differences.join("\n");
}
